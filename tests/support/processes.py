"""Looking at processes that are not our children."""

from __future__ import annotations

import psutil


def lives(pid: int) -> bool:
    """Whether a process runs. One that has ended and waits to be collected does not: in a container nobody may come."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
