"""Rejoin: undo leaving, with the link with which it was done."""

from __future__ import annotations

import structlog
from django.db import transaction

from dispatcher.audience import leaving
from dispatcher.audience.models import Address, Subscriber

log = structlog.get_logger("omroeper.acts")


def rejoin(address: Address) -> bool:
    """The address hears again as it did before it left. False where it had not left, or where that cannot be undone.

    What was skipped meanwhile stays skipped.
    """
    back = leaving.come_back(address)
    if back:
        log.info("subscriber.rejoined", subscriber=address.public_id[:8])
    return back


def rejoin_all(person: Subscriber) -> int:
    """Undoes ``leave_all``: the addresses that it stopped hear again, where that can be undone. How many."""
    with transaction.atomic():
        back = [address for address in person.addresses.filter(state_reason="all") if leaving.come_back(address)]
    if back:
        log.info("subscriber.rejoined", subscriber=back[0].public_id[:8], addresses=len(back))
    return len(back)
