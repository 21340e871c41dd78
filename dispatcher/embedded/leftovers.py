"""Ends what a killed run left behind. Nothing is ended on the strength of a process id alone: those are used again.

Proof is one of two: the process carries the token of that run in its environment, which nobody has by accident; or it
is a Valkey or Redis that works in our own ``redis`` folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

import psutil

from . import state
from .layout import Layout

TOKEN = "OMROEPER_RUN"  # noqa: S105 - the name of the variable
PATIENCE = 5.0


def end(layout: Layout) -> list[int]:
    """Ends the leftovers of an earlier run on this data folder; to be called by the holder of its lock.

    Returns:
        Their process ids.
    """
    found = [*_by_token(layout), *_servers(layout)]
    _end(found)
    layout.state.unlink(missing_ok=True)
    for file in layout.heartbeats.iterdir():
        file.unlink(missing_ok=True)
    return sorted({process.pid for process in found})


def end_carrying(token: str) -> None:
    """Ends whatever a run that stops now still has, even what has left its process group."""
    _end(carrying(token), (psutil.Process.kill,))


def _by_token(layout: Layout) -> list[psutil.Process]:
    earlier = state.read(layout.state)
    return [] if earlier is None else carrying(earlier.token)


def carrying(token: str) -> list[psutil.Process]:
    """Every process of this user that was started by the run with this token and still lives."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(TOKEN) == token and _lives(process):
                found.append(process)
        except (psutil.Error, OSError):
            continue  # somebody else's, or gone meanwhile
    return found


def _servers(layout: Layout) -> list[psutil.Process]:
    try:
        process = psutil.Process(int((layout.redis / "server.pid").read_text()))
        name = process.name()
        ours = process.cwd() == str(layout.redis.resolve()) and name.startswith(("valkey", "redis"))
    except (OSError, ValueError, psutil.Error):
        return []
    return [process] if ours else []


def _end(
    processes: Iterable[psutil.Process],
    ways: Sequence[Callable[[psutil.Process], None]] = (psutil.Process.terminate, psutil.Process.kill),
) -> None:
    waiting = list(processes)
    for ask in ways:
        for process in waiting:
            with suppress(psutil.NoSuchProcess):
                ask(process)  # psutil looks first whether the id still means the same process
        until = time.monotonic() + PATIENCE
        while (waiting := [process for process in waiting if _lives(process)]) and time.monotonic() < until:
            time.sleep(0.02)


def _lives(process: psutil.Process) -> bool:
    # One that has ended stays as a zombie where the first process of a container collects none.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
