"""Which ports are free on loopback."""

from __future__ import annotations

import errno
import secrets
import socket
from collections.abc import Collection
from contextlib import closing

from .problems import CannotStart

HOST = "127.0.0.1"
TRIED = 100


def choose(wanted: int, *, exactly: bool, what: str, option: str, besides: Collection[int] = ()) -> int:
    """``wanted`` if it is free, else the next free one; any free one where ``wanted`` is 0; never one of ``besides``.

    Raises:
        CannotStart: if it is taken and ``exactly`` that one was asked for, or nothing near it is free.
    """
    if not 0 <= wanted <= 65535:
        raise CannotStart(f"{wanted} is no port: {option} takes a number from 1 to 65535.", exit_code=2)
    if wanted == 0:
        return _any_free(besides)
    for port in range(wanted, min(wanted + (1 if exactly else TRIED), 65536)):
        error = errno.EADDRINUSE if port in besides else _why_not(port)
        if error is None:
            return port
        if error == errno.EACCES:
            raise CannotStart(
                f"Port {port} for {what} is only for administrators. Choose one above 1023: {option} 8700", exit_code=2
            )
    if exactly:
        raise CannotStart(
            f"Port {wanted} for {what} is taken by another program. Choose another: {option} {wanted + 1}"
        )
    raise CannotStart(f"The ports {wanted} to {wanted + TRIED - 1} are all taken. Choose one for {what}: {option} 9700")


def _why_not(port: int) -> int | None:
    # Both forms of "localhost": a browser tries ::1 first, and would find there whoever else has the port.
    for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, "::1")):
        try:
            with closing(socket.socket(family)) as probe:
                # As servers do: a connection that is closing takes no port.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
                probe.listen(1)
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):  # a machine without IPv6
                return error.errno
    return None


def _any_free(besides: Collection[int]) -> int:
    # Below the range that the kernel gives to outgoing connections, or one of those could be there first.
    for _ in range(TRIED):
        port = 20_000 + secrets.randbelow(12_000)
        if port not in besides and _why_not(port) is None:
            return port
    raise CannotStart("No port between 20000 and 32000 is free: stop a program that listens there.")
