"""What happened to the faults, for people and for tests that wait for it: ``faults.jsonl``, a line an event."""

from __future__ import annotations

import json
import time
from collections import deque
from pathlib import Path
from typing import Any


class Journal:
    """Notes events in a file, each line out before ``note`` returns, and keeps the latest hundred at hand."""

    def __init__(self, path: Path) -> None:
        self.latest: deque[dict[str, Any]] = deque(maxlen=100)
        self._file = path.open("ab", buffering=0)

    def note(self, event: str, **details: object) -> None:
        entry = {"time": round(time.time(), 6), "event": event, **details}
        self.latest.append(entry)
        self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    def close(self) -> None:
        self._file.close()
