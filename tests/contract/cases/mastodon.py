"""The mastodon channel in the contract suite: the practice town's timeline is its far side."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from channels.contract import Outcome, Reason
from dispatcher.practice.timeline.api import READ_ONLY
from tests.contract.case import BroadcastCase, Expected
from tests.support.timeline import FarTimeline, timeline

SETTINGS: Mapping[str, object] = {"url": "https://social.losser.example", "token": "a-token-nobody-sees"}
WRONG_TOKEN, READS_ONLY = "a token that is not known", "a token that may only read"

CERTAIN = Expected(None, down=True)
DOUBT = Expected(None, down=True, doubtful=True)
PERSON = Expected(None, down=True, needs_person=True)


def _answer(status: int, **more: object) -> Mapping[str, object]:
    return {"kind": "answer", "status": status, **more}


def _cut(moment: str, how: str = "fin", **more: object) -> Mapping[str, object]:
    return {"kind": "cut", "moment": moment, "how": how, **more}


# Each moment at which things can go wrong, and what is known then.
MOMENTS: Mapping[str, tuple[Mapping[str, object], Expected]] = {
    "the connection is refused": ({"kind": "refuse"}, CERTAIN),
    "reset when connected": (_cut("connect", "rst"), DOUBT),
    "closed before the body": (_cut("before-body"), DOUBT),
    "reset in the body": (_cut("in-body", "rst"), DOUBT),
    "closed after the body, taken": (_cut("after-body"), DOUBT),
    "closed after the body, not taken": (_cut("after-body", taken=False), DOUBT),
    "half a status line": (_cut("after-body", send="HTTP/1.1 20"), DOUBT),
    "yes, and half a post": (
        _cut("after-body", send='HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"id": "1'),
        Expected(Outcome.UNKNOWN, Reason.NOT_UNDERSTOOD),
    ),
    "yes, and no post": (_answer(200, body="[]", taken=True), Expected(Outcome.UNKNOWN, Reason.NOT_UNDERSTOOD)),
    "nonsense": (_answer(200, body="<html>", taken=True), Expected(Outcome.UNKNOWN, Reason.NOT_UNDERSTOOD)),
    "moved": (_answer(302, headers={"Location": "https://elsewhere.example/"}), PERSON),
    "401": (_answer(401), PERSON),
    "403": (_answer(403), PERSON),
    "404": (_answer(404), PERSON),
    "413": (_answer(413), Expected(Outcome.REJECTED, Reason.TOO_LARGE)),
    "422": (_answer(422, body='{"error": "too long"}'), Expected(Outcome.REJECTED, Reason.CONTENT_REFUSED)),
    "429": (_answer(429, headers={"Retry-After": "7"}), CERTAIN),
    "500": (_answer(500, taken=True), DOUBT),
    "502": (_answer(502), DOUBT),
    "503": (_answer(503), CERTAIN),
    "504": (_answer(504, taken=True), DOUBT),
}


@asynccontextmanager
async def _far_side(folder: Path, fault: str) -> AsyncIterator[FarTimeline]:
    faults = [MOMENTS[fault][0]] if fault in MOMENTS else []
    async with timeline(folder, *faults) as far:
        token = {WRONG_TOKEN: SETTINGS["token"], READS_ONLY: READ_ONLY}.get(fault)
        settings = {**far.settings, "token": token} if token else far.settings
        yield FarTimeline(far.peer, settings, far.egress)


CASE = BroadcastCase(
    name="mastodon",
    settings=SETTINGS,
    secrets=("a-token-nobody-sees", READ_ONLY, "geheim"),
    wrong=(
        ({}, frozenset({"url", "token"})),
        (
            {
                **{"url": "social.losser.example", "token": "", "visibility": "friends", "withdrawn": "hide"},
                **{"thread": "perhaps", "length": 5, "url_length": 0},
            },
            frozenset({"url", "token", "visibility", "withdrawn", "thread", "length", "url_length"}),
        ),
        ({**SETTINGS, "url": "http://social.losser.example"}, frozenset({"url"})),
        ({**SETTINGS, "url": "https://user:geheim@social.losser.example"}, frozenset({"url"})),
        ({**SETTINGS, "url": "https://social.losser.example/@losser"}, frozenset({"url"})),
    ),
    moments={
        **{name: expected for name, (_, expected) in MOMENTS.items()},
        WRONG_TOKEN: PERSON,
        READS_ONLY: PERSON,
    },
    far_side=_far_side,
)
