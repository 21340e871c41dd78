"""What must happen now and then, and may happen late: rung for by beat, harmless when doubled."""

from __future__ import annotations

from django.utils.timezone import now

from channels.website import Website
from dispatcher.audience.asking import forget_unconfirmed
from dispatcher.dispatching import workers
from dispatcher.dispatching.models import Beat, Delivery, DeliveryState, Outlet, Proof
from dispatcher.dispatching.outlets import build
from dispatcher.dispatching.process import current


def keep_up() -> None:
    """Orders missing proofs, takes what has expired off the public lists, forgets requests that nobody confirmed, and
    notes that the scheduler lives.
    """
    Beat.objects.update_or_create(name="upkeep", defaults={"at": now(), "by": "beat"})
    workers.tidy()
    _order_missing_proofs()
    _refresh_sites()
    forget_unconfirmed()


def _order_missing_proofs() -> None:
    """A worker may die between an acceptance and the order to prove it."""
    unproven = Delivery.objects.filter(address__isnull=True, state=DeliveryState.ACCEPTED, proof__isnull=True).exclude(
        target__startswith="early:"
    )[:500]
    Proof.objects.bulk_create([Proof(delivery=delivery, due_at=now()) for delivery in unproven], ignore_conflicts=True)


def _refresh_sites() -> None:
    process = current()
    for outlet in Outlet.objects.filter(channel="website", enabled=True):
        site = build(outlet)
        if isinstance(site, Website):
            process.run(site.refresh(now()))
