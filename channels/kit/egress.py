"""Where the product may connect to: one policy object for every client (SMTP, HTTP, checks, read-back).

The decision is taken on the address really used, at connect time: names are resolved once, every address is
checked, and the caller connects to a checked address. Saving an outlet checks literals as well, as a courtesy.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")


class AddressNotAllowed(Exception):
    """The policy does not let us connect there. The message names the host, never a path or a credential."""


def is_public(address: str) -> bool:
    """Whether ``address`` (IPv4 or IPv6, literal) is on the public internet.

    Stricter than ``ipaddress.is_global``, which lets multicast, NAT64, 6to4, IPv4-compatible and site-local forms
    pass: those are unwrapped and judged by the address inside, or refused.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None or ip not in _GLOBAL_UNICAST:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def address_class(address: str) -> str:
    """What kind of address ``address`` is, in a word or two for the log; that of the address inside, where it has one.

    It says neither host nor address: those may be somebody's.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return address_class(str(inner))
    for name in ("loopback", "link_local", "multicast", "unspecified", "reserved", "private"):
        if getattr(ip, f"is_{name}"):
            return name.replace("_", "-")
    return "public" if is_public(address) else "not public"


@dataclass(frozen=True, slots=True)
class Egress:
    """Decides whether a host and port may be connected to.

    ``exceptions`` are host and port pairs that an administrator (or, in practice mode, the supervisor) allows although
    they are not public: an SMTP relay in the town's own network, the far sides of the practice town.
    With ``closed`` nothing else may be connected to, public or not: from practice mode nothing reaches the world.
    ``told`` hears of each refusal what kind of address it was (``address_class``).
    """

    exceptions: Collection[tuple[str, int]] = field(default_factory=frozenset)
    closed: bool = False
    told: Callable[[str], None] | None = field(default=None, compare=False, repr=False)

    async def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of ``host`` to connect to, in the resolver's order, each one allowed.

        Raises:
            AddressNotAllowed: if any address of the host is outside what is allowed. Where the policy is closed, a
                name that it does not have is refused without being asked for.
            OSError: if the name cannot be resolved.
        """
        named = (host.rstrip(".").lower(), port) in self.exceptions
        if self.closed and not named:
            self._tell("not of the practice town")
            raise AddressNotAllowed(f"{host}:{port} is not of the practice town, and nothing else may be reached")
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not named:
            refused = [address for address in addresses if not is_public(address)]
            if refused:
                self._tell(address_class(refused[0]))
                raise AddressNotAllowed(f"{host}:{port} is not a public address ({refused[0]})")
        return addresses

    def _tell(self, what: str) -> None:
        if self.told is not None:
            self.told(what)
