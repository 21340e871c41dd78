"""What on the queue page asks for somebody, most pressing first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from dispatcher.dispatching.desk import Desk, Figures
from dispatcher.dispatching.models import Delivery, DeliveryState, Outlet
from dispatcher.dispatching.troubles import BY_HAND, Group, titles_of
from dispatcher.dispatching.workers import AtWork

# No sweep, or no sign of life of the scheduler, for this many seconds is something to look at.
SWEEP_SECONDS = 30
UPKEEP_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """``kind``: redis, sweep, beat, pool, no-workers, person, down, doubt, by-hand.

    ``name`` is the outlet's, or the pools'.
    """

    kind: str
    name: str = ""
    label: str = ""
    count: int = 0
    since: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandTask:
    """Something that a person still has to post. ``due_at`` is when the ledger looks at it again."""

    delivery: Delivery
    title: str
    act: str
    since: datetime | None


def hand_tasks() -> list[HandTask]:
    """What waits for a person to post it, oldest first."""
    outlets = Outlet.objects.filter(channel="byhand")
    rows = list(
        Delivery.objects.filter(batch__outlet__in=outlets, batch__due_at__isnull=False, due_at__isnull=False)
        .filter(state=DeliveryState.DUE, reason=BY_HAND)
        .select_related("outlet", "batch", "dispatch")
        .order_by("dispatch__planned_at", "pk")
    )
    titles = titles_of(row.dispatch.revision_id for row in rows)
    return [
        HandTask(
            delivery=row,
            title=titles.get((row.dispatch.revision_id, row.batch.language))
            or titles.get((row.dispatch.revision_id, ""), ""),
            act=row.batch.act,
            since=row.dispatch.start_at,
        )
        for row in rows
    ]


def needs(desk: Desk, workers: list[AtWork], groups: list[Group], tasks: list[HandTask]) -> list[Need]:
    """All there is, in the order in which it matters."""
    return [*_machine(desk, workers), *_outlets(desk), *_doubts(groups), *_by_hand(tasks)]


def _machine(desk: Desk, workers: list[AtWork]) -> list[Need]:
    found = [] if desk.redis else [Need(kind="redis")]
    for kind, last, most in (
        ("sweep", desk.last_sweep, SWEEP_SECONDS),
        ("beat", desk.last_upkeep, UPKEEP_SECONDS),
    ):
        if last is None or (desk.at - last).total_seconds() > most:
            found.append(Need(kind=kind, since=last))
    alive = {each.worker.pool for each in workers if not each.silent}
    silent = {each.worker.pool: each.worker.at for each in workers if each.worker.pool not in alive}
    if not workers:
        return [*found, Need(kind="no-workers")]
    # One sentence for all pools: they stop together more often than not.
    return [*found, Need(kind="pool", name=", ".join(silent), since=max(silent.values()))] if silent else found


def _outlets(desk: Desk) -> list[Need]:
    return [
        Need(
            kind=line.state,
            name=line.outlet.name,
            label=line.outlet.label,
            count=waits(line.figures),
            since=line.outlet.circuit_since,
            why=line.outlet.circuit_reason,
        )
        for wanted in ("person", "down")
        for line in desk.lines
        if line.state == wanted
    ]


def waits(figures: Figures) -> int:
    """How many of an outlet's deliveries are open and in nobody's hands."""
    return figures.waiting + figures.later


def _doubts(groups: list[Group]) -> list[Need]:
    """Doubt that nothing repeats any more: somebody has to look."""
    found = [group for group in groups if group.state == DeliveryState.UNKNOWN and group.next_at is None]
    counts = Counter[str]()
    for group in found:
        counts[group.outlet] += group.count
    labels = {group.outlet: group.label for group in found}
    return [Need(kind="doubt", name=name, label=labels[name], count=count) for name, count in counts.items()]


def _by_hand(tasks: list[HandTask]) -> list[Need]:
    return [Need(kind="by-hand", count=len(tasks), since=tasks[0].since)] if tasks else []
