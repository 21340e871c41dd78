"""What an HTTP far side took: ``record.jsonl``, a line for each message taken, written before the answer."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any


class Record:
    """The only witness of what arrived. ``taken`` has the lines, oldest first; with ``keep`` off they are not kept.

    A line has ``time`` (seconds since the epoch), ``key``, ``recipient`` and ``what`` was asked, ``port`` and ``pid``
    of who asked (``None`` where not looked up), ``attempt`` (how often this key was taken for this recipient), and
    what the far side adds.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(self, folder: Path, *, keep: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "record.jsonl"
        self.taken: list[dict[str, Any]] = []
        self._keep = keep
        self._attempts: Counter[tuple[str, str]] = Counter()
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._load()

    def add(self, *, key: str, recipient: str, what: str, port: int, pid: int | None, **more: Any) -> dict[str, Any]:
        """Writes a line, whole, and returns it.

        Raises:
            OSError: the disk is full or failing; it does not count as taken.
        """
        line = {
            "time": round(time.time(), 6),
            "key": key,
            "recipient": recipient,
            "what": what,
            "port": port,
            "pid": pid,
            "attempt": self._attempts[key, recipient] + 1,
            **more,
        }
        append(self._file, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._remember(line)
        return line

    def close(self) -> None:
        os.close(self._file)

    def _remember(self, line: dict[str, Any]) -> None:
        self._attempts[line["key"], line["recipient"]] += 1
        if self._keep:
            self.taken.append(line)

    def _load(self) -> None:
        line = b"\n"
        for line in self.path.read_bytes().splitlines(keepends=True):
            with suppress(ValueError, TypeError, KeyError):  # a line cut short when the machine stopped
                self._remember(json.loads(line))
        if not line.endswith(b"\n"):
            append(self._file, b"\n")


def append(file: int, data: bytes) -> None:
    """Writes all of ``data`` at the end of ``file``, or nothing.

    Raises:
        OSError: the disk is full or failing.
    """
    written = os.write(file, data)
    if written < len(data):  # the disk is full: leave no half line behind
        os.ftruncate(file, os.fstat(file).st_size - written)
        raise OSError("The disk is full.")
