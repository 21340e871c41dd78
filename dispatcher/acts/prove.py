"""Prove: read every live public copy back, now."""

from __future__ import annotations

from typing import Any

from django.utils.timezone import now

from dispatcher.dispatching import prove
from dispatcher.dispatching.models import Proof


def prove_all() -> list[dict[str, Any]]:
    """Reads each live public copy and returns what was seen: announcement, outlet, target, result, detail."""
    live = Proof.objects.filter(
        delivery__state="accepted", delivery__dispatch__announcement__state__in=prove.LIVE
    ).values_list("delivery_id", flat=True)
    identities = list(live)
    Proof.objects.filter(delivery_id__in=identities).update(due_at=now())
    for identity in identities:
        prove.prove(identity)
    seen = Proof.objects.filter(delivery_id__in=identities, due_at__isnull=False).select_related(
        "delivery__outlet", "delivery__dispatch__announcement"
    )
    return [
        {
            "announcement": proof.delivery.dispatch.announcement.slug if proof.delivery.dispatch.announcement else "",
            "outlet": proof.delivery.outlet.name,
            "target": proof.delivery.target,
            "result": proof.result,
            "detail": proof.detail,
        }
        for proof in seen
    ]
