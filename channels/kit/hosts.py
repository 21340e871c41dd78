"""Hosts in settings: which are addresses in disguise, and which of those may not be connected to.

A courtesy at saving. What holds is the check at connect time (``egress``), on the address really used: a name says
nothing about where it leads.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from channels.kit.egress import Egress, is_public

_DOTS = str.maketrans({"\u3002": ".", "\uff0e": ".", "\uff61": "."})
# What the system's resolver takes for an IPv4 address: one to four numbers, decimal, octal or hexadecimal.
_NUMERIC = re.compile(r"(?:0[xX][0-9a-fA-F]*|\d+)(?:\.(?:0[xX][0-9a-fA-F]*|\d+)){0,3}")
_HOST_FIELD = re.compile(r"(?:^|_)(?:hosts?|server|instance)$")
_NOT_OURS = frozenset({"unix", "file", "gopher", "ftp", "ftps", "sftp", "dict", "ldap", "tftp", "http+unix", "data"})
_PORTS = {"http": 80, "https": 443}


def literal(host: str) -> str | None:
    """The address that ``host`` spells in one of the ways that resolvers read; ``None`` where it is a name.

    ``localhost`` and names below it count as loopback (RFC 6761, section 6.3).
    """
    plain = unicodedata.normalize("NFKC", unquote(host).translate(_DOTS)).translate(_DOTS)
    plain = plain.strip().rstrip(".").strip("[]").partition("%")[0].lower()
    if plain == "localhost" or plain.endswith(".localhost"):
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        pass
    if not _NUMERIC.fullmatch(plain):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(plain))
    except OSError:
        return None


def problems(values: Mapping[str, object], egress: Egress, *, port: int = 443) -> dict[str, str]:
    """What is wrong with the hosts and web addresses among settings, by field. ``port`` is that of hosts without one.

    Refused are addresses that are not public and no exception, schemes that lead out of the web, and web addresses
    that two readers could read differently (``user@``, a backslash).
    """
    found: dict[str, str] = {}
    for field, value in _texts(values):
        if "://" in value or value.partition(":")[0].lower() in _NOT_OURS:
            problem = _of_url(value, egress)
        elif _HOST_FIELD.search(field.partition(".")[0]):
            problem = _of_host(value, egress, port)
        else:
            continue
        if problem:
            found.setdefault(field.partition(".")[0], problem)
    return found


def _texts(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, Mapping):
            yield from ((f"{name}.{inner}", text) for inner, text in _texts(value))
        elif isinstance(value, list | tuple | set | frozenset):
            yield from ((name, text) for text in value if isinstance(text, str))


def _of_url(url: str, egress: Egress) -> str:
    scheme = url.partition(":")[0].lower()
    if scheme in _NOT_OURS:
        return f"{scheme}: is no address on the web; give one that begins with https://"
    if "\\" in url:
        return "holds a backslash; write the address with /"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(scheme, 443)
    except ValueError:
        return "cannot be read as an address; example: https://nieuws.example.nl"
    if scheme in _PORTS and "@" in parts.netloc:
        return "holds a name or password before the host; give those in their own fields"
    return _refused(host, port, egress)


def _of_host(given: str, egress: Egress, usual: int) -> str:
    if any(mark in given for mark in "/\\@ "):
        return "is no host; give the name alone, such as smtp.example.nl"
    host, colon, port = given.rpartition(":")
    if not colon or not port.isdigit() or (host.count(":") and not host.startswith("[")):
        host, port = given, str(usual)
    return _refused(host, int(port), egress)


def _refused(host: str, port: int, egress: Egress) -> str:
    address = literal(host)
    named = (host.strip("[]").rstrip(".").lower(), port) in egress.exceptions
    if address is None or named or is_public(address):
        return ""
    return (
        f"{host} is an address inside a network ({address}); we connect to public ones only. Where it is a server of "
        f"your own, an administrator allows {host}:{port} in the settings of the installation."
    )
