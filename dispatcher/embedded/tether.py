"""Runs a command that dies with the process that started it, however that one ends. Linux only.

Started as a script by the supervisor, before the command's own program: ``python -I -S tether.py PARENT COMMAND…``.
A parent-death signal set after the fork is safe in a process with threads, where a hook between fork and exec is not.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """SIGKILL for this process once ``parent`` is gone, or now if it is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the supervisor's own command
