"""Folders for tests: in memory where the machine offers it, so that databases may sync as in production."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import psutil

MEMORY = Path("/dev/shm")  # noqa: S108 - each folder made in it is ours alone
WANTED_BYTES = 2 * 2**30


def base() -> Path:
    """Where scratch folders are made: short enough for unix sockets, and quick to sync."""
    if os.access(MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(MEMORY).free > WANTED_BYTES:
        return MEMORY
    return Path(tempfile.gettempdir())


def folder(name: str, where: Path | None = None) -> Path:
    """A new folder that only this user can enter, in ``where`` or else in ``base``. Its name says whose it is."""
    return Path(tempfile.mkdtemp(prefix=f"omroeper-{name}-{os.getpid()}-", dir=where or base()))


def sweep() -> None:
    """Removes what test runs left that were killed: in memory, nobody else would."""
    for left in base().glob("omroeper-*-*-*"):
        owner = left.name.split("-")[-2]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
