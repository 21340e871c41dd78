"""Where a subscriber hears, as their own page lists it: enough to know it by, little for who looks along."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from channels.kit.push_address import PushAddress, PushAddressInvalid
from dispatcher.audience.leaving import may_return
from dispatcher.audience.models import Address, Subscriber
from dispatcher.dispatching import push
from dispatcher.portal.masking import masked

# Whose browsers use which push service. The rest of an endpoint is a secret.
_BROWSERS = (
    ("fcm.googleapis.com", "Chrome"),
    ("android.googleapis.com", "Chrome"),
    (".push.services.mozilla.com", "Firefox"),
    (".notify.windows.com", "Edge"),
    (".push.apple.com", "Safari"),
)


@dataclass(frozen=True, slots=True)
class Reached:
    """One address. ``name`` is a masked e-mail address, or a device's browser; empty where that is not known."""

    public_id: str
    device: bool
    name: str
    state: str
    state_at: datetime
    may_return: bool


def reached(address: Address) -> Reached:
    """How ``address`` is shown."""
    device = address.channel == push.CHANNEL
    return Reached(
        public_id=address.public_id,
        device=device,
        name=_browser(address.value) if device else masked(address.value),
        state=address.state,
        state_at=address.state_at,
        may_return=may_return(address),
    )


def all_reached(person: Subscriber) -> list[Reached]:
    """Every address of ``person``, the oldest first."""
    return [reached(address) for address in person.addresses.order_by("pk")]


def _browser(value: str) -> str:
    try:
        host = PushAddress.read(value, extra_hosts=push.extra_hosts()).origin.partition("//")[2]
    except PushAddressInvalid:  # its push service is not on the list any more
        return ""
    return next((name for ending, name in _BROWSERS if f".{host}".endswith(f".{ending.lstrip('.')}")), "")
