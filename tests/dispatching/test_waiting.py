"""Two at once on one batch: who waited for the other sees what the other did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction

from dispatcher.acts.correct import correct
from dispatcher.dispatching import holders, settle
from dispatcher.dispatching.models import Delivery
from dispatcher.dispatching.settle import LeaseLost
from tests.support.scene import Scene, batch_of, check_counters, die, released, result, source, states, take


class Waiting(threading.Thread):
    """``with Waiting(work):`` inside a transaction: ``work`` runs beside it and has to wait for its locks."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__()
        self.work = work
        self.gave: Any = None

    def run(self) -> None:
        try:
            self.gave = self.work()
        finally:
            connections.close_all()

    def until_it_waits(self) -> None:
        """Only PostgreSQL tells who waits; on SQLite a writer waits before it has looked at anything."""
        deadline = time.monotonic() + 20
        while connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
                if cursor.fetchone():
                    return
            assert time.monotonic() < deadline and self.is_alive(), "it does not wait"
            time.sleep(0.01)


def test_settling_that_waited_for_a_planner_releases_nothing_that_was_replaced(scene: Scene) -> None:
    scene.email()
    scene.people(20)
    dispatch = scene.planned()
    assert dispatch.announcement is not None
    lease = take(batch_of(dispatch))
    first = released(lease, 4)
    update = correct(dispatch.announcement, source("tweede"), by="writer", grace=0)
    worker = Waiting(lambda: settle.settle(lease, [result(lease, delivery) for delivery in first], after=4, room=10))
    with transaction.atomic():
        holders.lock("= %s", [dispatch.pk])
        worker.start()
        worker.until_it_waits()
        holders.end_earlier(update, "replaced")
    worker.join(20)
    assert worker.gave == [], "I6: what was replaced is not handed over"
    assert states(dispatch) == {"accepted": 4, "skipped: replaced": 16}
    check_counters()
    scene.plan(update)
    assert Delivery.objects.filter(dispatch=update).count() == 20


def test_late_receipts_wait_for_whoever_settles_before_they_touch_a_delivery(scene: Scene) -> None:
    scene.email()
    scene.people(5)
    batch = batch_of(scene.planned())
    first = take(batch)
    group = released(first, 5)
    die(batch)
    take(batch, "second")

    def wake_up() -> None:
        with pytest.raises(LeaseLost):
            settle.settle(first, [result(first, delivery) for delivery in group], after=5, room=0)

    late = Waiting(wake_up)
    with transaction.atomic():
        holders.lock("= %s", [batch.dispatch_id])
        late.start()
        late.until_it_waits()
        # Two that lock in opposite orders would wait for each other: PostgreSQL ends one of them with an error.
        Delivery.objects.filter(batch=batch).update(detail="the second holder's")
    late.join(20)
    assert states() == {"accepted": 5}
    check_counters()
