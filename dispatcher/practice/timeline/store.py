"""The posts of the timeline: an append-only log, so that none is lost when the town is stopped or killed."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dispatcher.practice.record import append

KEY_SECONDS = 3600.0
"""How long an Idempotency-Key is remembered."""
_FIRST_ID = 115_000_000_000_000_000


@dataclass
class Version:
    """A post's text from some moment on."""

    text: str
    at: float
    language: str
    spoiler: str = ""


@dataclass
class Status:
    """A post. ``versions`` are all it ever said, oldest first; ``stranger`` is true once a stranger changed it."""

    id: str
    visibility: str
    reply_to: str | None
    key: str
    versions: list[Version] = field(default_factory=list)
    gone: bool = False
    stranger: bool = False
    gone_at: float = 0.0

    @property
    def now(self) -> Version:
        return self.versions[-1]

    @property
    def posted(self) -> float:
        return self.versions[0].at

    @property
    def edited(self) -> float | None:
        return self.versions[-1].at if len(self.versions) > 1 else None

    @property
    def changed(self) -> float:
        """When it last became what it is: posted, edited or taken away."""
        return self.gone_at or self.versions[-1].at


class Store:
    """The posts, newest last. Each change is in the log when a method returns.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "statuses.jsonl"
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._statuses: dict[str, Status] = {}
        self._keys: dict[str, tuple[str, float]] = {}
        line = b"\n"
        for line in path.read_bytes().splitlines(keepends=True):
            with suppress(ValueError, TypeError, KeyError):  # a line cut short when the machine stopped
                self._apply(json.loads(line))
        if not line.endswith(b"\n"):
            append(self._file, b"\n")

    def by_key(self, key: str) -> Status | None:
        """The post that was made under this key within the last hour, be it there still or not."""
        found = self._keys.get(key)
        if not key or found is None or time.time() - found[1] > KEY_SECONDS:
            return None
        return self._statuses.get(found[0])

    def get(self, identity: str) -> Status | None:
        """The post with this id, where it is there."""
        found = self._statuses.get(identity)
        return None if found is None or found.gone else found

    def newest(self) -> list[Status]:
        """What is there, newest first."""
        return [status for status in reversed(self._statuses.values()) if not status.gone]

    def everything(self) -> list[Status]:
        """What is there and what was taken away, oldest first."""
        return list(self._statuses.values())

    def post(
        self, text: str, *, language: str, visibility: str, reply_to: str | None, key: str, spoiler: str
    ) -> Status:
        return self._do(
            {
                "do": "post",
                "id": str(_FIRST_ID + len(self._statuses) + 1),
                "text": text,
                "language": language,
                "visibility": visibility,
                "reply_to": reply_to,
                "key": key,
                "spoiler": spoiler,
            }
        )

    def edit(self, status: Status, text: str, *, language: str, spoiler: str = "", stranger: bool = False) -> Status:
        edited = {"text": text, "language": language, "spoiler": spoiler, "stranger": stranger}
        return self._do({"do": "edit", "id": status.id, **edited})

    def delete(self, status: Status, *, stranger: bool = False) -> None:
        self._do({"do": "delete", "id": status.id, "stranger": stranger})

    def close(self) -> None:
        os.close(self._file)

    def _do(self, event: dict[str, Any]) -> Status:
        event = {**event, "at": round(time.time(), 3)}
        append(self._file, json.dumps(event, ensure_ascii=False).encode() + b"\n")
        return self._apply(event)

    def _apply(self, event: dict[str, Any]) -> Status:
        if event["do"] == "post":
            status = Status(event["id"], event["visibility"], event["reply_to"], event["key"])
            self._statuses[status.id] = status
            if status.key:
                self._keys[status.key] = (status.id, event["at"])
        else:
            status = self._statuses[event["id"]]
            status.stranger = status.stranger or event["stranger"]
        if event["do"] == "delete":
            status.gone, status.gone_at = True, event["at"]
        else:
            status.versions.append(Version(event["text"], event["at"], event["language"], event["spoiler"]))
        return status
