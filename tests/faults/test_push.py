"""The fault matrix for push: killed at each point, doubt on the wire, addresses gone, a service that is full."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from channels.kit.push_message import topic
from tests.faults.conftest import Strike
from tests.support import ledger
from tests.support.kill_points import WINDOW, stand_at
from tests.support.ledger import Figures
from tests.support.recorder import Recorder
from tests.support.stricken import FULL, RESIDENTS, Stricken

PUSHED = RESIDENTS if FULL else 400
THREADS = """
    SELECT p.key AS dispatch, n.public_id AS announcement, a.public_id AS address
    FROM dispatching_delivery d JOIN dispatching_dispatch p ON p.id = d.dispatch_id
    JOIN announcements_announcement n ON n.id = p.announcement_id JOIN audience_address a ON a.id = d.address_id
    WHERE a.channel = 'webpush'
"""


def record(stricken: Stricken) -> Recorder:
    return Recorder(stricken.town.folder / "practice" / "push" / "record.jsonl")


def pushes(stricken: Stricken) -> list[Any]:
    return [line for line in record(stricken).lines() if line.what == "push"]


def check(stricken: Stricken, *, twice_at_most: int = 0) -> Figures:
    """The one check. The push service knows a delivery by its Topic alone, which is that of the thread."""
    keys = {
        topic(f"{row['announcement']}.{row['address']}"): f"{row['dispatch']}.{row['address']}"
        for row in stricken.town.rows(THREADS)
    }
    taken = Counter(keys.get(line.key, line.key) for line in pushes(stricken))
    return ledger.check_ledger(stricken.town, taken, twice_at_most=twice_at_most, channel="webpush")


def doubts(stricken: Stricken) -> int:
    return int(
        stricken.one(
            """SELECT count(*) FROM dispatching_pastreceipt r JOIN dispatching_delivery d ON d.id = r.delivery_id
            JOIN dispatching_outlet o ON o.id = d.outlet_id WHERE o.channel = 'webpush' AND r.reason = 'worker-died'"""
        )
    )


@pytest.mark.parametrize("point", ["K2", "K3", "K6"])
def test_f14_push_killed_before_or_after_the_wire(strike: Strike, point: str) -> None:
    stricken = strike(parts=("practice",), residents=PUSHED, push=True)
    stricken.announce()
    holder = stand_at(stricken, point, "webpush")
    holder.kill()
    holder.communicate()
    stricken.town.start("w-fast", "w-mail")
    stricken.settled()
    figures = check(stricken)
    assert figures.twice == 0
    assert figures.received == figures.planned > WINDOW
    assert doubts(stricken) == (WINDOW if point == "K3" else 0)


@pytest.mark.parametrize(("point", "moment"), [("K4", "after-body"), ("K5", "after-answer")])
def test_f14_push_killed_by_the_far_side(strike: Strike, point: str, moment: str) -> None:
    stricken = strike(residents=PUSHED, push=True)
    stricken.practice.switch({"kind": "signal", "moment": moment, "path": "/push/*", "after": 30}, peer="push")
    stricken.announce()
    stricken.practice.wait_for_event("signal sent", peer="push", timeout=60)
    stricken.settled()
    figures = check(stricken, twice_at_most=WINDOW)
    assert figures.received == figures.planned
    assert 0 < doubts(stricken) <= WINDOW


def test_f27_push_taken_and_cut_off_is_repeated_once(strike: Strike) -> None:
    stricken = strike(residents=PUSHED, push=True)
    stricken.practice.switch(
        {"kind": "cut", "moment": "after-body", "path": "/push/*", "after": 10, "times": 5}, peer="push"
    )
    stricken.announce()
    stricken.settled()
    figures = check(stricken, twice_at_most=5)
    assert figures.received == figures.planned
    assert figures.twice == 5
    screens = Counter(line.recipient for line in pushes(stricken))
    assert max(screens.values()) == 2


def test_f32_push_addresses_that_are_gone_end_at_once(strike: Strike) -> None:
    stricken = strike(residents=PUSHED, push=True)
    stricken.practice.switch("gone", peer="push")
    stricken.announce()
    stricken.settled()
    figures = check(stricken)
    gone = stricken.one("SELECT count(*) FROM dispatching_delivery WHERE state = 'gone'")
    ended = stricken.one("SELECT count(*) FROM audience_address WHERE channel = 'webpush' AND state = 'suppressed'")
    assert 0 < gone == ended == figures.planned - figures.received
    assert stricken.one("SELECT circuit FROM dispatching_outlet WHERE channel = 'webpush'") == "closed"


def test_f28_a_full_push_service_gets_nothing_until_it_said_and_mail_goes_on(strike: Strike) -> None:
    stricken = strike(residents=PUSHED, push=True)
    wait = {"kind": "answer", "status": 429, "headers": {"Retry-After": "3"}, "path": "/push/*", "times": 1}
    stricken.practice.switch(wait, peer="push")
    stricken.announce()
    stricken.settled()
    figures = check(stricken)
    assert figures.received == figures.planned
    throttled = stricken.one("SELECT count(*) FROM dispatching_pastreceipt WHERE reason = 'throttled'")
    assert throttled > 0
    mail = stricken.one(
        """SELECT count(*) FROM dispatching_delivery d JOIN dispatching_outlet o ON o.id = d.outlet_id
        WHERE o.channel = 'email' AND d.attempts <> 1 AND d.state = 'accepted'"""
    )
    assert mail == 0
