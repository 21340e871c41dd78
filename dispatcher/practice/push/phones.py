"""What stands on each phone: it follows from the record alone, line after line.

A phone that is off gets nothing: messages wait for it (RFC 8030, 5.2), a later one with the same ``Topic`` takes the
place of an earlier one (5.4), and what waited longer than its ``TTL`` is dropped. On the screen a notification takes
the place of an earlier one with the same ``tag`` (Notifications API, 2.4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

PUSH, OFF, ON, DELETED, ENDED = "push", "off", "on", "deleted", "ended"
Line = dict[str, Any]


@dataclass(slots=True)
class Phone:
    """One phone. ``shown`` is its screen by tag, the oldest first; ``waiting`` what it has not got yet, by topic."""

    off: bool = False
    ended: bool = False
    shown: dict[str, Line] = field(default_factory=dict)
    waiting: dict[str, Line] = field(default_factory=dict)

    def take(self, line: Line) -> None:
        """What ``line`` of the record changes."""
        match line["what"]:
            case "push" if self.off:
                self.waiting.pop(_topic(line), None)
                self.waiting[_topic(line)] = line
            case "push":
                self._show(line)
            case "off":
                self.off = True
            case "on":
                self.off = False
                for waited in self.waiting.values():
                    if line["time"] - waited["time"] <= waited["ttl"]:
                        self._show(waited)
                self.waiting.clear()
            case "deleted":
                self.waiting = {topic: each for topic, each in self.waiting.items() if each["id"] != line["id"]}
            case "ended":
                self.ended = True

    @property
    def newest_first(self) -> list[Line]:
        return list(reversed(self.shown.values()))

    def _show(self, line: Line) -> None:
        tag = (line["notification"] or {}).get("tag") or line["id"]
        replaced = self.shown.pop(tag, None)
        self.shown[tag] = {**line, "replaced": replaced is not None}


def _topic(line: Line) -> str:
    return str(line["topic"] or line["id"])


class Phones:
    """All phones, by subscription id. ``taken`` has the lines of the record in their order."""

    def __init__(self, taken: Iterable[Line]) -> None:
        self._phones: dict[str, Phone] = {}
        self._messages: dict[str, str] = {}
        self.changes = 0
        for line in taken:
            self.take(line)

    def __getitem__(self, identity: str) -> Phone:
        return self._phones.get(identity) or Phone()

    def take(self, line: Line) -> None:
        self._phones.setdefault(line["recipient"], Phone()).take(line)
        self.changes += 1
        if line["what"] == PUSH:
            self._messages[line["id"]] = line["recipient"]

    def latest_first(self) -> list[str]:
        """The ids of the phones on which something stands, the one that heard last first."""
        heard = {identity: phone.newest_first[0]["time"] for identity, phone in self._phones.items() if phone.shown}
        return sorted(heard, key=lambda identity: -heard[identity])

    def of_message(self, message: str) -> str | None:
        """Whose message that is."""
        return self._messages.get(message)
