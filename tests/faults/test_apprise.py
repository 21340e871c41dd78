"""Faults of the colleagues' channel: Apprise says yes or no, so what is in doubt stays so until a person decides."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Strike
from tests.support.stricken import FAR_SIDE, WORKERS, Stricken

PARTS = (*FAR_SIDE, *WORKERS, "w-apprise")
# Whether the far side took the message: the sender sees a no, or nothing, in each case.
DOUBTS = {"cut-taken": 1, "silent": 1, "cut-not-taken": 0, "throttled": 0}


def colleagues(strike: Strike, fault: str = "") -> Stricken:
    stricken = strike(residents=60, parts=PARTS, also=("colleagues",))
    if fault:
        stricken.practice.switch(fault, peer="colleagues")
    return stricken


def delivery(stricken: Stricken) -> dict[str, object]:
    (row,) = stricken.town.rows(
        """SELECT d.state, d.reason, d.due_at, d.attempts FROM dispatching_delivery d
        JOIN dispatching_outlet o ON o.id = d.outlet_id WHERE o.name = 'colleagues'"""
    )
    return row


def taken(stricken: Stricken) -> int:
    return stricken.town.recorder_of("colleagues").count()


def test_f29_a_refused_connection_is_certain_so_it_is_tried_again_and_heard_once(strike: Strike) -> None:
    stricken = colleagues(strike, "refused")
    stricken.announce()
    stricken.town.until(lambda: stricken.outlet("colleagues")["circuit"] != "closed", timeout=60, what="the circuit")
    assert delivery(stricken)["state"] == "due"
    stricken.practice.clear()
    stricken.settled()
    assert delivery(stricken)["state"] == "accepted"
    assert taken(stricken) == 1
    assert stricken.outlet("colleagues")["circuit"] == "closed"
    stricken.check()


@pytest.mark.parametrize("fault", DOUBTS)
def test_f29_doubt_is_never_repeated_and_a_person_settles_it(strike: Strike, fault: str) -> None:
    stricken = colleagues(strike, fault)
    stricken.announce()
    stricken.settled()
    assert delivery(stricken)["state"] == "unknown"
    assert delivery(stricken)["due_at"] is None, "nothing repeats it by itself"
    assert taken(stricken) == DOUBTS[fault]
    figures = stricken.check()
    assert figures.received == figures.planned, "the mail went out meanwhile"
    how = "accepted" if DOUBTS[fault] else "resend"
    stricken.practice.clear()
    ran = stricken.town.cli("queue", "settle", "colleagues", "--how", how)
    assert ran.code == 0, ran.err
    stricken.town.until(lambda: delivery(stricken)["state"] == "accepted", timeout=60, what="the person's decision")
    assert taken(stricken) == 1
    stricken.check()


def test_f29_a_worker_that_dies_over_it_leaves_a_doubt_and_no_twin(strike: Strike) -> None:
    stricken = colleagues(strike, "kill")
    stricken.announce()
    stricken.settled(timeout=120)
    assert delivery(stricken)["state"] == "unknown"
    assert delivery(stricken)["reason"] == "worker-died"
    assert taken(stricken) == 1
    stricken.check()


def test_f23_a_service_that_hangs_holds_up_nobody_else(strike: Strike) -> None:
    stricken = colleagues(strike, "trickle")
    stricken.announce()
    stricken.arrived(stricken.planned() or 1)
    stricken.settled()
    assert delivery(stricken)["state"] in {"unknown", "accepted"}, "the whole answer may have come in time"
    assert taken(stricken) == 1
    stricken.check()


def test_a_correction_and_a_withdrawal_are_new_messages_that_say_what_they_are_about(strike: Strike) -> None:
    stricken = colleagues(strike)
    which = stricken.announce()["announcement"]
    stricken.settled()
    stricken.update(which)
    stricken.settled()
    assert stricken.town.cli("withdraw", which, "--reason", "nl=Het klopt niet.").code == 0
    stricken.settled()
    first, second, third = (line.more["text"] for line in stricken.town.recorder_of("colleagues").lines())
    assert "Gemeentehuis op afspraak" in first
    assert second.splitlines()[2].startswith("Gewijzigd. Dit vervangt ons eerdere bericht: Gemeentehuis op afspraak")
    assert third.splitlines()[2].startswith("Ingetrokken. Dit bericht geldt niet meer: Gemeentehuis op afspraak")
    stricken.check()


def test_hand_tasks_go_through_announce_correct_and_withdraw(strike: Strike) -> None:
    stricken = strike(residents=30, parts=(*FAR_SIDE, *WORKERS), also=("facebook",))
    post = "http://127.0.0.1:9/losser/posts/1"
    which = stricken.announce()["announcement"]
    for act in ("announce", "update", "withdraw"):
        if act == "update":
            stricken.update(which)
        elif act == "withdraw":
            assert stricken.town.cli("withdraw", which, "--reason", "nl=Het klopt niet.").code == 0
        stricken.town.until(lambda: stricken.town.cli("hand", "list", "--json").json, timeout=60, what="the task")
        (task,) = stricken.town.cli("hand", "list", "--json").json
        assert task["act"] == act
        assert task["previous"] == ("" if act == "announce" else post)
        stricken.settled()
        stricken.check()
        ran = stricken.town.cli("hand", "done", str(task["id"]), "--url", post, "--json")
        assert ran.json == {"task": task["id"], "state": "accepted", "url": post}
        assert stricken.town.cli("hand", "list", "--json").json == []
    ran = stricken.town.cli("hand", "done", "0")
    assert (ran.code, "no task by hand" in ran.err) == (2, True)
    stricken.check()
