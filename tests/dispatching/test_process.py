"""A worker process: its database thread outlives a broken connection."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, InterfaceError, connection

from dispatcher.dispatching.models import Outlet
from tests.support.scene import AnotherWorker

pytestmark = pytest.mark.django_db(transaction=True)


def break_off() -> None:
    connection.ensure_connection()
    connection.connection.close()


def test_connection_that_broke_is_replaced_by_the_next_use() -> None:
    connection.ensure_connection()  # the test's own thread has one too, which is not to be touched
    with AnotherWorker() as other:
        other.process.run(other.process.ledger(break_off))
        with pytest.raises((DatabaseError, InterfaceError)):
            other.process.run(other.process.ledger(Outlet.objects.count))
        other.process.run(other.process.drop_connection())
        assert other.process.run(other.process.ledger(Outlet.objects.count)) == 0
    assert connection.is_usable()


def test_refreshing_keeps_a_connection_that_works() -> None:
    with AnotherWorker() as other:
        process = other.process
        before = process.run(process.ledger(_same_connection))
        process.run(process.refresh_connection())
        assert process.run(process.ledger(_same_connection)) == before


def _same_connection() -> int:
    connection.ensure_connection()
    return id(connection.connection)
