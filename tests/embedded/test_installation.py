"""Whole installations: what is restarted, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from dispatcher.embedded import leftovers, ports, programs, state
from tests.support import databases
from tests.support.processes import lives
from tests.support.town import Town


def answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.town(parts=("w-mail",))
def test_a_worker_that_ends_over_an_unreadable_entry_is_up_again(town: Town) -> None:
    """An entry that is not JSON ends Celery's main process; the entry is gone after that."""
    redis = town.redis()
    before = town.main("w-mail")
    redis.lpush("mail", b"this is not JSON")
    town.until(lambda: town.restarts("w-mail") == 1, what="the restart")
    town.restarted("w-mail", after=before)
    assert redis.llen("mail") == 0
    assert not lives(before)


@pytest.mark.town(parts=("w-urgent",))
def test_unreadable_entries_in_a_row_are_survived(town: Town) -> None:
    redis = town.redis()
    redis.lpush("urgent", *[b"\x80\x04not JSON"] * 3)
    town.until(lambda: redis.llen("urgent") == 0, timeout=120, what="the end of the bad entries")
    town.until(lambda: town.pool("w-urgent"), what="a worker that lives")
    assert 1 <= town.restarts("w-urgent") <= 4


@pytest.mark.town(parts=("practice", "web"))
def test_each_part_that_is_killed_is_replaced(town: Town) -> None:
    for name, port in (("redis", None), ("practice", town.ports["smtp"]), ("web", town.ports["web"])):
        killed = town.kill(name)
        assert town.restarted(name, after=killed) != killed
        assert port is None or answers(port)
    assert town.redis().ping()
    assert [town.restarts(name) for name in ("redis", "practice", "web")] == [1, 1, 1]


@pytest.mark.town(parts=())
def test_the_web_worker_dies_with_its_server(town: Town) -> None:
    """Also where no supervisor is left to end it."""
    port = ports.choose(0, exactly=True, what="a test", option="--port")
    with subprocess.Popen(
        programs.web(port).argv,
        env={**os.environ, **town.environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as server:  # fmt: skip
        try:
            town.until(lambda: asyncio.run(programs.answers(port, "/health")(server.pid)), what="the web server")
            (worker,) = psutil.Process(server.pid).children()
        finally:
            server.kill()
    try:
        town.until(lambda: not lives(worker.pid), timeout=10, what="the end of granian's worker")
    finally:
        with suppress(psutil.NoSuchProcess):
            worker.kill()


@pytest.mark.town(parts=("w-mail",))
def test_a_frozen_pool_process_is_killed_and_replaced(town: Town) -> None:
    frozen = town.pool("w-mail")[0]
    town.signal(frozen, signal.SIGSTOP)
    town.until(lambda: not lives(frozen), timeout=40, what="the end of the frozen process")
    town.until(lambda: len(town.pool("w-mail")) == 2, what="its replacement")
    assert town.restarts("w-mail") == 0
    assert f"pool process {frozen} gives no sign of life" in (town.logs / "supervisor.log").read_text()


@pytest.mark.town(environment={"OMROEPER_LEASE_SECONDS": "6"})
def test_an_installation_stops_in_good_order_and_leaves_nothing(town: Town) -> None:
    found = state.running(town.folder)
    assert found is not None
    assert {child.status for child in found.children} == {"ready"}
    assert [child.name for child in found.children][:2] == ["redis", "practice"]
    assert len(leftovers.carrying(found.token)) >= 13  # eight parts, granian's worker, at least one process a pool
    town.stop(*programs.POOLS, "beat", "web", "practice")
    left = state.running(town.folder)
    assert left is not None
    assert [child.name for child in left.children if child.status != "stopped"] == ["redis"]
    assert len(leftovers.carrying(found.token)) == 1


def test_a_deep_data_folder_works(scratch_folder: Path) -> None:
    data = scratch_folder / ("d" * 120) / "a folder"
    with databases.fresh(data) as database, Town(data, database, parts=("w-urgent",)) as town:
        assert town.redis().ping()
        assert len(town.environment["REDIS_URL"]) < 110
        assert town.pool("w-urgent")


@pytest.mark.town(parts=("practice", "w-urgent"))
def test_a_power_cut_and_the_power_back(town: Town) -> None:
    before = {name: town.main(name) for name in ("redis", "practice", "w-urgent")}
    pool = town.pool("w-urgent")
    town.redis().rpush("urgent-later", "kept")
    assert town.cut_power() == list(before)
    town.until(lambda: not any(lives(pid) for pid in [*before.values(), *pool]), what="darkness")
    town.start(*before)
    assert set(before.values()).isdisjoint(town.main(name) for name in before)
    assert town.redis().lrange("urgent-later", 0, -1) == [b"kept"]


def test_a_given_redis_replaces_our_own(new_town: Callable[..., Town]) -> None:
    given = new_town(parts=()).environment["REDIS_URL"]
    town = new_town(parts=("w-urgent",), environment={"REDIS_URL": given})
    found = state.running(town.folder)
    assert found is not None
    assert [child.name for child in found.children] == ["w-urgent"]
    assert town.redis().ping()
