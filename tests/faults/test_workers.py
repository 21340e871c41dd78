"""Faults of workers: killed at each point of a delivery, frozen, and the power cut.

Kill points: K2 leased, nothing marked; K3 marked, no byte sent; K4 last byte sent, no answer; K5 answered, not
settled; K6 settled, the task not done. K2, K3 and K6 are reached by a process that runs the product's own steps so far;
at K4 and K5 the far side sends the signal.
"""

from __future__ import annotations

import random
import signal
import subprocess

import pytest

from tests.faults.conftest import Strike
from tests.support.kill_points import PLAN_NEWEST, WINDOW, stand_at
from tests.support.stricken import FULL, Stricken

SLOWLY = {"kind": "slow", "seconds": 0.004}


def _kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.parametrize("point", ["K2", "K3", "K6"])
def test_f14_killed_before_or_after_the_wire(strike: Strike, point: str) -> None:
    stricken = strike(parts=("practice",))
    stricken.announce()
    holder = stand_at(stricken, point)
    _kill(holder)
    stricken.town.start("w-fast", "w-mail")
    stricken.settled()
    figures = stricken.check()
    assert figures.twice == 0
    assert figures.received == figures.planned
    doubts = stricken.one("SELECT count(*) FROM dispatching_pastreceipt WHERE reason = 'worker-died'")
    assert doubts == (WINDOW if point == "K3" else 0)


@pytest.mark.parametrize(("point", "moment"), [("K4", "after-dot"), ("K5", "after-reply")])
def test_f14_killed_by_the_far_side(strike: Strike, point: str, moment: str) -> None:
    stricken = strike()
    stricken.practice.switch({"kind": "signal", "moment": moment, "after": 100})
    stricken.announce()
    stricken.practice.wait_for_event("signal sent", timeout=60)
    stricken.settled()
    figures = stricken.check(twice_at_most=WINDOW)
    assert figures.received == figures.planned
    doubts = stricken.one("SELECT count(*) FROM dispatching_pastreceipt WHERE reason = 'worker-died'")
    assert 0 < doubts <= WINDOW


@pytest.mark.parametrize("whole", [True, False], ids=["main and pool", "main only"])
def test_f14_main_killed(strike: Strike, whole: bool) -> None:
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    stricken.arrived(60)
    pool = stricken.town.pool("w-mail")
    main = stricken.town.kill("w-mail")
    if whole:
        for pid in pool:
            _signal_if_there(pid)
    stricken.town.restarted("w-mail", main)
    stricken.settled()
    figures = stricken.check(twice_at_most=WINDOW * len(pool))
    assert figures.received == figures.planned


def _signal_if_there(pid: int) -> None:
    """A pool process of ours that lost its main process a moment ago: the kernel may have been first."""
    import os  # noqa: PLC0415
    from contextlib import suppress  # noqa: PLC0415

    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_f14_work_moves_again_within_ten_seconds_as_shipped(strike: Strike) -> None:
    """With the shipped lease and sweep. The bound is the ledger's own: between the last sign of life of the dead
    worker and the takeover lie at most a lease and two sweeps."""
    shipped = {"OMROEPER_LEASE_SECONDS": "6", "OMROEPER_SWEEP_SECONDS": "2", "OMROEPER_UNKNOWN_REPEAT_SECONDS": "1"}
    stricken = strike(environment=shipped)
    stricken.practice.switch({"kind": "signal", "moment": "after-dot", "after": 100})
    stricken.announce()
    killed = stricken.practice.wait_for_event("signal sent", timeout=60)
    stricken.settled()
    stricken.check(twice_at_most=WINDOW)
    taken = stricken.one("SELECT min(at) FROM dispatching_pastreceipt WHERE reason = 'worker-died'")
    assert _seconds_between(killed["time"], taken) <= 10


def _seconds_between(start: float, moment: object) -> float:
    from datetime import UTC, datetime  # noqa: PLC0415

    at = datetime.fromisoformat(str(moment))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - start


