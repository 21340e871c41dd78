"""Which process is at the other end of a connection on this machine, and how to stop it at an exact moment."""

from __future__ import annotations

import os
import signal

import psutil


class NotFound(Exception):
    """The process cannot be found, or must not be signalled. The message says why."""


def process_at(port: int, our_port: int) -> int:
    """The id of the process whose connection to ``our_port`` comes from ``port``. Takes some ten milliseconds.

    Raises:
        NotFound: no process that we may look into has that connection.
    """
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS, without root
        raise NotFound("this system does not tell whose connection it is") from None
    for connection in connections:
        near, far = connection.laddr, connection.raddr
        if near and far and connection.pid and (near.port, far.port) == (port, our_port):
            return connection.pid
    raise NotFound(f"no process has the connection from port {port}")


def parent_of(pid: int) -> int:
    """The id of the process that started ``pid``.

    Raises:
        NotFound: ``pid`` is gone.
    """
    try:
        return psutil.Process(pid).ppid()
    except psutil.NoSuchProcess:
        raise NotFound(f"process {pid} is gone") from None


def send_signal(pid: int, name: str) -> None:
    """Sends ``SIGKILL``, ``SIGSTOP`` or ``SIGTERM`` to the process ``pid``.

    Raises:
        NotFound: it is gone, not ours, or one that the practice town must leave alone: itself, what started it, init.
    """
    if pid in {1, os.getpid(), os.getppid()}:
        raise NotFound(f"process {pid} is not one to send {name} to")
    try:
        os.kill(pid, signal.Signals[name])
    except OSError as error:
        raise NotFound(f"process {pid}: {error.strerror}") from None
