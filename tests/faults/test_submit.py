"""Faults at submit and approve: pressed twice, Redis gone or frozen."""

from __future__ import annotations

import signal

from tests.faults.conftest import Strike

PARALLEL = 6


def test_f01_announced_many_times_at_once(strike: Strike) -> None:
    stricken = strike()
    file = stricken.file()
    presses = [stricken.in_background("announce", file, "--json", "--key", "press-1") for _ in range(PARALLEL)]
    answers = [press.result() for press in presses]
    assert [answer.code for answer in answers] == [0] * PARALLEL
    assert len({answer.json["dispatch"]["key"] for answer in answers}) == 1
    assert sum(answer.json["new"] for answer in answers) == 1
    stricken.settled()
    assert stricken.one("SELECT count(*) FROM announcements_announcement") == 1
    stricken.check()


def test_f01_same_key_another_text(strike: Strike) -> None:
    stricken = strike(residents=5)
    stricken.announce("--key", "press-1")
    refused = stricken.town.cli("announce", stricken.file(title="Iets anders"), "--key", "press-1")
    assert refused.code == 2
    assert "used before" in refused.err
    assert stricken.one("SELECT count(*) FROM announcements_announcement") == 1


def test_f02_redis_gone_at_submit(strike: Strike) -> None:
    stricken = strike()
    stricken.town.stop("redis", grace=0)
    said = stricken.announce()
    assert said["new"]
    assert stricken.mail.count() == 0
    assert not stricken.queue()["redis"]
    stricken.town.start("redis")
    stricken.settled()
    figures = stricken.check()
    assert figures.received == figures.planned


def test_f02_redis_frozen_at_submit(strike: Strike) -> None:
    stricken = strike()
    redis = stricken.town.main("redis")
    stricken.town.signal(redis, signal.SIGSTOP)
    try:
        # It returns while Redis stands still: the order of events is the proof, not a stopwatch.
        said = stricken.announce()
    finally:
        stricken.town.signal(redis, signal.SIGCONT)
    assert said["new"]
    stricken.settled()
    stricken.check()
