"""The ledger's two clocks, both the database's, so that a machine whose clock is off changes nothing.

*Wall time* is for people and schedules. The *lease clock* is seconds as a float and is only ever compared with itself:
PostgreSQL's ``clock_timestamp()``; on SQLite, where all processes share one machine, the boot clock, which no clock
step moves. After a reboot the boot clock starts anew, so a lease further ahead than one lease is void.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def add_lease_clock(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Gives SQLite the function ``lease_clock()``. Connected to Django's ``connection_created``."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("lease_clock", 0, lambda: time.clock_gettime(BOOT_CLOCK))


def is_sqlite() -> bool:
    return connection.vendor == "sqlite"


def wall() -> str:
    """SQL for the wall time now."""
    return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')" if is_sqlite() else "clock_timestamp()"


def wall_in(seconds: str) -> str:
    """SQL for the wall time ``seconds`` from now; ``seconds`` is SQL: a column or ``%s``. Null gives null."""
    if is_sqlite():
        return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', {seconds} || ' seconds')"
    return f"clock_timestamp() + {seconds} * interval '1 second'"


def lease_now() -> str:
    """SQL for the lease clock now, in seconds."""
    return "lease_clock()" if is_sqlite() else "extract(epoch from clock_timestamp())::float8"


def lease_over(alias: str = "") -> str:
    """SQL that is true where no live lease is held."""
    column = f"{alias}lease_until"
    return f"({column} IS NULL OR {column} < {lease_now()} OR {column} > {lease_now()} + {settings.LEASE_SECONDS * 2})"


def moment(value: datetime | str | None) -> datetime | None:
    """A moment that raw SQL gave: SQLite gives its text, in UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value
