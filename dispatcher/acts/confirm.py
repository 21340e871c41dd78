"""Confirm: the owner of an address says that they want to hear."""

from __future__ import annotations

import structlog
from django.utils.timezone import now

from dispatcher.audience.asking import WITHIN
from dispatcher.audience.models import Address, AddressState

log = structlog.get_logger("omroeper.acts")


class ConfirmedTooLate(Exception):
    """The request is older than ``WITHIN``: sign up again."""


def too_late(address: Address) -> bool:
    """Whether the address waits for a confirmation that does not count any more."""
    return address.state == AddressState.PENDING and now() - address.state_at > WITHIN


def confirm(address: Address) -> bool:
    """From now on the address hears. True where it did not yet; False where nothing changed.

    Only an address that waits for its confirmation changes: one that has left or is suppressed stays so.

    Raises:
        ConfirmedTooLate: the confirmation was asked for too long ago.
    """
    moment = now()
    if too_late(address):
        raise ConfirmedTooLate
    confirmed = Address.objects.filter(pk=address.pk, state=AddressState.PENDING).update(
        state=AddressState.ACTIVE, state_reason="confirmed", state_at=moment, consent_at=moment, pending_from=""
    )
    address.refresh_from_db()
    if confirmed:
        log.info("subscriber.confirmed", subscriber=address.public_id[:8])
    return bool(confirmed)
