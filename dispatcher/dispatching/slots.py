"""What is personal in a message: whom it is for, and the links that are theirs alone."""

from __future__ import annotations

from django.conf import settings

from channels.contract import Copy, Recipient
from dispatcher.audience.tokens import Purpose, maker
from dispatcher.dispatching.leasing import Lease
from dispatcher.dispatching.settle import Released

# Which purpose of token a slot's link carries, and where the link leads.
LINKS = {
    "leave_url": (Purpose.LEAVE, "leave"),
    "preferences_url": (Purpose.PREFERENCES, "preferences"),
}
# The one link of a notice, by its kind.
ACTIONS = {
    "confirm": (Purpose.CONFIRM, "confirm"),
    "known": (Purpose.LOGIN, "login"),
    "login": (Purpose.LOGIN, "login"),
}


class Addressing:
    """Makes recipients of what was released, for one lease and one copy."""

    def __init__(self, lease: Lease, copy: Copy) -> None:
        self.lease = lease
        links = LINKS | ({"action_url": ACTIONS[lease.notice]} if lease.notice else {})
        self.links = [
            (slot, f"{settings.BASE_URL}/{path}/", maker(purpose))
            for slot, (purpose, path) in links.items()
            if slot in copy.slots
        ]

    def why_not(self, released: Released) -> str:
        """Why this delivery is not handed over after all; empty where it is."""
        if released.address is None or released.address_state == "left":
            return "left"
        if released.address_state == "suppressed":
            return "suppressed"
        if released.address_state == "pending" and self.lease.act != "notice":
            return "not-confirmed"
        return ""

    def recipient(self, released: Released) -> Recipient:
        """The recipient, with the two keys: of this delivery, and of the announcement for this address."""
        public_id, epoch = released.address_public_id, released.epoch
        if released.address is None or public_id is None or epoch is None:
            raise ValueError("a delivery without an address is not handed over")
        return Recipient(
            address=released.address,
            key=f"{self.lease.dispatch_key}.{public_id}",
            thread=f"{self.lease.announcement}.{public_id}",
            slots={slot: start + write(public_id, epoch) for slot, start, write in self.links},
            previous=released.previous,
        )
