"""Which HTTP faults are switched on, when each strikes, and how often it has."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from dispatcher.practice.http_faults import HttpFault, Moment, Refuse, Slow


class Asked(Protocol):
    """What a fault looks at: one request. Method and path are empty while none has been read."""

    method: str
    path: str

    def peer(self) -> int | None:
        """The process id at the other end, where it can be found."""


@dataclass
class Switched:
    """A fault that is on. ``met`` counts the requests that fitted it, ``struck`` those that it struck."""

    fault: HttpFault
    number: int
    met: int = 0
    struck: int = 0

    def strikes(self, asked: Asked) -> bool:
        """Counts a request that comes to the fault's moment; whether the fault strikes it."""
        fault = self.fault
        if isinstance(fault, Refuse):
            return False
        if fault.method not in ("*", asked.method) or not fnmatch.fnmatchcase(asked.path, fault.path):
            return False
        if fault.peer is not None and fault.peer != asked.peer():
            return False
        self.met += 1
        if self.met <= fault.after or (fault.times is not None and self.struck >= fault.times):
            return False
        self.struck += 1
        return True


class HttpSwitchboard:
    """The faults that are on. Where several fit, the one switched on first strikes; ``Slow`` goes with any other."""

    def __init__(self) -> None:
        self.on: list[Switched] = []
        self._numbered = 0

    def add(self, faults: Iterable[HttpFault]) -> None:
        for fault in faults:
            self._numbered += 1
            self.on.append(Switched(fault, self._numbered))

    def remove(self, number: int | None = None) -> bool:
        """Switches off the fault with this number, or all; whether there was one."""
        kept = [switched for switched in self.on if number is not None and switched.number != number]
        changed = len(kept) < len(self.on)
        self.on = kept
        return changed

    def as_json(self) -> list[dict[str, Any]]:
        return [{"number": s.number, "struck": s.struck, **s.fault.model_dump(mode="json")} for s in self.on]

    def strike(self, moment: Moment, asked: Asked) -> HttpFault | None:
        """The fault that strikes now, counted, or ``None``."""
        for switched in self.on:
            fault = switched.fault
            if not isinstance(fault, Slow | Refuse) and fault.moment == moment and switched.strikes(asked):
                return fault
        return None

    def delay(self, asked: Asked) -> float:
        """How many seconds the answer to this request takes."""
        return sum(s.fault.seconds for s in self.on if isinstance(s.fault, Slow) and s.strikes(asked))

    @property
    def refused(self) -> Refuse | None:
        """The fault that has the port closed, if any."""
        return next((switched.fault for switched in self.on if isinstance(switched.fault, Refuse)), None)
