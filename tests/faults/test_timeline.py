"""Faults around public posts: workers killed at each point, a timeline that throttles, breaks or breaks off.

The ledger's one check is run after each row; ``check_posts`` adds that every language has one post and no second.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from tests.faults.conftest import Strike
from tests.support.kill_points import PLAN_NEWEST
from tests.support.posts import LANGUAGES, check_posts, doubts, posted, timeline_of
from tests.support.stricken import FAR_SIDE, WORKERS, Stricken

RESIDENTS = 40
ONE = ("nl",)  # languages: one request at a time, so that each is known to come before or after another
IN_ONE = """
import django; django.setup()
from dispatcher.dispatching.models import Outlet
Outlet.objects.filter(name="mastodon").update(languages=["nl"])
"""
PAUSE = """
import django; django.setup()
from django.utils.timezone import now
from dispatcher.dispatching.models import Outlet
Outlet.objects.filter(name="mastodon").update(paused_at={when})
"""
# The product's own steps of a public batch, up to a point. What follows stands still until it is killed.
STEPS = """
import django; django.setup()
import asyncio, os, sys
from dispatcher.dispatching import leasing, settle
from dispatcher.dispatching.models import Batch
batch = Batch.objects.filter(outlet__name="mastodon").order_by("pk")[0]  # of one language
lease = leasing.take(batch.pk, "the one that dies")
assert lease is not None
point = {point!r}
if point == "K3":
    assert len(settle.settle(lease, [], after=0, room=1)) == 1
if point == "K6":
    from dispatcher.dispatching.process import current
    from dispatcher.dispatching.publish import publish
    from dispatcher.dispatching.send import outlets_and_copies
    process = current()
    async def work():
        [(outlet, copies)] = outlets_and_copies([lease])
        channel = await process.channels.get(outlet)
        await publish(process, lease, asyncio.Event(), channel, copies)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    process.run(work())
print("there", flush=True)
sys.stdin.read()
"""


def finished(stricken: Stricken, languages: Sequence[str] = LANGUAGES) -> None:
    stricken.settled(timeout=120)
    figures = stricken.check()
    assert figures.received == figures.planned
    check_posts(stricken, languages)


@pytest.mark.parametrize("point", ["K2", "K3", "K6"])
def test_f14_killed_before_or_after_a_post(strike: Strike, point: str) -> None:
    stricken = strike(parts=("practice",), residents=RESIDENTS)
    stricken.python(PAUSE.format(when="now()"))
    stricken.announce()
    stricken.python(PLAN_NEWEST)
    stricken.town.start("w-fast")
    stricken.town.until(lambda: stricken.one(_PAGES) == 2, what="the page")
    stricken.town.stop("w-fast")
    stricken.python(PAUSE.format(when="None"))
    holder = stricken.hold(STEPS.format(point=point))
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == "there", "it did not reach the point"
    assert len(posted(stricken)) == (1 if point == "K6" else 0)
    holder.kill()
    holder.communicate()
    stricken.town.start(*WORKERS)
    finished(stricken)


_PAGES = """SELECT count(*) FROM dispatching_delivery d JOIN dispatching_outlet o ON o.id = d.outlet_id
    WHERE o.channel = 'website' AND d.state = 'accepted'"""


@pytest.mark.parametrize(("point", "moment"), [("K4", "after-body"), ("K5", "after-answer")])
def test_f14_killed_by_the_timeline(strike: Strike, point: str, moment: str) -> None:
    stricken = strike(residents=RESIDENTS)
    fault = {"kind": "signal", "moment": moment, "method": "POST", "path": "/api/v1/statuses"}
    stricken.practice.switch(fault, peer="timeline")
    stricken.announce()
    killed = stricken.practice.wait_for_event("signal sent", peer="timeline", timeout=60)
    assert killed["signal"] == signal.SIGKILL.name, point
    finished(stricken)


def _throttle(headers: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"kind": "answer", "status": 429, "method": "POST", "headers": headers, "body": "{}", "times": 1, **more}


def _stated(which: str) -> dict[str, str]:
    """The header of a wait, from now on."""
    soon, past = datetime.now(UTC) + timedelta(seconds=8), datetime.now(UTC) - timedelta(days=1)
    return {
        "seconds": {"Retry-After": "4"},
        "date": {"Retry-After": format_datetime(soon, usegmt=True)},
        "date in the past": {"Retry-After": format_datetime(past, usegmt=True)},
        "ten years ahead": {"Retry-After": format_datetime(soon.replace(year=soon.year + 10, day=1), usegmt=True)},
        "garbage": {"Retry-After": "when it suits us"},
        "Mastodon's reset": {"X-RateLimit-Reset": soon.isoformat(timespec="milliseconds").replace("+00:00", "Z")},
    }[which]


@pytest.mark.parametrize("which", ["seconds", "date in the past", "garbage", "Mastodon's reset"])
def test_f28_throttled_waits_as_stated(strike: Strike, which: str) -> None:
    """Nothing is asked of the timeline before the stated time: the fault strikes once, so a request would be taken."""
    stricken = _in_one_language(strike)
    stricken.practice.switch(_throttle(_stated(which)), peer="timeline")
    before = time.time()
    row = _announced_until_down(stricken)
    until = _seconds(row["retry_at"])
    assert not row["needs_person"]
    assert until - before >= {"seconds": 4}.get(which, 1)
    finished(stricken, ONE)
    assert min(line.time for line in timeline_of(stricken).lines()) >= until - 0.01
    assert doubts(stricken) == 0, "a 429 is a clear answer"


def test_f28_a_wait_of_ten_years_is_an_hour_and_other_outlets_go_on(strike: Strike) -> None:
    stricken = _in_one_language(strike)
    stricken.practice.switch(_throttle(_stated("ten years ahead")), peer="timeline")
    wait = _seconds(_announced_until_down(stricken)["retry_at"]) - time.time()
    assert 3500 < wait <= 3600
    stricken.town.until(lambda: stricken.count("accepted") == stricken.planned() > 0, timeout=60, what="the mail")
    assert stricken.one(_PAGES) == 2
    assert posted(stricken) == {}
    assert stricken.practice.state("timeline")["faults"][0]["struck"] == 1


def _in_one_language(strike: Strike) -> Stricken:
    stricken = strike(residents=RESIDENTS)
    stricken.python(IN_ONE)
    return stricken


def _announced_until_down(stricken: Stricken) -> dict[str, Any]:
    """Announces, and returns the timeline's outlet as it is once its circuit opens, however soon it closes again."""
    stricken.in_background("announce", stricken.file(), "--json")

    def down() -> dict[str, Any] | None:
        row = stricken.outlet("mastodon")
        return row if row["circuit"] == "open" else None

    return stricken.town.until(down, timeout=90, what="the open circuit") or {}


