"""The database of an installation: a file of our own, or a given PostgreSQL that must keep what it commits."""

from __future__ import annotations

import asyncio
import fcntl
import sys
from collections.abc import Mapping
from pathlib import Path

import dj_database_url
import psycopg

from .child import telling_line
from .layout import Layout, cannot_write
from .problems import CannotStart

OLDEST_POSTGRESQL = 140000  # what Django 5.2 supports


def check(address: str) -> None:
    """Looks whether a given database can be used.

    A commit that a power cut can take back is a hand-over mark that was never made: the messages behind it would go
    out a second time. So a PostgreSQL that answers before it has written is refused.

    Raises:
        CannotStart: if it is no PostgreSQL (or SQLite file), cannot be reached, is too old, or does not keep commits.
    """
    try:
        found = dj_database_url.parse(address)
    except ValueError:
        raise CannotStart(
            "DATABASE_URL is not an address. Example: postgres://name:password@localhost:5432/omroeper", exit_code=2
        ) from None
    engine = found["ENGINE"]
    if engine.endswith("sqlite3"):
        return
    if not engine.endswith("postgresql"):
        raise CannotStart("DATABASE_URL must name a PostgreSQL (postgres://…) or SQLite (sqlite:///…).", exit_code=2)
    where = f"{found['HOST'] or 'localhost'}:{found['PORT'] or 5432}"
    try:
        with psycopg.connect(address, connect_timeout=5) as connection:
            version = connection.info.server_version
            commit = _setting(connection, "synchronous_commit")
            written = _setting(connection, "fsync")
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1]
        raise CannotStart(
            f"PostgreSQL at {where} (DATABASE_URL) cannot be used: {reason}. Start it, correct the address, or unset "
            "DATABASE_URL to use the built-in file.",
            exit_code=2,
        ) from None
    if version < OLDEST_POSTGRESQL:
        raise CannotStart(f"PostgreSQL at {where} is version {version // 10000}; 14 or newer is needed.", exit_code=2)
    for name, value in (("synchronous_commit", commit), ("fsync", written)):
        if value == "off":
            raise CannotStart(
                f"PostgreSQL at {where} has {name} off: after a power cut, messages would go out twice. "
                f"Set {name} = on there.",
                exit_code=2,
            )


def _setting(connection: psycopg.Connection, name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    return str(row[0]) if row else ""


async def migrate(layout: Layout, environment: Mapping[str, str]) -> None:
    """Brings the schema up to date, one process at a time on this data folder.

    Raises:
        CannotStart: if that fails; quotes the last line of the log.
    """
    log_file = layout.logs / "migrate.log"
    try:
        with (layout.run / "migrate.lock").open("w") as lock, log_file.open("wb") as log:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "django", "migrate", "--no-input", env=environment, stdout=log, stderr=log
            )
            try:
                code = await process.wait()
            except asyncio.CancelledError:
                process.terminate()
                await process.wait()
                raise
    except OSError as error:
        raise cannot_write(layout.data, error) from error
    if code and (refused := _refused(log_file)):
        raise CannotStart(refused, exit_code=2)
    if code:
        raise CannotStart(f"The database could not be brought up to date: {telling_line(log_file)} (see {log_file})")


def _refused(log_file: Path) -> str:
    """What a check of the product itself says against this database, with its hint; empty where none did."""
    lines = log_file.read_text(errors="replace").splitlines()
    for line, hint in zip(lines, [*lines[1:], ""], strict=True):
        if "(omroeper.E" in line:
            return f"{line.partition(') ')[2].strip()} {hint.partition('HINT: ')[2].strip()}".strip()
    return ""
