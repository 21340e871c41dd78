"""The yardstick and the far side: ``smtp-source`` and ``smtp-sink`` of Postfix, in C, made for this.

They are taken from PATH, else from Debian's package ``postfix``, which is unpacked into the virtual environment and
never installed: no mail server is set up or started.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HOST = "127.0.0.1"
UNPACKED = Path(sys.prefix) / "postfix"
PATIENCE = 10.0
_HEADERS = 250  # octets of header that smtp-source writes above the payload


class Unavailable(Exception):
    """The tools are not there and cannot be fetched. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Paths of the two programs, and what their environment needs beside ours."""

    source: str
    sink: str
    environment: Mapping[str, str]


@cache
def tools() -> Tools:
    """The two programs, fetched where they are missing.

    Raises:
        Unavailable: with the remedy.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = [shutil.which(name, path=path) for name in ("smtp-source", "smtp-sink")]
    if found[0] and found[1]:
        return Tools(found[0], found[1], {})
    programs, libraries = UNPACKED / "usr/sbin", UNPACKED / "usr/lib/postfix"
    if not (programs / "smtp-sink").exists():
        _fetch()
    unpacked = Tools(str(programs / "smtp-source"), str(programs / "smtp-sink"), {"LD_LIBRARY_PATH": str(libraries)})
    _need_libraries(unpacked)
    return unpacked


def _fetch() -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Unavailable(
            "The e-mail benchmark needs smtp-source and smtp-sink, which come with Postfix. This machine has no "
            "apt-get to fetch them with: install Postfix, and see that both are on PATH."
        )
    with tempfile.TemporaryDirectory(prefix="omroeper-postfix-") as folder:
        if not _downloaded(folder) and os.geteuid() == 0:
            subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
            _downloaded(folder)
        packages = list(Path(folder).glob("postfix_*.deb"))
        if not packages:
            raise Unavailable(
                "The e-mail benchmark needs smtp-source and smtp-sink, and the package postfix could not be fetched. "
                "Run apt-get update as root and try again, or see that both programs are on PATH."
            )
        subprocess.run(["dpkg-deb", "-x", packages[0], UNPACKED], check=True)


def _downloaded(folder: str) -> bool:
    done = subprocess.run(["apt-get", "download", "postfix"], cwd=folder, check=False, capture_output=True)
    return done.returncode == 0


def _need_libraries(unpacked: Tools) -> None:
    told = subprocess.run(
        ["ldd", unpacked.sink], env={**os.environ, **unpacked.environment}, check=False, capture_output=True, text=True
    ).stdout
    missing = [line.split()[0] for line in told.splitlines() if "not found" in line]
    if missing:
        raise Unavailable(
            f"smtp-sink was unpacked into {UNPACKED}, but this machine lacks {', '.join(missing)}. Install the "
            "libraries that the package postfix depends on (apt-cache depends postfix names them)."
        )


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
    found = tools()
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="omroeper-sink-") as folder:
        user: Sequence[str] = ()
        if os.geteuid() == 0:  # it insists on giving root up
            user = ("-u", "nobody")
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        process = subprocess.Popen(
            [found.sink, *user, "-m", "512", f"inet:{HOST}:{port}", "512"],
            env={**os.environ, **found.environment}, cwd=folder, stderr=subprocess.PIPE, text=True,
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
    found = tools()
    arguments = ["-s", str(sessions), "-m", str(messages), "-l", str(max(1, octets - _HEADERS))]
    people = ["-f", "berichten@practice.invalid", "-t", "resident-00001@practice.invalid"]
    began = time.monotonic()
    subprocess.run(
        [found.source, *(["-d"] if keep else []), *arguments, *people, f"{HOST}:{port}"],
        env={**os.environ, **found.environment}, check=True, capture_output=True,
    )  # fmt: skip
    return time.monotonic() - began
