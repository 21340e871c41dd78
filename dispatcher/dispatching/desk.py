"""The queue as a whole: each lane and outlet with what waits, is in hand, is due later and why, failed, is in doubt.

All figures but the reasons (``troubles``) are sums over batches: 100,000 deliveries are some hundred rows. A batch
counts as waiting as a whole once its first delivery is due. What failed is counted for ``RECENT_DAYS``, what is in
doubt for as long as nobody settled it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.timezone import now

from dispatcher.dispatching import clock, ring
from dispatcher.dispatching.lanes import LANES
from dispatcher.dispatching.models import Beat, Outlet
from dispatcher.dispatching.outlets import is_direct
from dispatcher.dispatching.sql import rows_as_dicts

RECENT_DAYS = 14
SECONDS_OF_A_DAY = 86_400
FIGURES = ("waiting", "in_hand", "later", "failed", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Deliveries by what they wait for. ``oldest``: since when the first of ``waiting`` is due; ``next_at``: of later.

    ``due`` counts batches that are due and in nobody's hands.
    """

    waiting: int = 0
    in_hand: int = 0
    later: int = 0
    failed: int = 0
    unknown: int = 0
    due: int = 0
    oldest: datetime | None = None
    next_at: datetime | None = None

    @property
    def idle(self) -> bool:
        return not (self.waiting or self.in_hand or self.later)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One queue. ``messages`` is how many rings wait in Redis: ``None`` where it does not answer."""

    name: str
    messages: int | None
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One outlet. ``state``: open, down, person (waits for one), paused, off. ``direct``: it has subscribers."""

    outlet: Outlet
    state: str
    direct: bool
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """All of it, at the moment ``at``. ``redis``: whether it answers; ``last_upkeep``: beat's last sign of life."""

    at: datetime
    lanes: list[Lane]
    lines: list[Line]
    redis: bool
    last_sweep: datetime | None
    swept_by: str
    last_upkeep: datetime | None

    @property
    def idle(self) -> bool:
        return all(line.figures.idle for line in self.lines)


def desk() -> Desk:
    """How the queue stands now."""
    sums = _sums()
    messages = ring.all_waiting(LANES)
    beats = {beat.name: beat for beat in Beat.objects.filter(name__in=("sweep", "upkeep"))}
    sweep, upkeep = beats.get("sweep"), beats.get("upkeep")
    return Desk(
        at=now(),
        lanes=[
            Lane(name=lane, messages=messages.get(lane), figures=_together(r for r in sums if r["lane"] == lane))
            for lane in LANES
        ],
        lines=[_line(outlet, sums) for outlet in Outlet.objects.all()],
        redis=bool(messages),
        last_sweep=sweep.at if sweep else None,
        swept_by=sweep.by if sweep else "",
        last_upkeep=upkeep.at if upkeep else None,
    )


def line_of(outlet: Outlet) -> Line:
    """How one outlet stands now."""
    return _line(outlet, _sums(outlet.pk))


def document(found: Desk) -> dict[str, Any]:
    """The desk as JSON types: ``redis``, ``last_sweep``, ``swept_by``, ``last_upkeep``, ``lanes``, ``outlets``."""
    return {
        "redis": found.redis,
        "last_sweep": found.last_sweep.isoformat(timespec="seconds") if found.last_sweep else None,
        "swept_by": found.swept_by,
        "last_upkeep": found.last_upkeep.isoformat(timespec="seconds") if found.last_upkeep else None,
        "lanes": [{"lane": lane.name, "messages": lane.messages, **asdict(lane.figures)} for lane in found.lanes],
        "outlets": [
            {
                "name": line.outlet.name,
                "label": line.outlet.label,
                "state": "needs a person" if line.state == "person" else line.state,
                "why": _why(line.outlet),
                "retry_at": line.outlet.retry_at,
                **asdict(line.figures),
            }
            for line in found.lines
        ],
    }


def _sums(outlet_id: int | None = None) -> list[dict[str, Any]]:
    """Sums by outlet and lane."""
    free, now_due = clock.lease_over("b."), f"b.due_at <= {clock.wall()}"
    recent = f"d.created_at > {clock.wall_in(str(-RECENT_DAYS * SECONDS_OF_A_DAY))}"
    only, values = ("AND b.outlet_id = %s", [outlet_id]) if outlet_id is not None else ("", [])
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT b.outlet_id, b.lane,
                sum(CASE WHEN {now_due} AND {free} THEN {_open()} ELSE 0 END) AS waiting,
                sum(CASE WHEN b.due_at IS NOT NULL AND NOT {free} THEN {_open()} ELSE 0 END) AS in_hand,
                sum(CASE WHEN b.due_at > {clock.wall()} AND {free} THEN {_open()} ELSE 0 END) AS later,
                sum(CASE WHEN {recent} THEN b.rejected + b.gone ELSE 0 END) AS failed,
                sum(b.unknown) AS unknown,
                sum(CASE WHEN {now_due} AND {free} THEN 1 ELSE 0 END) AS due,
                min(CASE WHEN {now_due} AND {free} THEN b.due_at END) AS oldest,
                min(CASE WHEN b.due_at > {clock.wall()} AND {free} THEN b.due_at END) AS next_at
            FROM dispatching_batch b JOIN dispatching_dispatch d ON d.id = b.dispatch_id
            WHERE (b.due_at IS NOT NULL OR b.unknown > 0 OR (b.rejected + b.gone > 0 AND {recent})) {only}
            GROUP BY b.outlet_id, b.lane""",
            values,
        )
        return rows_as_dicts(cursor)


def _open() -> str:
    settled = " - ".join(f"b.{name}" for name in ("accepted", "rejected", "gone", "unknown", "skipped"))
    return f"(b.size - {settled})"


def _together(rows: Iterable[dict[str, Any]]) -> Figures:
    found = list(rows)

    def first(name: str) -> datetime | None:
        moments = [clock.moment(row[name]) for row in found]
        return min((moment for moment in moments if moment), default=None)

    return Figures(
        **{name: sum(int(row[name]) for row in found) for name in (*FIGURES, "due")},
        oldest=first("oldest"),
        next_at=first("next_at"),
    )


def _line(outlet: Outlet, sums: list[dict[str, Any]]) -> Line:
    return Line(
        outlet=outlet,
        state=_state(outlet),
        direct=is_direct(outlet.channel),
        figures=_together(row for row in sums if row["outlet_id"] == outlet.pk),
    )


def _state(outlet: Outlet) -> str:
    if not outlet.enabled:
        return "off"
    if outlet.paused_at is not None:
        return "paused"
    if outlet.circuit != "closed":
        return "person" if outlet.needs_person else "down"
    return "open"


def _why(outlet: Outlet) -> str:
    if outlet.paused_at is not None:
        return f"paused by {outlet.paused_by}" + (f": {outlet.pause_reason}" if outlet.pause_reason else "")
    return outlet.circuit_reason if outlet.circuit != "closed" else ""
