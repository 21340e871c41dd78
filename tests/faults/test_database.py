"""Faults of the database: connections lost, locks the wrong way round, busy."""

from __future__ import annotations

import sqlite3
import threading

import psycopg
import pytest

from tests.faults.conftest import Strike
from tests.support.stricken import FULL, Stricken

SLOWLY = {"kind": "slow", "seconds": 0.004}
WINDOW = 20
ON_POSTGRES = "PostgreSQL only: SQLite has no server to lose"
ON_SQLITE = "SQLite only: PostgreSQL locks rows"


def _begun(strike: Strike) -> Stricken:
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    stricken.arrived(60)
    return stricken


def test_f19_all_connections_terminated(strike: Strike) -> None:
    stricken = _begun(strike)
    if not stricken.town.database.is_postgres:
        pytest.skip(ON_POSTGRES)
    for step in range(1, 4):
        stricken.town.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        stricken.arrived(60 + 100 * step)
    stricken.settled()
    figures = stricken.check(twice_at_most=3 * 2 * WINDOW)
    assert figures.received == figures.planned


def test_f19_deliveries_locked_in_reverse(strike: Strike) -> None:
    """A second session locks deliveries backwards: deadlocks and lock time-outs are tried again whole."""
    stricken = _begun(strike)
    connection = stricken.town.database.connect()
    if isinstance(connection, sqlite3.Connection):
        connection.close()
        pytest.skip(ON_POSTGRES)
    stop = threading.Event()

    def disturb() -> None:
        while not stop.is_set():
            try:
                connection.execute("BEGIN")
                connection.execute("SET LOCAL lock_timeout = '2s'")
                connection.execute("SELECT id FROM dispatching_delivery ORDER BY id DESC LIMIT 300 FOR UPDATE")
                stop.wait(0.2)
                connection.execute("SELECT id FROM dispatching_batch ORDER BY id DESC FOR UPDATE")
            except psycopg.Error:
                pass  # the deadlock was resolved at our cost; the next round makes another
            connection.execute("ROLLBACK")
            stop.wait(0.05)

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        stricken.arrived(300)
    finally:
        stop.set()
        thread.join()
        connection.close()
    stricken.settled()
    figures = stricken.check(twice_at_most=WINDOW)
    assert figures.received == figures.planned


@pytest.mark.parametrize("seconds", [1, 10, 60] if FULL else [1, 12])
def test_f20_database_locked(strike: Strike, seconds: int) -> None:
    """Twelve seconds are more than the ten that a writer waits."""
    stricken = _begun(strike)
    connection = stricken.town.database.connect()
    if not isinstance(connection, sqlite3.Connection):
        connection.close()
        pytest.skip(ON_SQLITE)
    connection.execute("BEGIN IMMEDIATE")
    refused = stricken.in_background("announce", stricken.file("second.md", title="Tweede bericht"), "--json")
    threading.Event().wait(seconds)  # the fault itself
    connection.execute("ROLLBACK")
    connection.close()
    second = refused.result()
    assert second.code in {0, 1}
    if second.code == 1:
        assert "database is busy" in second.err
    stricken.settled()
    figures = stricken.check(twice_at_most=2 * WINDOW)
    assert figures.received == figures.planned