def _seconds(moment: object) -> float:
    at = moment if isinstance(moment, datetime) else datetime.fromisoformat(str(moment))
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _broken(kind: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "method": "POST", "times": 2, **more}


BREAKS = {
    "500 and not taken": (_broken("answer", status=500), True),
    "504 and taken": (_broken("answer", status=504, taken=True), True),
    "503": (_broken("answer", status=503), False),
    "reset at byte 0": ({"kind": "cut", "moment": "connect", "how": "rst", "times": 2}, True),
    "reset in the body": (_broken("cut", moment="in-body", how="rst"), True),
    "reset after the body": (_broken("cut", moment="after-body", how="rst"), True),
    "closed when idle": (_broken("cut", moment="after-answer"), None),
}


@pytest.mark.parametrize("name", BREAKS)
def test_f29_only_what_is_certain_is_called_unsent(strike: Strike, name: str) -> None:
    fault, doubtful = BREAKS[name]
    stricken = strike(residents=RESIDENTS) if doubtful is None else _in_one_language(strike)
    stricken.practice.switch(fault, peer="timeline")
    if doubtful is None:
        stricken.announce()
        finished(stricken)
    else:
        _announced_until_down(stricken)
        finished(stricken, ONE)
    assert stricken.outlet("mastodon")["circuit"] == "closed"
    assert stricken.practice.state("timeline")["faults"][0]["struck"] == 2
    if doubtful is not None:
        assert (doubts(stricken) > 0) is doubtful


def test_f29_refused_is_certain_and_probed_one_at_a_time(strike: Strike) -> None:
    stricken = _in_one_language(strike)
    stricken.practice.switch({"kind": "refuse"}, peer="timeline")
    stricken.announce()
    stricken.town.until(lambda: stricken.outlet("mastodon")["failures"] >= 2, timeout=60, what="the second probe")
    tried = stricken.one(
        """SELECT max(d.attempts) FROM dispatching_delivery d JOIN dispatching_outlet o ON o.id = d.outlet_id
        WHERE o.name = 'mastodon'"""
    )
    assert tried <= stricken.outlet("mastodon")["failures"] + 1, "each probe is one request"
    stricken.practice.clear()
    finished(stricken, ONE)
    assert doubts(stricken) == 0


def test_a_post_is_corrected_withdrawn_and_watched(strike: Strike) -> None:
    """What a stranger did to it is found by reading it back; a correction mends it; a withdrawal takes its place."""
    stricken = strike(parts=(*FAR_SIDE, *WORKERS, "web"), residents=RESIDENTS)
    slug = stricken.announce()["announcement"]
    stricken.settled()
    check_posts(stricken)
    assert _proofs(stricken)["mastodon"] == {"same"}

    base = stricken.town.urls["timeline"]
    identity = timeline_of(stricken).lines()[0].more["id"]
    tampered = httpx.post(f"{base}/tamper/{identity}", data={"do": "edit"}, trust_env=False)
    assert tampered.status_code == 303
    assert _proofs(stricken)["mastodon"] == {"same", "differs"}

    stricken.update(slug)
    stricken.settled()
    post = httpx.get(f"{base}/api/v1/statuses/{identity}", trust_env=False).json()
    assert post["edited_at"] and ("dinsdagavond" in post["content"] or "Tuesday evening" in post["content"])
    assert _proofs(stricken)["mastodon"] == {"same"}

    withdrawn = stricken.town.cli("withdraw", slug, "--reason", "nl=Toch niet.", "--reason", "en=Not so.", "--json")
    assert withdrawn.code == 0, withdrawn.err
    stricken.settled()
    post = httpx.get(f"{base}/api/v1/statuses/{identity}", trust_env=False).json()
    assert "Ingetrokken" in post["content"] or "Withdrawn" in post["content"]
    assert len(posted(stricken)) == 2, "nothing was posted beside the first two"


def _proofs(stricken: Stricken) -> dict[str, set[str]]:
    """What ``omroeper prove`` says, by outlet."""
    found: dict[str, set[str]] = {}
    for row in stricken.town.cli("prove", "--json").json:
        found.setdefault(row["outlet"], set()).add(row["result"])
    return found
