"""Fresh, migrated databases for installations under test: copies of one that is migrated once a run.

The kind follows ``OMROEPER_TEST_DATABASE``, as the rest of the suite does.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.rows import dict_row

TEMPLATE = "omroeper_template"


@dataclass(frozen=True)
class Database:
    """The database of one installation. ``url`` is empty for SQLite, where ``file`` lies in the data folder."""

    url: str
    file: Path

    @property
    def is_postgres(self) -> bool:
        return bool(self.url)

    def connect(self) -> psycopg.Connection[dict[str, Any]] | sqlite3.Connection:
        """A connection of its own, in autocommit: for a test that looks, or that holds a lock."""
        if self.url:
            return psycopg.connect(self.url, autocommit=True, row_factory=dict_row)
        connection = sqlite3.connect(self.file, timeout=30, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        return connection

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        """What a statement gives, a dictionary a row. Placeholders are ``%s`` on both."""
        with closing(self.connect()) as connection:
            if isinstance(connection, sqlite3.Connection):
                return [dict(row) for row in connection.execute(statement.replace("%s", "?"), values)]
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def fresh(data: Path) -> Iterator[Database]:
    """A migrated, empty database for the installation in ``data``; gone afterwards."""
    session = Path(os.environ["OMROEPER_TEST_SESSION"])
    server = os.environ.get("DATABASE_URL", "")
    file = data / "omroeper.sqlite3"
    if not server:
        template = session / "template"
        with _one_at_a_time(session):
            if not template.is_dir():
                _migrate(session / "template-draft", "")
                (session / "template-draft").rename(template)
        data.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(template / "omroeper.sqlite3", file)
        yield Database("", file)
        return
    name = f"omroeper_{secrets.token_hex(6)}"
    with closing(psycopg.connect(_named(server, "postgres"), autocommit=True)) as admin:
        with _one_at_a_time(session):
            if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
                admin.execute(f"CREATE DATABASE {TEMPLATE}_draft")
                _migrate(session / "template-draft", _named(server, f"{TEMPLATE}_draft"))
                admin.execute(f"ALTER DATABASE {TEMPLATE}_draft RENAME TO {TEMPLATE}")
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        try:
            yield Database(_named(server, name), file)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _named(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _migrate(data: Path, url: str) -> None:
    data.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "OMROEPER_DATA": str(data), "DATABASE_URL": url}
    environment["DJANGO_SETTINGS_MODULE"] = "dispatcher.config.settings"
    done = subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--no-input", "-v", "0"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@contextmanager
def _one_at_a_time(session: Path) -> Iterator[None]:
    """Keeps the workers of pytest-xdist from making the template twice."""
    with (session / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
