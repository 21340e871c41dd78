"""What the follow page reads from the ledger beside ``progress``: single deliveries, never more than it must."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.core.cache import cache
from django.db.models import Count, F, Max, Min, Q
from django.utils.timezone import now

from dispatcher.dispatching import ring
from dispatcher.dispatching.models import Batch, Delivery, DeliveryState, Dispatch
from dispatcher.dispatching.progress import Progress

# A public outlet has a copy a language, and as many for early readers: one with more deliveries has subscribers.
PUBLIC_AT_MOST = 100
# Beyond this many deliveries the reasons are looked up once in LARGE_SECONDS for all who watch.
LARGE = 20_000
LARGE_SECONDS = 10
RATE_SECONDS = 5
QUEUE_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCopy:
    """One public copy of an outlet. ``proof`` is what reading it back showed last: empty while it was not read yet."""

    outlet: str
    language: str
    early: bool
    state: str
    url: str
    settled_at: datetime | None
    provable: bool
    proof: str
    proof_at: datetime | None
    proof_detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """``count`` deliveries of an outlet that are not accepted, for one reason. ``next_at``: when the first is due."""

    outlet: str
    state: str
    reason: str
    count: int
    next_at: datetime | None


def public_copies(progress: Progress) -> list[PublicCopy]:
    """The public copies of a dispatch, in the order of its outlets and languages."""
    few = [outlet.name for outlet in progress.outlets if outlet.planned <= PUBLIC_AT_MOST]
    deliveries = (
        Delivery.objects.filter(dispatch=progress.dispatch, outlet__name__in=few, address__isnull=True)
        .select_related("outlet", "batch", "proof")
        .order_by("outlet__position", "outlet_id", "target")
    )
    copies = []
    for delivery in deliveries:
        proof = getattr(delivery, "proof", None)
        accepted = delivery.state == DeliveryState.ACCEPTED
        copies.append(
            PublicCopy(
                outlet=delivery.outlet.name,
                language=delivery.batch.language,
                early=delivery.batch.early,
                state=delivery.state,
                url=delivery.url if accepted else "",
                settled_at=delivery.settled_at,
                provable=accepted and proof is not None and bool(proof.result or proof.due_at),
                proof=proof.result if proof and accepted else "",
                proof_at=proof.at if proof else None,
                proof_detail=proof.detail if proof else "",
            )
        )
    return copies


def troubles(progress: Progress) -> list[Trouble]:
    """Why deliveries are not accepted, by outlet, state and reason, most first."""
    if progress.total("planned") <= LARGE:
        return _troubles(progress.dispatch)
    key = f"troubles:{progress.dispatch.key}"
    return cast(list[Trouble], cache.get_or_set(key, lambda: _troubles(progress.dispatch), LARGE_SECONDS))


def _troubles(dispatch: Dispatch) -> list[Trouble]:
    touched = Q(batch__moved_at__isnull=False) | Q(batch__skipped__gt=0) | Q(batch__barren__gt=0)
    rows = (
        Delivery.objects.filter(touched, batch__dispatch=dispatch)
        .exclude(batch__size=F("batch__accepted"))
        .exclude(state=DeliveryState.ACCEPTED)
        .exclude(reason="")
        .values_list("outlet__name", "state", "reason")
        .annotate(count=Count("pk"), next_at=Min("due_at"))
        .order_by("-count")
    )
    return [
        Trouble(outlet=outlet, state=state, reason=reason, count=count, next_at=next_at)
        for outlet, state, reason, count, next_at in rows
    ]


def rates(dispatch: Dispatch) -> dict[str, float]:
    """Deliveries per second by outlet, over the last seconds."""
    since = now() - timedelta(seconds=RATE_SECONDS)
    rows = (
        Delivery.objects.filter(batch__dispatch=dispatch, batch__moved_at__gte=since, settled_at__gte=since)
        .exclude(state=DeliveryState.SKIPPED)
        .values_list("outlet__name")
        .annotate(count=Count("pk"))
    )
    return {outlet: count / RATE_SECONDS for outlet, count in rows}


def first_out(dispatch: Dispatch) -> datetime | None:
    """When the first receipt came in. Looks at the first batch of each outlet, language and stage only."""
    first: datetime | None = (
        Delivery.objects.filter(batch__dispatch=dispatch, batch__number=0, settled_at__isnull=False)
        .exclude(state=DeliveryState.SKIPPED)
        .aggregate(first=Min("settled_at"))["first"]
    )
    return first


def queue_answers(dispatch: Dispatch, outlet: str) -> bool:
    """Whether the queue in which the outlet's batches wait answers. Asked once in some seconds for all who watch."""
    lane = (
        Batch.objects.filter(dispatch=dispatch, outlet__name=outlet, due_at__isnull=False)
        .values_list("lane", flat=True)
        .first()
    )
    if lane is None:
        return True
    return bool(cache.get_or_set(f"queue:{lane}", lambda: ring.waiting(lane) is not None, QUEUE_SECONDS))


def last_moved(dispatch: Dispatch) -> datetime | None:
    """When the last receipt came in."""
    last: datetime | None = Batch.objects.filter(dispatch=dispatch).aggregate(last=Max("moved_at"))["last"]
    return last
