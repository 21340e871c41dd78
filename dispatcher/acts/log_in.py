"""Log in: who lost the link to their choices asks for one by mail, and uses it once."""

from __future__ import annotations

import structlog

from dispatcher.acts.notify import notify
from dispatcher.audience import limits, log_in
from dispatcher.audience.models import Address, AddressState

log = structlog.get_logger("omroeper.acts")

_NOTICES = {AddressState.ACTIVE: "login", AddressState.PENDING: "confirm"}


def ask_for_link(email: str, *, network: str) -> None:
    """Sends a link to ``email`` (normal form), if it hears from us; one that waits for its yes is asked again.

    To any other address nothing goes out. Who asks learns nothing of the difference.

    Raises:
        dispatcher.audience.limits.TooMany: from this network or in all; nothing was done.
    """
    limits.spend(limits.REQUESTS, network)
    limits.spend(limits.SITE)
    address = Address.objects.filter(channel="email", value=email, state__in=list(_NOTICES)).first()
    if limits.within(limits.LOG_IN, limits.hashed(f"email:{email}")):
        # Where there is nobody, the same order is written down for nobody: it costs the same time.
        notify(address, _NOTICES[AddressState(address.state)] if address else "login", by="portal")
    log.info("login.requested", network=network)


def use_link(address: Address, token: str) -> bool:
    """Uses a log-in token of ``address``, which was verified. False where it had been used before."""
    if not log_in.use(token):
        return False
    log.info("login.used", subscriber=address.public_id[:8])
    return True
