"""Handwork: deliveries that wait for a person, who posts what a channel by hand has composed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet
from django.utils.timezone import now

from channels.byhand import NETWORKS, ByHand
from channels.contract import Copy, Reason
from dispatcher.dispatching.models import ComposedCopy, Delivery, DeliveryState
from dispatcher.dispatching.outlets import build

CHANNEL = ByHand.name


@dataclass(frozen=True, slots=True, kw_only=True)
class HandTask:
    """One thing to post, change or remove. ``id`` is its delivery's.

    ``text`` is ready to copy, ``picture`` an address with ``alt`` as its description, both empty for none. ``previous``
    is the address of the post to change or remove, where someone gave it. ``url`` is the address of what was posted.
    """

    id: int
    outlet: str
    network: str
    account: str
    page_url: str
    act: str
    language: str
    title: str
    text: str
    picture: str
    alt: str
    previous: str
    url: str
    announcement: str  # its slug
    dispatch: str  # its key
    urgent: bool
    since: datetime | None
    done_at: datetime | None


def tasks() -> QuerySet[Delivery]:
    """Deliveries that a person has in hand: released to them once, and due until they say that it is done."""
    ended = Q(dispatch__ended_at__isnull=False) | Q(batch__closed=True) | Q(dispatch__expires_at__lte=now())
    return Delivery.objects.filter(
        outlet__channel=CHANNEL, state=DeliveryState.DUE, reason=Reason.BY_HAND, due_at__isnull=False
    ).exclude(ended)


def open_tasks() -> list[HandTask]:
    """What is to be done now, emergencies first, then the oldest."""
    return _read(tasks().order_by("-dispatch__urgent", "batch__starts_at", "pk"))


def done_tasks(limit: int = 20) -> list[HandTask]:
    """What was done last and can still be undone, the newest first."""
    done = Delivery.objects.filter(
        outlet__channel=CHANNEL, state=DeliveryState.ACCEPTED, dispatch__ended_at=None, batch__closed=False
    )
    return _read(done.order_by("-settled_at", "-pk")[:limit])


def count_open() -> int:
    """How many tasks are open."""
    return tasks().count()


def count_by_outlet(dispatch_id: int, outlet_ids: Iterable[int]) -> dict[int, int]:
    """Open tasks of a dispatch by outlet, of those in ``outlet_ids``."""
    found = tasks().filter(dispatch=dispatch_id, outlet__in=list(outlet_ids))
    return {row["outlet"]: row["n"] for row in found.values("outlet").annotate(n=Count("pk")).order_by()}


def _read(deliveries: QuerySet[Delivery]) -> list[HandTask]:
    rows = deliveries.select_related("outlet", "batch", "dispatch__announcement")
    places: dict[int, ByHand] = {}
    found = []
    for delivery in rows:
        outlet = delivery.outlet
        if outlet.pk not in places:
            channel = build(outlet)
            assert isinstance(channel, ByHand)
            places[outlet.pk] = channel
        found.append(_task(delivery, places[outlet.pk]))
    return found


def _task(delivery: Delivery, channel: ByHand) -> HandTask:
    batch, dispatch, place = delivery.batch, delivery.dispatch, channel.place
    copy = Copy.from_json(
        ComposedCopy.objects.get(
            dispatch=dispatch, outlet=delivery.outlet, act=batch.act, early=batch.early, language=batch.language
        ).content
    )
    announcement = dispatch.announcement
    assert announcement is not None, "a notice is never posted by hand"
    texts = {text.language: text.title for text in dispatch.revision.texts.all()} if dispatch.revision else {}
    return HandTask(
        id=delivery.pk,
        outlet=delivery.outlet.label,
        network=NETWORKS[place.network].label or delivery.outlet.label,
        account=place.account,
        page_url=place.page_url,
        act=batch.act,
        language=copy.language,
        title=texts.get(copy.language, announcement.slug),
        text=copy.text,
        picture=copy.parts.get("picture", ""),
        alt=copy.parts.get("alt", ""),
        previous=delivery.previous_url,
        url=delivery.url,
        announcement=announcement.slug,
        dispatch=dispatch.key,
        urgent=dispatch.urgent,
        since=batch.starts_at,
        done_at=delivery.settled_at if delivery.state == DeliveryState.ACCEPTED else None,
    )
