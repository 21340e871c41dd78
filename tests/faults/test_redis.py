"""Faults of Redis: killed, emptied, full, read-only, slow, half-open; messages that nobody can read."""

from __future__ import annotations

import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.conftest import NewTown
from tests.faults.conftest import Strike
from tests.support import foreign
from tests.support.stricken import FAR_SIDE, FULL

SLOWLY = {"kind": "slow", "seconds": 0.004}


def test_f10_redis_killed(strike: Strike) -> None:
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    stricken.arrived(50)
    before = stricken.town.kill("redis")
    stricken.town.restarted("redis", before)
    stricken.settled()
    figures = stricken.check()
    assert figures.received == figures.planned
    # The workers found it again by themselves.
    assert stricken.town.restarts("w-mail") == 0


@pytest.mark.parametrize("seconds", [3, 20] if FULL else [3])
def test_f10_redis_down_for_a_while(strike: Strike, seconds: int) -> None:
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    stricken.arrived(50)
    stricken.town.stop("redis", grace=0)
    threading.Event().wait(seconds)  # the outage itself
    stricken.town.start("redis")
    stricken.settled()
    stricken.check()
    second = stricken.announce(name="second.md", title="Tweede bericht")
    stricken.settled()
    assert second["new"]
    stricken.check()


def test_f11_redis_emptied_again_and_again(strike: Strike) -> None:
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    for step in range(1, 6):
        stricken.arrived(step * 60)
        stricken.town.redis().flushall()
    stricken.settled()
    figures = stricken.check()
    assert figures.received == figures.planned
    assert [stricken.town.restarts(name) for name in ("w-fast", "w-mail")] == [0, 0]


def test_f11_redis_lost_with_its_files(strike: Strike) -> None:
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    stricken.arrived(50)
    stricken.town.stop("redis", grace=0)
    shutil.rmtree(stricken.town.folder / "redis")
    (stricken.town.folder / "redis").mkdir(mode=0o700)
    stricken.town.start("redis")
    stricken.settled()
    figures = stricken.check()
    assert figures.received == figures.planned


@pytest.mark.parametrize("fault", ["full", "read-only", "paused"])
def test_f12_redis_takes_nothing(strike: Strike, fault: str) -> None:
    stricken = strike()
    redis = stricken.town.redis()
    if fault == "full":
        redis.config_set("maxmemory", "1")
    elif fault == "read-only":
        redis.replicaof("127.0.0.1", 1)
    else:
        redis.client_pause(20_000, all=False)
    assert stricken.announce()["new"]
    assert stricken.mail.count() == 0
    if fault == "full":
        redis.config_set("maxmemory", "0")
    elif fault == "read-only":
        redis.replicaof("NO", "ONE")
    else:
        redis.client_unpause()
    stricken.settled()
    figures = stricken.check()
    assert figures.received == figures.planned


class _Proxy:
    """A TCP way to a unix socket that can swallow everything and never close: a half-open connection."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.swallowing = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(self.target)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._copy, args=(source, sink), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.swallowing:
                    sink.sendall(data)
            if not self.swallowing:
                sink.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.listener.close()


@contextmanager
def _half_open(new_town: NewTown) -> Iterator[_Proxy]:
    redis = new_town(parts=())
    proxy = _Proxy(redis.environment["REDIS_URL"].removeprefix("unix://"))
    try:
        yield proxy
    finally:
        proxy.close()


def test_f12_redis_half_open(strike: Strike, new_town: NewTown) -> None:
    with _half_open(new_town) as proxy:
        stricken = strike(environment={"REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0"})
        stricken.practice.switch(SLOWLY)
        stricken.announce()
        stricken.arrived(50)
        proxy.swallowing = True
        assert stricken.announce(name="second.md", title="Tweede bericht")["new"]
        proxy.swallowing = False
        stricken.settled()
        figures = stricken.check()
        assert figures.received == figures.planned


def test_f13_foreign_messages(strike: Strike) -> None:
    stricken = strike(parts=FAR_SIDE)
    marker = stricken.town.folder / "loaded"
    redis = stricken.town.redis()
    redis.lpush(
        "mail",
        foreign.pickled(marker),
        foreign.yaml(),
        foreign.message("somebody.else", [1]),
        foreign.message("omroeper.send", [1, 2, 3]),
        *[foreign.NOT_JSON] * 10,
    )
    stricken.announce()
    stricken.town.start("w-fast", "w-mail")
    stricken.settled(timeout=150)
    figures = stricken.check()
    assert figures.received == figures.planned > 0
    assert not marker.exists(), "a pickle was loaded"
    assert stricken.town.restarts("w-mail") > 0, "an entry that is not JSON ends the main process; it comes back"
    assert redis.llen("mail") == 0


def test_f13_same_message_fifty_times(strike: Strike) -> None:
    stricken = strike(parts=FAR_SIDE)
    stricken.announce()
    stricken.town.start("w-fast")
    stricken.python(
        "import django; django.setup(); from dispatcher.dispatching import plan; "
        "from dispatcher.dispatching.models import Dispatch; plan.plan(Dispatch.objects.get().pk)"
    )
    redis = stricken.town.redis()
    entries = stricken.town.until(lambda: redis.lrange("mail", 0, -1), what="the ring for the mail")
    for entry in entries:
        redis.lpush("mail", *[entry] * 50)
    stricken.town.start("w-mail")
    stricken.settled()
    figures = stricken.check()
    assert figures.twice == 0
    stricken.town.until(lambda: redis.llen("mail") == 0, what="the late copies to be gone")
    assert stricken.check().twice == 0


def test_f13_frozen_worker_main_is_not_mistaken_for_done(strike: Strike) -> None:
    """The main process stands still with messages in hand; the lease, not the message, says whose work it is."""
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    stricken.arrived(30)
    main = stricken.town.main("w-mail")
    stricken.town.signal(main, signal.SIGSTOP)
    stricken.arrived(60)
    stricken.town.signal(main, signal.SIGCONT)
    stricken.settled()
    assert stricken.check().twice == 0
