"""``/health``: ok or not, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client


@pytest.mark.django_db(transaction=True)
def test_it_says_ok(client: Client) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.content) == (200, b"ok\n")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db(transaction=True)
def test_it_says_no_in_time_while_the_database_gives_no_answer(client: Client) -> None:
    with _database_away():
        answer = client.get("/health")
    assert (answer.status_code, answer.content) == (503, b"unavailable\n")
    assert answer["Retry-After"] == "5"
    assert client.get("/health").status_code == 200


@contextmanager
def _database_away() -> Iterator[None]:
    """SQLite: the file is gone. PostgreSQL: a lock that lasts longer than the page's patience."""
    if connection.vendor == "sqlite":
        file = Path(connection.settings_dict["NAME"])
        away = file.with_suffix(".away")
        file.rename(away)
        try:
            yield
        finally:
            away.replace(file)
        return
    held, over = threading.Event(), threading.Event()
    failures: list[Exception] = []

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:  # a thread has a connection of its own
                cursor.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
                held.set()
                over.wait(30)
        except DatabaseError as error:
            failures.append(error)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    try:
        yield
    finally:
        over.set()
        thread.join()
    # The server ends a transaction that idles for five seconds: so long must the answer not take.
    assert failures == []
