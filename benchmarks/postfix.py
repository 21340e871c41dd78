"""The yardstick and the far side: ``smtp-source`` and ``smtp-sink`` of Postfix, in C, made for this.

They are taken from PATH, else from Debian's package ``postfix``: no mail server is set up or started.
"""

from __future__ import annotations

import os
import pwd
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache

from benchmarks.debian import Program, Unavailable, program

__all__ = ["HOST", "Sink", "Tools", "Unavailable", "sink", "source", "tools"]

HOST = "127.0.0.1"
PATIENCE = 10.0
_HEADERS = 250  # octets of header that smtp-source writes above the payload


@dataclass(frozen=True, slots=True)
class Tools:
    """The two programs."""

    source: Program
    sink: Program


@cache
def tools() -> Tools:
    """The two programs, fetched where they are missing.

    Raises:
        Unavailable: with the remedy.
    """
    libraries = "usr/lib/postfix"
    return Tools(program("smtp-source", ["postfix"], libraries), program("smtp-sink", ["postfix"], libraries))


@dataclass(frozen=True, slots=True)
class Sink:
    """A mail server that takes everything and keeps nothing."""

    port: int
    pid: int


@contextmanager
def sink() -> Iterator[Sink]:
    """Runs ``smtp-sink`` on a free port of loopback.

    Raises:
        Unavailable: as ``tools`` does, or when it does not start.
    """
    server = tools().sink
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="omroeper-sink-") as folder:
        user: Sequence[str] = ()
        if os.geteuid() == 0:  # it insists on giving root up
            user = ("-u", "nobody")
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        process = subprocess.Popen(
            [server.path, *user, "-m", "512", f"inet:{HOST}:{port}", "512"],
            env=server.whole_environment, cwd=folder, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            _wait(process, port)
            yield Sink(port, process.pid)
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[str], port: int) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1) as heard:
            heard.settimeout(1)
            if heard.recv(3) == b"220":
                return
        time.sleep(0.02)
    process.kill()
    said = process.stderr.read() if process.stderr else ""
    raise Unavailable(f"smtp-sink did not start: {said.strip()[-300:]}")


def source(port: int, messages: int, octets: int, *, sessions: int, keep: bool) -> float:
    """Sends messages of so many octets with ``smtp-source``; returns the seconds it took.

    ``keep``: each session keeps its connection, as our own channel does; else it connects for every message, which is
    what smtp-source does by itself.
    """
    client = tools().source
    arguments = ["-s", str(sessions), "-m", str(messages), "-l", str(max(1, octets - _HEADERS))]
    people = ["-f", "berichten@practice.invalid", "-t", "resident-00001@practice.invalid"]
    began = time.monotonic()
    subprocess.run(
        [client.path, *(["-d"] if keep else []), *arguments, *people, f"{HOST}:{port}"],
        env=client.whole_environment, check=True, capture_output=True,
    )  # fmt: skip
    return time.monotonic() - began
