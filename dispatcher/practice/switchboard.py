"""Which faults are switched on, when each strikes, and how often it has."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from dispatcher.practice.faults import Crowded, Fault, Greylist, Moment, Refuse, Slow, Without


class Conversation(Protocol):
    """What a fault looks at: one connection, and the server it is with."""

    @property
    def taken_in_all(self) -> int:
        """Messages that the server has taken, this one not included."""

    @property
    def taken_here(self) -> int:
        """The same, on this connection."""

    @property
    def connections(self) -> int:
        """How many there are, this one included."""

    def peer(self) -> int | None:
        """The process id at the other end, where it can be found."""


@dataclass
class Switched:
    """A fault that is on. ``base`` is how many messages the server had taken when it was switched on."""

    fault: Fault
    number: int
    base: int
    struck: int = 0
    first_tries: dict[str, float] = field(default_factory=dict)  # of a greylist: recipient to monotonic time

    def holds_back(self, seconds: float, recipient: str) -> bool:
        now = time.monotonic()
        return now - self.first_tries.setdefault(recipient, now) < seconds

    def is_about(self, moment: Moment, connections: int, recipient: str) -> bool:
        match self.fault:
            case Slow() | Refuse() | Without():
                return False
            case Crowded(at_most=at_most):
                return moment == Moment.BANNER and connections > at_most
            case Greylist(seconds=seconds, match=match):
                named = moment == Moment.RCPT and fnmatch.fnmatchcase(recipient, match)
                return named and self.holds_back(seconds, recipient)
            case fault:
                return fault.moment == moment and (moment != Moment.RCPT or fnmatch.fnmatchcase(recipient, fault.match))

    def is_due(self, conversation: Conversation) -> bool:
        fault = self.fault
        if isinstance(fault, Refuse | Without):
            return False
        here = fault.count == "connection"
        done = conversation.taken_here if here else conversation.taken_in_all - self.base
        if done < fault.after or (fault.times is not None and self.struck >= fault.times):
            return False
        return fault.peer is None or fault.peer == conversation.peer()


class Switchboard:
    """The faults that are on. Where several fit, the one switched on first strikes; ``Slow`` goes with any other."""

    def __init__(self) -> None:
        self.on: list[Switched] = []
        self._numbered = 0

    def add(self, faults: Iterable[Fault], taken: int) -> None:
        """Switches ``faults`` on; ``taken`` is how many messages the server has taken so far."""
        for fault in faults:
            self._numbered += 1
            self.on.append(Switched(fault, self._numbered, taken))

    def remove(self, number: int | None = None) -> bool:
        """Switches off the fault with this number, or all; whether there was one."""
        kept = [switched for switched in self.on if number is not None and switched.number != number]
        changed = len(kept) < len(self.on)
        self.on = kept
        return changed

    def as_json(self) -> list[dict[str, Any]]:
        return [{"number": s.number, "struck": s.struck, **s.fault.model_dump(mode="json")} for s in self.on]

    def strike(self, moment: Moment, conversation: Conversation, recipient: str = "") -> Fault | None:
        """The fault that strikes now, counted, or ``None``."""
        for switched in self.on:
            if switched.is_due(conversation) and switched.is_about(moment, conversation.connections, recipient):
                switched.struck += 1
                return switched.fault
        return None

    def delay(self, conversation: Conversation) -> float:
        """How many seconds the next answer takes."""
        seconds = 0.0
        for switched in self.on:
            if isinstance(switched.fault, Slow) and switched.is_due(conversation):
                switched.struck += 1
                seconds += switched.fault.seconds
        return seconds

    def missing(self) -> set[str]:
        """Extensions that the server is to do without."""
        return {
            name for switched in self.on if isinstance(switched.fault, Without) for name in switched.fault.extensions
        }

    @property
    def refused(self) -> Refuse | None:
        """The fault that has the port closed, if any."""
        return next((switched.fault for switched in self.on if isinstance(switched.fault, Refuse)), None)
