"""How a dispatch stands, for its follow page: facts and figures; the words are the template's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import groupby
from math import ceil

from django.utils.timezone import now

from dispatcher.console import reading
from dispatcher.console.reading import PublicCopy, Trouble
from dispatcher.dispatching.models import Circuit, Dispatch, DispatchAct, Outlet
from dispatcher.dispatching.progress import OutletProgress, Progress, progress

# So long before the start the seconds are counted down.
COUNTDOWN_SECONDS = 60
# The queue is asked after only where something has been due for this long: ringing takes a moment.
PATIENCE_SECONDS = 3.0
COUNTING, MOVING, PROVING, FAR = 1000, 2000, 5000, 10_000  # milliseconds until a page asks again
STATES = ("accepted", "sending", "due", "unknown", "rejected", "gone", "skipped")


class Phase(StrEnum):
    """Where a dispatch is."""

    AHEAD = "ahead"  # nothing has left; it may be stopped
    PREPARING = "preparing"
    MOVING = "moving"
    WAITING = "waiting"  # something is still due, and nothing moves
    FINISHED = "finished"  # every delivery is settled
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A part of a meter, in per cent of its width."""

    state: str
    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why an outlet stands still although something is due. ``kind``: down, person, paused, queue."""

    kind: str
    since: datetime | None = None
    why: str = ""
    by: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One outlet. ``state`` is its badge, ``rate`` per second, ``seconds_left`` at that rate."""

    outlet: OutletProgress
    state: str
    rate: float
    seconds_left: int | None
    copies: list[PublicCopy]
    troubles: list[Trouble]
    fault: Fault | None
    segments: list[Segment]

    @property
    def public(self) -> bool:
        return bool(self.copies)

    @property
    def expected(self) -> int:
        """How many are to be accepted: what was skipped is not expected any more."""
        return self.outlet.planned - self.outlet.skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All of it. ``figures`` counts deliveries by state; ``pace`` is milliseconds until asking again, 0 for never."""

    dispatch: Dispatch
    phase: Phase
    seconds_left: int | None
    stoppable: bool
    figures: dict[str, int]
    planned: int
    lines: list[Line]
    segments: list[Segment]
    by_hand: int
    addresses: int
    places: int
    pace: int
    at: datetime

    @property
    def expected(self) -> int:
        return self.planned - self.figures["skipped"]

    @property
    def faults(self) -> list[Line]:
        return [line for line in self.lines if line.fault]


def standing(dispatch: Dispatch) -> Standing:
    """How ``dispatch`` stands now."""
    found = progress(dispatch, details=False)
    moment = now()
    lines = _lines(found, moment)
    phase = _phase(found, lines, moment)
    figures = _figures(found.total)
    until = (found.dispatch.start_at - moment).total_seconds()
    return Standing(
        dispatch=found.dispatch,
        phase=phase,
        seconds_left=ceil(until) if phase is Phase.AHEAD and until <= COUNTDOWN_SECONDS else None,
        stoppable=phase is Phase.AHEAD and found.dispatch.act in {DispatchAct.ANNOUNCE, DispatchAct.UPDATE},
        figures=figures,
        planned=found.total("planned"),
        lines=lines,
        segments=segments(figures),
        by_hand=found.total("by_hand"),
        addresses=sum(line.outlet.planned for line in lines if not line.public),
        places=sum(line.public for line in lines),
        pace=_pace(phase, lines, until),
        at=moment,
    )


def segments(figures: dict[str, int]) -> list[Segment]:
    """The parts of a meter; what is there is never too thin to be seen, and what is due stays empty."""
    total = sum(figures.values())
    found, start = [], 0.0
    for state in STATES:
        if figures[state] and state != "due":
            width = min(max(figures[state] / total * 100, 0.6), 100 - start)
            found.append(Segment(state=state, start=round(start, 2), width=round(width, 2)))
            start += width
    return found


def _figures(count: Callable[[str], int]) -> dict[str, int]:
    """Each delivery once: the ledger counts what is in a worker's hands as due, or as unknown where it is a repeat."""
    figures = {name: count(name) for name in STATES}
    figures["sending"] = min(figures["sending"], figures["due"])
    figures["due"] -= figures["sending"]
    return figures


def _phase(found: Progress, lines: list[Line], moment: datetime) -> Phase:
    dispatch = found.dispatch
    if dispatch.ended_why == "stopped":
        return Phase.STOPPED
    if dispatch.start_at > moment and dispatch.ended_at is None:
        return Phase.AHEAD
    if dispatch.planned_at is None:
        return Phase.PREPARING if dispatch.ended_at is None else Phase.FINISHED
    if found.settled:
        return Phase.FINISHED
    return Phase.MOVING if any(line.state == "sending" for line in lines) else Phase.WAITING


def _pace(phase: Phase, lines: list[Line], until: float) -> int:
    if phase is Phase.AHEAD:
        return COUNTING if until <= COUNTDOWN_SECONDS else FAR
    if phase is Phase.STOPPED:
        return 0
    if phase is Phase.FINISHED:
        unread = any(copy.provable and not copy.proof for line in lines for copy in line.copies)
        return PROVING if unread else 0
    return MOVING


def _lines(found: Progress, moment: datetime) -> list[Line]:
    dispatch = found.dispatch
    outlets = {outlet.name: outlet for outlet in Outlet.objects.filter(name__in=[o.name for o in found.outlets])}
    copies = {name: list(each) for name, each in groupby(reading.public_copies(found), lambda copy: copy.outlet)}
    troubles = reading.troubles(found)
    rates = {} if found.settled else reading.rates(dispatch)
    lines = []
    for outlet in found.outlets:
        rate = rates.get(outlet.name, 0.0)
        state = _badge(outlet, rate)
        figures = _figures(partial(getattr, outlet))
        lines.append(
            Line(
                outlet=outlet,
                state=state,
                rate=rate,
                seconds_left=ceil(outlet.due / rate) if state == "sending" and rate >= 1 and outlet.due else None,
                copies=copies.get(outlet.name, []),
                troubles=[trouble for trouble in troubles if trouble.outlet == outlet.name],
                fault=_fault(dispatch, outlet, outlets[outlet.name], moment),
                segments=segments(figures),
            )
        )
    return lines


def _badge(outlet: OutletProgress, rate: float) -> str:
    """The one state that says most about an outlet."""
    if outlet.by_hand:
        return "due"
    if outlet.settled:
        if outlet.accepted or not outlet.planned:
            return "accepted"
        return next((state for state in ("unknown", "rejected", "gone", "skipped") if getattr(outlet, state)), "due")
    if outlet.waits_for == "paused":
        return "paused"
    return "sending" if outlet.sending or (rate and not outlet.waits_for) else "due"


def _fault(dispatch: Dispatch, outlet: OutletProgress, configured: Outlet, moment: datetime) -> Fault | None:
    if outlet.waits_for == "paused":
        return Fault(kind="paused", since=configured.paused_at, why=configured.pause_reason, by=configured.paused_by)
    if outlet.waits_for == "down" and configured.circuit != Circuit.CLOSED:
        return Fault(
            kind="person" if configured.needs_person else "down",
            since=configured.circuit_since,
            why=configured.circuit_reason,
            retry_at=configured.retry_at,
        )
    if outlet.waits_for == "queue" and outlet.next_at is not None:
        late = (moment - outlet.next_at).total_seconds() > PATIENCE_SECONDS
        if late and not reading.queue_answers(dispatch, outlet.name):
            return Fault(kind="queue")
    return None
