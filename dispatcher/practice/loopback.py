"""Ports on this machine only: 127.0.0.1 and, where there is one, ::1."""

from __future__ import annotations

import errno
import socket

_TRIES = 50


class PortTaken(Exception):
    """Another program listens on ``port``."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken")
        self.port = port


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind((host, port))
    except OSError:
        found.close()
        raise
    found.setblocking(False)
    return found


def _bind_both(port: int) -> list[socket.socket]:
    first = _bind(socket.AF_INET, "127.0.0.1", port)
    try:
        return [first, _bind(socket.AF_INET6, "::1", first.getsockname()[1])]
    except OSError as error:
        if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:  # this machine has no IPv6
            return [first]
        first.close()
        raise


def bind_loopback(port: int) -> list[socket.socket]:
    """Sockets bound to ``port`` (0: a free one, the same in both families), not listening yet.

    Until one listens, connections to it are refused and nobody else can have the port.

    Raises:
        PortTaken: someone else listens there.
        OSError: the port may not be used at all (below 1024 without the right).
    """
    for attempt in range(_TRIES):
        try:
            return _bind_both(port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            if port or attempt == _TRIES - 1:
                raise PortTaken(port) from None
    raise AssertionError("unreachable")
