"""An e-mail address as its own page shows it: enough for its owner to know it, little for who looks along."""

from __future__ import annotations

from dispatcher.audience.addresses import shown


def masked(value: str) -> str:
    """``r…1@example.org`` for the normal form of an e-mail address."""
    local, _, domain = shown(value).rpartition("@")
    return f"{local[0]}…{local[-1] if len(local) > 3 else ''}@{domain}"
