"""Apprise in the contract suite: a web hook of the practice town's form, that says yes, no, or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from channels.contract import Outcome, Reason
from channels.kit.egress import Egress
from tests.contract.case import BroadcastCase, Expected
from tests.support.webhook_far import AFTER, ANSWERS, BEFORE, REFUSED, SILENCE, TRICKLE, webhook

TOKEN = "KanarieKanarieKanarieKan"
SETTINGS: Mapping[str, object] = {"url": f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}"}
NO, NOTHING = Expected(Outcome.UNKNOWN, Reason.NOT_UNDERSTOOD), Expected(Outcome.UNKNOWN, Reason.NO_ANSWER)
# Only what was not connected to is certainly unsent: Apprise does not tell a clear no from a lost answer.
DOUBTS = {BEFORE: NO, AFTER: NO, SILENCE: NO, **dict.fromkeys(ANSWERS, NO), TRICKLE: NOTHING}
WRONG: tuple[tuple[Mapping[str, object], frozenset[str]], ...] = (
    ({}, frozenset({"url"})),
    ({"url": "syslog://localhost", "seconds": 0}, frozenset({"url", "seconds"})),
    ({"url": f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}?attach=/etc/passwd"}, frozenset({"url"})),
)


@dataclass(frozen=True)
class _FarSide:
    settings: Mapping[str, object]
    egress: Egress


@asynccontextmanager
async def _far_side(folder: Path, fault: str) -> AsyncIterator[_FarSide]:
    async with webhook(fault) as far:
        settings = {"url": f"json://127.0.0.1:{far.port}/hook/{TOKEN}", "seconds": 0.5}
        yield _FarSide(settings, Egress({("127.0.0.1", far.port)}, closed=True))


CASE = BroadcastCase(
    name="apprise",
    settings=SETTINGS,
    secrets=(TOKEN,),
    wrong=(*WRONG, ({"url": f"signals://signal.example/{TOKEN}/{{address}}"}, frozenset({"url"}))),
    moments={**DOUBTS, REFUSED: Expected(None, down=True)},
    far_side=_far_side,
)
