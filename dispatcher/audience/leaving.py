"""Leaving: one address stops hearing. The audience's half; what is still open for it, the ledger skips."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from dispatcher.audience.models import Address, AddressState

# What the owner of the address did with a link in one of our messages. A complaint is not undone with a link.
BY_LINK = ("button", "one-click", "all")
UNDO = timedelta(days=28)


def leave(address: Address, cause: str) -> bool:
    """Marks ``address`` as left for ``cause`` (``one-click``, ``page``, ``complaint``, …), now.

    Returns whether this call did it: ``False`` when it had left before, whose cause and time then stay. Two at once
    make one leave. A suppressed address leaves too, so that lifting the suppression does not bring it back.
    """
    values = {"state": AddressState.LEFT, "state_reason": cause[:40], "state_at": timezone.now()}
    left = (
        Address.objects.filter(pk=address.pk)
        .exclude(state=AddressState.LEFT)
        .update(left_from=F("state"), **values)  # the right-hand side is the state before
    )
    address.refresh_from_db(fields=[*values, "left_from"])
    return bool(left)


def may_return(address: Address) -> bool:
    """Whether leaving can be undone: it was done with a link, lately, and the address could be written to before."""
    return (
        address.state == AddressState.LEFT
        and address.left_from in {AddressState.ACTIVE, AddressState.PENDING}
        and address.state_reason in BY_LINK
        and timezone.now() - address.state_at <= UNDO
    )


def come_back(address: Address) -> bool:
    """Undoes leaving, where ``may_return`` allows it: the address is again what it was. Returns whether it did."""
    if not may_return(address):
        return False
    back = Address.objects.filter(pk=address.pk, state=AddressState.LEFT, state_at=address.state_at).update(
        state=F("left_from"), state_reason="undone", state_at=timezone.now(), left_from=""
    )
    address.refresh_from_db(fields=["state", "state_reason", "state_at", "left_from"])
    return bool(back)
