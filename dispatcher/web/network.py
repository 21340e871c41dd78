"""Where a request came from, no finer than a network: that is all that limits and logs are about."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

UNKNOWN = "unknown"


def network(request: HttpRequest) -> str:
    """The /24 (IPv4) or /48 (IPv6) of the client, such as ``203.0.113.0/24``.

    ``X-Forwarded-For`` counts only as far as trusted proxies (``TRUSTED_PROXIES``) wrote it: it is read from its end,
    and the first address that is not one of them is the client's.
    """
    client = _address(request.META.get("REMOTE_ADDR", ""))
    hops = [_address(hop) for hop in request.headers.get("X-Forwarded-For", "").split(",")]
    while client is not None and _trusted(client) and hops:
        client = hops.pop() or client
    if client is None:
        return UNKNOWN
    return str(ip_network((client, 24 if client.version == 4 else 48), strict=False))


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.strip())
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def _trusted(client: IPv4Address | IPv6Address) -> bool:
    proxies: list[IPv4Network | IPv6Network] = settings.TRUSTED_PROXIES
    return any(client in proxy for proxy in proxies)
