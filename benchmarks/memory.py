"""Memory of a worker process: the same for a thousand recipients as for a hundred thousand.

The few hear several announcements first, so that each process of the pool has planned, composed and sent: what it has
loaded by then is not what a larger audience costs.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from benchmarks import installation, postfix
from benchmarks.measure import Measure
from benchmarks.report import say

FEW = 1_000
WARM_UP = 6
WORKER = "w-mail"
_MEGABYTE = 2**20


def run(database: str, size: int) -> list[Measure]:
    """Measures with ``FEW`` residents and with ``size``, on one database.

    Raises:
        postfix.Unavailable: without the far side, or where the system does not tell the peak of a process.
    """
    if not Path("/proc/self/status").exists():
        raise postfix.Unavailable("The memory benchmark reads /proc, which only Linux has.")
    with postfix.sink() as sink, tempfile.TemporaryDirectory(prefix="omroeper-", dir=installation.disk()) as name:
        folder = Path(name)
        with installation.running(folder, database, f"{postfix.HOST}:{sink.port}") as product:
            from benchmarks import town  # noqa: PLC0415 - Django is set up only now

            town.set_up(sink.port, folder=folder / "site")
            peaks, shares = [], []
            for residents, times in ((FEW, WARM_UP), (size, 1)):
                town.populate(residents)
                for _ in range(times):
                    town.announce()
                peak = max(_peak(process.pid) for process in product.pool(WORKER))
                share = max(process.memory_full_info().pss for process in product.pool(WORKER))
                say(f"{database}, {residents:,} residents: peak {peak / _MEGABYTE:.1f} MB a process")
                peaks.append(peak / _MEGABYTE)
                shares.append(share / _MEGABYTE)
    return [
        Measure("memory of a worker process: growth of its peak since 1,000", database, size, peaks[1] - peaks[0], "MB",
                most=5),
        Measure("memory of a worker process: its own and its part of what is shared (PSS)", database, size, shares[1],
                "MB", most=80),
        Measure("memory of a worker process: peak, with all that is shared (RSS)", database, FEW, peaks[0], "MB"),
        Measure("memory of a worker process: peak, with all that is shared (RSS)", database, size, peaks[1], "MB"),
    ]  # fmt: skip


def _peak(pid: int) -> int:
    """The most memory that a process has had resident, in bytes (``proc(5)``: VmHWM)."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None, "the process has ended"
    return int(found[1]) * 1024
