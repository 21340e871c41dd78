"""What is asked of a given database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from dispatcher.embedded import database
from dispatcher.embedded.layout import Layout
from dispatcher.embedded.problems import CannotStart
from tests.support import postgres


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Postgres]:
    """A PostgreSQL of its own, also where the suite runs on SQLite."""
    found = postgres.start()
    yield found
    found.stop()


def test_one_that_keeps_its_commits_is_taken(server: postgres.Postgres) -> None:
    database.check(server.url("postgres"))
    with closing(psycopg.connect(server.url("postgres"))) as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_one_that_answers_before_it_has_written_is_refused(server: postgres.Postgres) -> None:
    with closing(psycopg.connect(server.url("postgres"), autocommit=True)) as admin:
        admin.execute("CREATE DATABASE forgetful")
        admin.execute("ALTER DATABASE forgetful SET synchronous_commit = off")
    with pytest.raises(CannotStart, match="has synchronous_commit off") as told:
        database.check(server.url("forgetful"))
    assert told.value.exit_code == 2


def test_a_database_that_is_not_there_is_said(server: postgres.Postgres) -> None:
    with pytest.raises(CannotStart, match='database "nowhere" does not exist'):
        database.check(server.url("nowhere"))


def test_an_unreachable_one_is_said_without_its_password() -> None:
    with pytest.raises(CannotStart, match=r"PostgreSQL at 127.0.0.1:1 .* cannot be used") as told:
        database.check("postgres://omroeper:sesame@127.0.0.1:1/omroeper")
    assert "sesame" not in str(told.value)


@pytest.mark.parametrize(
    ("address", "said"), [("mysql://a@localhost/b", "must name a PostgreSQL"), ("nonsense", "not an address")]
)
def test_what_is_no_database_is_said(address: str, said: str) -> None:
    with pytest.raises(CannotStart, match=said):
        database.check(address)


def test_a_migration_that_fails_is_said_with_its_last_line(layout: Layout) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "no.such.settings"}
    with pytest.raises(CannotStart, match=r"could not be brought up to date: .*No module named 'no'"):
        asyncio.run(database.migrate(layout, environment))


def test_migrating_makes_the_tables_and_is_harmless_when_repeated(layout: Layout) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "dispatcher.config.settings",
        "OMROEPER_DATA": str(layout.data),
        "DATABASE_URL": "",
    }

    async def scene() -> None:
        await asyncio.gather(database.migrate(layout, environment), database.migrate(layout, environment))

    asyncio.run(scene())
    assert (layout.data / "omroeper.sqlite3").stat().st_size > 0
    assert "No migrations to apply" in (layout.logs / "migrate.log").read_text()
