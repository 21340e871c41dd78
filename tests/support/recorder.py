"""Reads what a far side of the practice town recorded: the only witness of what arrived.

Its file has a line for each recipient of each message taken, written before the far side answered.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

LOOK_EVERY = 0.02  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the record. ``pid`` is ``None`` where the far side did not look the sender up.

    ``what`` was asked of a far side that speaks HTTP, and ``more`` is what only that kind of far side says; the
    fields from ``subject`` on are the mail server's.
    """

    time: float
    key: str
    recipient: str
    port: int
    pid: int | None
    attempt: int
    what: str = "mail"
    subject: str = ""
    message_id: str = ""
    sender: str = ""
    offset: int | None = None
    length: int = 0
    more: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, line: bytes) -> Line:
        values: dict[str, Any] = json.loads(line)
        more = {name: values.pop(name) for name in set(values) - _FIELDS}
        return cls(**values, more=more)


_FIELDS = {each.name for each in fields(Line)}


class Recorder:
    """The record at ``path``, read on as it grows; it may not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: list[Line] = []
        self._read = 0

    def lines(self) -> list[Line]:
        """Everything recorded so far, oldest first. A line that is half written waits for its end."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read += len(whole)
            self._lines += [Line.read(line) for line in whole.splitlines()]
        return self._lines

    def count(self) -> int:
        """How many recipients were served, repeats included."""
        return len(self.lines())

    def keys(self) -> set[str]:
        return {line.key for line in self.lines()}

    def has(self, key: str) -> bool:
        return key in self.keys()

    def times(self) -> Counter[str]:
        """How often each key was taken."""
        return Counter(line.key for line in self.lines())

    def twice(self) -> dict[str, int]:
        """The keys that were taken more than once, and how often."""
        return {key: number for key, number in self.times().items() if number > 1}

    def to(self, recipient: str) -> list[Line]:
        return [line for line in self.lines() if line.recipient == recipient]

    def recipients(self) -> Counter[str]:
        """How many messages each recipient got."""
        return Counter(line.recipient for line in self.lines())

    def since(self, moment: float) -> list[Line]:
        """What was taken after ``moment``, in seconds since the epoch."""
        return [line for line in self.lines() if line.time > moment]

    def wait(self, condition: Callable[[Recorder], Any], *, timeout: float = 30, what: str = "the record") -> None:
        """Waits until ``condition`` holds of this record.

        Raises:
            AssertionError: it does not within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while not condition(self):
            assert time.monotonic() < deadline, f"{what} did not come within {timeout:g} s; {self.count()} lines so far"
            time.sleep(LOOK_EVERY)

    def wait_for(self, count: int, *, timeout: float = 30) -> list[Line]:
        """Waits until at least ``count`` lines are there and returns all."""
        self.wait(lambda record: record.count() >= count, timeout=timeout, what=f"line {count}")
        return self.lines()

    def wait_for_keys(self, keys: set[str], *, timeout: float = 30) -> None:
        """Waits until each of ``keys`` was taken."""
        self.wait(lambda record: keys <= record.keys(), timeout=timeout, what=f"all of {len(keys)} keys")
