"""Faults of the far side: it hangs, slows down, breaks off after the message."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Strike
from tests.support.stricken import FAR_SIDE, WORKERS

WINDOW = 20
HANGS = [
    {"kind": "silence", "moment": "banner"},
    {"kind": "silence", "moment": "ehlo"},
    {"kind": "silence", "moment": "data"},
    {"kind": "silence", "moment": "banner", "trickle": 5.0},
    {"kind": "silence", "moment": "ehlo", "trickle": 5.0},
]


@pytest.mark.parametrize("hang", HANGS, ids=lambda fault: f"{fault['moment']}{'-trickle' * ('trickle' in fault)}")
def test_f23_mail_hangs_and_nothing_else_waits(strike: Strike, hang: dict[str, object]) -> None:
    """The page is there while the mail server hangs; an emergency's own lane is not behind it; and it heals."""
    stricken = strike(residents=150, parts=(*FAR_SIDE, *WORKERS, "w-urgent"))
    stricken.practice.switch(hang)
    stricken.announce()
    stricken.town.until(lambda: stricken.one(_WEBSITE, "accepted") == 2, timeout=60, what="the page")
    assert stricken.mail.count() == 0
    assert stricken.count("unknown") == 0, "no message was complete: nothing is in doubt"
    stricken.practice.clear()
    emergency = stricken.announce(name="water.md", kind="emergency", title="Kook uw water")
    assert emergency["new"]
    stricken.town.until(lambda: stricken.one(_URGENT) > 0, timeout=60, what="the emergency's mail")
    stricken.settled(timeout=150)
    figures = stricken.check()
    assert figures.received == figures.planned


_URGENT = """SELECT count(*) FROM dispatching_delivery d JOIN dispatching_batch b ON b.id = d.batch_id
    WHERE b.lane = 'urgent' AND d.state = 'accepted' AND d.address_id IS NOT NULL"""
_WEBSITE = """SELECT count(*) FROM dispatching_delivery d JOIN dispatching_outlet o ON o.id = d.outlet_id
    WHERE o.channel = 'website' AND d.state = %s"""


def test_f23_urgent_is_not_behind_a_big_mailing(strike: Strike) -> None:
    stricken = strike(parts=(*FAR_SIDE, *WORKERS, "w-urgent"))
    stricken.practice.switch({"kind": "slow", "seconds": 0.02})
    stricken.announce()
    stricken.arrived(20)
    stricken.announce(name="water.md", kind="emergency", title="Kook uw water")
    stricken.town.until(lambda: stricken.one(_URGENT) > 0, timeout=60, what="the first urgent mail")
    assert stricken.count("due") > 0, "the big mailing was still under way"
    stricken.practice.clear()
    stricken.settled(timeout=150)
    figures = stricken.check()
    assert figures.received == figures.planned


@pytest.mark.parametrize("moment", ["mail", "rcpt", "after-dot"])
def test_f24_mail_server_asks_to_slow_down(strike: Strike, moment: str) -> None:
    stricken = strike()
    stricken.practice.switch(
        {
            "kind": "answer",
            "moment": moment,
            "code": 421,
            "enhanced": "4.7.0",
            "after": 37,
            "count": "connection",
            "close": True,
            "times": 6,
        }
    )  # fmt: skip
    stricken.announce()
    stricken.settled(timeout=150)
    figures = stricken.check()
    assert figures.received == figures.planned
    assert stricken.count("rejected") == 0
    assert stricken.count("unknown") == 0


def test_f24_only_two_connections(strike: Strike) -> None:
    stricken = strike()
    stricken.practice.switch({"kind": "crowded", "at_most": 2})
    stricken.announce()
    stricken.settled(timeout=150)
    figures = stricken.check()
    assert figures.received == figures.planned
    assert stricken.count("accepted") == figures.planned


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not-taken"])
def test_f26_cut_after_the_last_dot(strike: Strike, how: str, taken: bool) -> None:
    cuts = 5
    stricken = strike(environment={"OMROEPER_UNKNOWN_REPEAT_SECONDS": "600"})
    stricken.practice.switch(
        {"kind": "cut", "moment": "after-dot", "how": how, "taken": taken, "after": 50, "times": cuts}
    )
    stricken.announce()
    stricken.town.until(
        lambda: stricken.count("accepted") + stricken.count("unknown") == stricken.planned() > 0,
        timeout=90, what="everything but what is in doubt",
    )  # fmt: skip
    assert stricken.count("unknown") == cuts
    missing = stricken.planned() - len(stricken.mail.times())
    assert missing == (0 if taken else cuts)
    assert not stricken.mail.twice()
    # A person looked, and lets them go out once more.
    assert stricken.town.cli("queue", "settle", "email", "--how", "resend", "--json").json["deliveries"] == cuts
    stricken.settled()
    figures = stricken.check(twice_at_most=cuts)
    assert figures.received == figures.planned
    assert figures.twice == (cuts if taken else 0)


def test_f26_answer_cut_in_the_middle(strike: Strike) -> None:
    stricken = strike()
    stricken.practice.switch({"kind": "cut", "moment": "after-dot", "send": "25", "after": 50, "times": 5})
    stricken.announce()
    stricken.settled()
    figures = stricken.check(twice_at_most=5)
    assert figures.received == figures.planned
    assert stricken.one("SELECT count(*) FROM dispatching_pastreceipt WHERE outcome = 'unknown'") == 5


@pytest.mark.parametrize("moment", ["data", "body", "mail"])
def test_f26_cut_before_the_message_was_complete(strike: Strike, moment: str) -> None:
    """Inside the body, the rest may have left before we learn of the cut: then it is in doubt, and never lost."""
    stricken = strike(residents=120)
    stricken.practice.switch({"kind": "cut", "moment": moment, "how": "rst", "after": 50, "times": 5})
    stricken.announce(body="Een lange tekst. " * 2500)
    stricken.settled(timeout=150)
    figures = stricken.check()
    assert figures.received == figures.planned
    assert figures.twice == 0
    doubts = stricken.one("SELECT count(*) FROM dispatching_pastreceipt WHERE outcome = 'unknown'")
    assert doubts <= (5 if moment == "body" else 0)
