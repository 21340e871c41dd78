"""Leave: no more messages to this address, from this moment."""

from __future__ import annotations

import structlog
from django.db import transaction

from dispatcher.audience import leaving
from dispatcher.audience.models import Address, Subscriber

log = structlog.get_logger("omroeper.acts")


def leave(address: Address, *, cause: str) -> bool:
    """The address hears no more. True where it did before; False where it had left already.

    Effective for everything that is not in a worker's hands yet: each hand-over looks at the address anew.
    """
    with transaction.atomic():
        left = leaving.leave(address, cause)
    if left:
        log.info("subscriber.left", subscriber=address.public_id[:8], cause=cause)
    return left


def leave_all(person: Subscriber) -> int:
    """No address of ``person`` hears any more; how many did. Those that had left before keep their cause and time."""
    with transaction.atomic():
        left = [address for address in person.addresses.all() if leaving.leave(address, "all")]
    if left:
        log.info("subscriber.left", subscriber=left[0].public_id[:8], cause="all", addresses=len(left))
    return len(left)
