"""Why deliveries of outlets are not accepted, by reason: what is due later, failed, or is in doubt.

Only batches whose counters say that there is something are looked into, and of those that wait only the ones that
were begun: a mailing of 100,000 that has yet to start costs nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db.models import Count, Max, Min, Q
from django.utils.timezone import now

from dispatcher.announcements.models import RevisionText
from dispatcher.dispatching.desk import RECENT_DAYS
from dispatcher.dispatching.models import Batch, Delivery, DeliveryState

BY_HAND = "by-hand"
# Beyond this many deliveries the reasons are looked up once in LARGE_SECONDS for all who watch.
LARGE = 20_000
LARGE_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """``count`` deliveries of an outlet in one state for one reason.

    ``next_at``: when the first is tried again, ``None`` where none is. ``detail`` is one far side's own words.
    ``retryable`` of them belong to dispatches that have not ended: trying again reaches those.
    """

    outlet: str
    label: str
    state: str
    reason: str
    count: int
    retryable: int
    next_at: datetime | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """One failure of an outlet, without whom it was meant for."""

    at: datetime
    state: str
    reason: str
    detail: str
    title: str
    act: str
    key: str


def groups(outlet_id: int | None = None, *, failing: int = 0) -> list[Group]:
    """The groups of one outlet, or of all. ``failing``: how many deliveries there are to look at, where known."""
    if failing <= LARGE:
        return _groups(outlet_id)
    found: list[Group] | None = cache.get(f"troubles:{outlet_id}")
    if found is None:
        found = _groups(outlet_id)
        cache.set(f"troubles:{outlet_id}", found, LARGE_SECONDS)
    return found


def _groups(outlet_id: int | None) -> list[Group]:
    recent = Q(rejected__gt=0) | Q(gone__gt=0)
    batches = Batch.objects.filter(
        Q(unknown__gt=0)
        | (recent & Q(dispatch__created_at__gt=now() - timedelta(days=RECENT_DAYS)))
        | (Q(due_at__isnull=False) & (Q(moved_at__isnull=False) | Q(barren__gt=0)))
    )
    if outlet_id is not None:
        batches = batches.filter(outlet_id=outlet_id)
    later = Q(state=DeliveryState.DUE) & ~Q(reason="")
    rows = (
        Delivery.objects.filter(batch__in=batches)
        .filter(later | Q(state__in=[DeliveryState.REJECTED, DeliveryState.GONE, DeliveryState.UNKNOWN]))
        .exclude(reason=BY_HAND)
        .values_list("outlet__name", "outlet__label", "state", "reason")
        .annotate(
            count=Count("pk"),
            retryable=Count("pk", filter=Q(dispatch__ended_at=None)),
            next_at=Min("due_at"),
            detail=Max("detail"),
        )
        .order_by("-count")
    )
    return [
        Group(
            outlet=outlet, label=label, state=state, reason=reason, count=count, retryable=retryable,
            next_at=next_at, detail=detail,
        )
        for outlet, label, state, reason, count, retryable, next_at, detail in rows
    ]  # fmt: skip


def recent(outlet_id: int, most: int = 10) -> list[Recent]:
    """The newest failures and doubts of an outlet."""
    bad = Q(rejected__gt=0) | Q(gone__gt=0) | Q(unknown__gt=0)
    batches = list(
        Batch.objects.filter(bad, outlet_id=outlet_id).order_by("-moved_at").values_list("pk", flat=True)[:20]
    )
    rows = list(
        Delivery.objects.filter(batch__in=batches, settled_at__isnull=False)
        .filter(state__in=[DeliveryState.REJECTED, DeliveryState.GONE, DeliveryState.UNKNOWN])
        .select_related("dispatch__announcement", "dispatch__revision", "batch")
        .order_by("-settled_at")[:most]
    )
    titles = titles_of(row.dispatch.revision_id for row in rows)
    return [
        Recent(
            at=row.settled_at,
            state=row.state,
            reason=row.reason,
            detail=row.detail,
            title=titles.get((row.dispatch.revision_id, row.batch.language), ""),
            act=row.dispatch.act,
            key=row.dispatch.key,
        )
        for row in rows
        if row.settled_at is not None
    ]


def titles_of(revisions: Iterable[int | None]) -> dict[tuple[int | None, str], str]:
    """The titles of revisions, by revision and language; under the empty language the first one there is."""
    found: dict[tuple[int | None, str], str] = {}
    for revision, language, title in RevisionText.objects.filter(
        revision__in=[each for each in revisions if each is not None]
    ).values_list("revision_id", "language", "title"):
        found[revision, language] = title
        found.setdefault((revision, ""), title)
    return found
