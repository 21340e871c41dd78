"""Leaving: one address stops hearing. The audience's half; what is still open for it, the ledger skips."""

from __future__ import annotations

from django.utils import timezone

from dispatcher.audience.models import Address, AddressState


def leave(address: Address, cause: str) -> bool:
    """Marks ``address`` as left for ``cause`` (``one-click``, ``page``, ``complaint``, …), now.

    Returns whether this call did it: ``False`` when it had left before, whose cause and time then stay. Two at once
    make one leave. A suppressed address leaves too, so that lifting the suppression does not bring it back.
    """
    values = {"state": AddressState.LEFT, "state_reason": cause[:40], "state_at": timezone.now()}
    left = Address.objects.filter(pk=address.pk).exclude(state=AddressState.LEFT).update(**values)
    if left:
        for name, value in values.items():
            setattr(address, name, value)
    else:
        address.refresh_from_db(fields=list(values))
    return bool(left)