@pytest.mark.parametrize("moment", ["after-dot", "data"])
def test_f16_frozen_past_its_lease(strike: Strike, moment: str) -> None:
    stricken = strike(end_frozen=False)
    stricken.practice.switch({"kind": "signal", "moment": moment, "signal": "SIGSTOP", "after": 100})
    stricken.announce()
    event = stricken.practice.wait_for_event("signal sent", timeout=60)
    frozen = int(event["pid"])
    stricken.town.until(
        lambda: stricken.one("SELECT count(*) FROM dispatching_pastreceipt WHERE reason = 'worker-died'"),
        timeout=60, what="the takeover",
    )  # fmt: skip
    stricken.town.signal(frozen, signal.SIGCONT)
    stricken.settled()
    figures = stricken.check(twice_at_most=WINDOW)
    assert figures.received == figures.planned


def test_f16_frozen_inside_a_transaction_is_ended(strike: Strike) -> None:
    """The supervisor ends a pool process without a heartbeat, whatever it holds."""
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    stricken.arrived(60)
    frozen = stricken.town.pool("w-mail")[0]
    stricken.town.signal(frozen, signal.SIGSTOP)
    stricken.town.until(lambda: frozen not in stricken.town.pool("w-mail"), timeout=60, what="the frozen one's end")
    stricken.settled()
    figures = stricken.check(twice_at_most=WINDOW)
    assert figures.received == figures.planned


@pytest.mark.parametrize("seed", range(10 if FULL else 2))
def test_f18_everything_killed_at_once(strike: Strike, seed: int) -> None:
    chance = random.Random(seed)
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    stricken.arrived(chance.randrange(1, 400))
    parts = ("w-fast", "w-mail", "redis")
    pools = [pid for name in ("w-fast", "w-mail") for pid in stricken.town.pool(name)]
    for name in parts:
        stricken.town.kill(name)
    for pid in pools:
        _signal_if_there(pid)
    stricken.settled(timeout=150)
    figures = stricken.check(twice_at_most=WINDOW * len(pools))
    print(f"seed {seed}")  # noqa: T201 - to run it again
    assert figures.received == figures.planned


@pytest.mark.parametrize("point", ["K2", "K3", "K4", "K5"])
def test_update_planned_while_a_batch_is_in_hand(strike: Strike, point: str) -> None:
    """I6: those in a worker's hands hear the correction if they have the first text, else the new text; all others
    hear the new text once, and nobody hears a correction of what they never got."""
    stricken = strike(parts=("practice",), end_frozen=False)
    slug = stricken.announce()["announcement"]
    holder = None
    if point in {"K2", "K3"}:
        holder = stand_at(stricken, point)
    else:
        moment = "after-dot" if point == "K4" else "after-reply"
        stricken.practice.switch({"kind": "signal", "moment": moment, "signal": "SIGSTOP", "after": 30})
        stricken.town.start("w-fast", "w-mail")
        event = stricken.practice.wait_for_event("signal sent", timeout=60)
    stricken.update(slug)
    stricken.town.until(
        lambda: stricken.one("SELECT count(*) FROM dispatching_dispatch WHERE planned_at IS NOT NULL") == 2
        if point in {"K4", "K5"}
        else True,
        timeout=60, what="the plan of the update",
    )  # fmt: skip
    if holder is not None:
        stricken.python(PLAN_NEWEST)
        _kill(holder)
        stricken.town.start("w-fast", "w-mail")
    else:
        stricken.town.signal(int(event["pid"]), signal.SIGCONT)
    stricken.settled(timeout=120)
    stricken.check(twice_at_most=2 * WINDOW)
    _right_text_for_everyone(stricken)


def _right_text_for_everyone(stricken: Stricken) -> None:
    """By the ledger, which ``check`` has compared with the far side."""
    rows = stricken.town.rows(
        """SELECT d.target, d.state, d.reason, p.act AS dispatch, b.act FROM dispatching_delivery d
        JOIN dispatching_dispatch p ON p.id = d.dispatch_id JOIN dispatching_batch b ON b.id = d.batch_id
        JOIN dispatching_outlet o ON o.id = d.outlet_id WHERE o.channel = 'email'"""
    )
    first = {row["target"]: row for row in rows if row["dispatch"] == "announce"}
    second = {row["target"]: row for row in rows if row["dispatch"] == "update"}
    assert first.keys() == second.keys(), "everyone of the audience hears the corrected text"
    for target, row in second.items():
        has_it = first[target]["state"] in {"accepted", "unknown"}
        assert row["act"] == ("update" if has_it else "announce"), (first[target], row)
        assert row["state"] in {"accepted", "unknown"}, row
