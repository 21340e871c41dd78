"""An address as its own page shows it: enough for its owner to know it, little for who looks over their shoulder."""

from __future__ import annotations

from dispatcher.audience.addresses import shown
from dispatcher.audience.models import Address


def masked(address: Address) -> str:
    """``r…1@example.org`` for an e-mail address; of another kind the last three characters."""
    value = address.value
    if address.channel != "email":
        return f"…{value[-3:]}"
    local, _, domain = shown(value).rpartition("@")
    return f"{local[0]}…{local[-1] if len(local) > 3 else ''}@{domain}"
