"""Faults while planning and ringing: the planner dies, several plan, beat is dead."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.faults.conftest import Strike
from tests.support.stricken import FAR_SIDE, Stricken

PLAN = "import django; django.setup(); from dispatcher.dispatching import plan; plan.plan({dispatch})"
PLAN_TEN_TIMES = """
import django; django.setup()
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
from dispatcher.dispatching import plan
def one(_):
    try: plan.plan({dispatch})
    finally: connection.close()
list(ThreadPoolExecutor(10).map(one, range(10)))
"""


@contextmanager
def _deliveries_locked(stricken: Stricken) -> Iterator[None]:
    """Nobody can write a delivery while this lasts: the planner stands still in the middle of its transaction."""
    connection = stricken.town.database.connect()
    try:
        if isinstance(connection, sqlite3.Connection):
            connection.execute("BEGIN IMMEDIATE")
        else:
            connection.execute("BEGIN")
            connection.execute("LOCK TABLE dispatching_delivery IN EXCLUSIVE MODE")
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def _dispatch(stricken: Stricken) -> int:
    return int(stricken.one("SELECT max(id) FROM dispatching_dispatch"))


def test_f07_planner_killed_in_the_middle(strike: Strike) -> None:
    stricken = strike(parts=FAR_SIDE)
    stricken.announce()
    with _deliveries_locked(stricken):
        stricken.town.start("w-mail")
        pool = stricken.town.pool("w-mail")
        stricken.town.until(lambda: _planning(stricken, pool), what="the planner at work")
        for pid in pool:
            stricken.town.signal(pid, signal.SIGKILL)
    # All or nothing: whatever was half done is gone, and what is there is whole.
    written = stricken.one("SELECT count(*) FROM dispatching_delivery")
    sizes = stricken.one("SELECT coalesce(sum(size), 0) FROM dispatching_batch")
    assert written == sizes
    stricken.town.start("w-fast")
    stricken.settled()
    figures = stricken.check()
    assert figures.received == figures.planned > 0


def _planning(stricken: Stricken, pool: list[int]) -> bool:
    """Whether a planner waits for the lock. SQLite cannot be asked: there, the message has been taken."""
    if stricken.town.database.is_postgres:
        return bool(stricken.town.rows("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
    return "omroeper.plan" in (stricken.town.logs / "w-mail.log").read_text()


def test_f07_killed_after_the_plan_before_the_ring(strike: Strike) -> None:
    """K1: planned, committed, and nobody was told."""
    stricken = strike(parts=FAR_SIDE)
    stricken.announce()
    stricken.python(PLAN.format(dispatch=_dispatch(stricken)), REDIS_URL="unix:///nowhere/redis.sock")
    stricken.town.redis().flushall()
    stricken.town.start("w-fast", "w-mail")
    stricken.settled()
    figures = stricken.check()
    assert figures.received == figures.planned > 0


def test_f08_ten_planners_and_two_beats(strike: Strike) -> None:
    stricken = strike(parts=FAR_SIDE)
    stricken.announce()
    stricken.python(PLAN_TEN_TIMES.format(dispatch=_dispatch(stricken)))
    stricken.town.start("w-fast", "w-mail", "beat")
    schedule = stricken.town.folder / "second-beat"
    second = stricken.hold(
        "from dispatcher.config.celery import app; "
        f"app.Beat(schedule={str(schedule)!r}, loglevel='INFO', max_interval=1).run()"
    )
    try:
        stricken.settled()
    finally:
        second.kill()
        second.communicate()
    figures = stricken.check()
    assert figures.received == figures.planned > 0


def test_f09_beat_dead(strike: Strike) -> None:
    stricken = strike(parts=(*FAR_SIDE, "w-fast", "w-mail", "beat"))
    stricken.practice.switch({"kind": "answer", "moment": "rcpt", "code": 450, "enhanced": "4.3.0", "times": 20})
    stricken.announce()
    stricken.arrived(50)
    stricken.town.stop("beat", grace=0)
    # Those that were put off are rung for by the workers' own sweep.
    stricken.settled()
    figures = stricken.check()
    assert figures.received == figures.planned


def test_f08_planning_twice_changes_nothing(strike: Strike) -> None:
    stricken = strike(residents=50)
    stricken.announce()
    stricken.settled()
    before = stricken.mail.count()
    done: subprocess.CompletedProcess[str] = stricken.python(PLAN.format(dispatch=_dispatch(stricken)))
    assert done.returncode == 0
    stricken.check()
    assert stricken.mail.count() == before
