"""Queue entries that the product did not write, in the envelope that kombu expects."""

from __future__ import annotations

import base64
import json
import pickle
from pathlib import Path
from typing import Any


def _envelope(body: bytes, kind: str, task: str) -> bytes:
    binary = "python" in kind
    message = {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "binary" if binary else "utf-8",
        "content-type": kind,
        "headers": {"id": "1", "task": task, "lang": "py", "argsrepr": "", "kwargsrepr": ""},
        "properties": {
            "body_encoding": "base64", "delivery_tag": "1", "correlation_id": "1",
            "delivery_info": {"exchange": "", "routing_key": "mail"}, "delivery_mode": 2, "priority": 0,
        },
    }  # fmt: skip
    return json.dumps(message).encode()


def message(task: str, arguments: list[Any]) -> bytes:
    """A well-formed message for ``task``."""
    return _envelope(json.dumps([arguments, {}, {}]).encode(), "application/json", task)


class _Marks:
    """Writes a file when it is unpickled: the proof that somebody loaded it."""

    def __init__(self, marker: Path) -> None:
        self.marker = str(marker)

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.marker, "w"))


def pickled(marker: Path) -> bytes:
    """A message whose body is a pickle that writes ``marker`` when it is loaded."""
    return _envelope(pickle.dumps(([_Marks(marker)], {}, {})), "application/x-python-serialize", "omroeper.send")


def yaml() -> bytes:
    """A message whose body is YAML that runs a command where a loader is careless."""
    return _envelope(b"!!python/object/apply:os.system ['true']", "application/x-yaml", "omroeper.send")


NOT_JSON = b"this is no message at all"
