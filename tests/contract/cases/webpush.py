"""The push channel in the contract suite: a scripted push service, and devices that can read."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channels.contract import Copy, Outcome, Reason
from channels.kit.egress import Egress
from channels.kit.vapid import new_key
from tests.contract.case import DirectCase, Expected, Taken
from tests.support.push_far import (
    CLOSE,
    ENDLESS,
    GARBAGE,
    HALF,
    HOST,
    RESET,
    SILENCE,
    SPLIT,
    Pushed,
    PushFarSide,
    Reply,
    created,
    device,
    push_far,
    reserved,
)

D, R, G, U, A = Outcome.DEFERRED, Outcome.REJECTED, Outcome.GONE, Outcome.UNKNOWN, Outcome.ACCEPTED
HELD = reserved()
PORT = HELD.getsockname()[1]
ORIGIN = f"http://{HOST}:{PORT}"
KEY = new_key()
SETTINGS: Mapping[str, object] = {
    "vapid_key": KEY,
    "contact": "mailto:berichten@losser.example",
    "extra_hosts": [f"{HOST}:{PORT}"],
    "concurrency": 2,
    "reply_seconds": 0.5,
}
NOBODY = "nobody listens"

# What it answers or does once the whole request is there, and what must come of it.
ANSWERS: dict[int, Expected] = {
    200: Expected(A, Reason.OK),
    201: Expected(A, Reason.OK),
    202: Expected(A, Reason.OK),
    204: Expected(A, Reason.OK),
    301: Expected(R, Reason.CONTENT_REFUSED),
    307: Expected(R, Reason.CONTENT_REFUSED),
    400: Expected(R, Reason.CONTENT_REFUSED),
    401: Expected(D, Reason.POLICY),
    403: Expected(D, Reason.POLICY),
    404: Expected(G, Reason.NO_SUCH_ADDRESS),
    406: Expected(R, Reason.CONTENT_REFUSED),
    408: Expected(D, Reason.BUSY),
    410: Expected(G, Reason.NO_SUCH_ADDRESS),
    413: Expected(R, Reason.TOO_LARGE),
    418: Expected(R, Reason.CONTENT_REFUSED),
    429: Expected(D, Reason.THROTTLED),
    500: Expected(D, Reason.BUSY),
    502: Expected(D, Reason.BUSY),
    503: Expected(D, Reason.BUSY),
    504: Expected(D, Reason.BUSY),
}
ACTS: dict[str, Expected] = {
    CLOSE: Expected(U, Reason.CONNECTION_LOST),
    RESET: Expected(U, Reason.CONNECTION_LOST),
    HALF: Expected(U, Reason.CONNECTION_LOST),
    SILENCE: Expected(U, Reason.NO_ANSWER),
    GARBAGE: Expected(U, Reason.NOT_UNDERSTOOD),
    SPLIT: Expected(A, Reason.OK),
    ENDLESS: Expected(A, Reason.OK),
}
MOMENTS = {
    NOBODY: Expected(D, Reason.CONNECTION_LOST),
    **{f"answers {status}": expected for status, expected in ANSWERS.items()},
    **ACTS,
}


def shown(notification: Mapping[str, Any]) -> str:
    """All that its reader sees of a notification."""
    actions = [line for action in notification.get("actions", ()) for line in (action["title"], action["navigate"])]
    return "\n".join([notification["title"], notification["body"], notification["navigate"], *actions])


def readable(copy: Copy) -> tuple[str, ...]:
    filled = re.sub(r"\n(\{\{\w+\}\})\n", r'"\1"', copy.parts["payload"])
    return (shown(json.loads(filled)["notification"]),)


@dataclass(frozen=True)
class _FarSide:
    far: PushFarSide
    settings: Mapping[str, object]
    egress: Egress

    @property
    def connections(self) -> int:
        return self.far.connections

    @property
    def taken(self) -> list[Taken]:
        return [
            Taken(
                address=device(pushed.device).address(ORIGIN),
                remote_id=reply.headers.get("Location", ""),
                texts=(shown(device(pushed.device).read(pushed)),),
                twin=pushed.headers["topic"],
            )
            for pushed, reply in self.far.taken
        ]


def _behaviour(fault: str) -> Callable[[Pushed], Reply]:
    if not fault:
        return created
    if fault in ACTS:
        return lambda _: Reply(act=fault, taken=True)
    status = int(fault.rsplit(maxsplit=1)[-1])
    body = b"" if status == 204 else b"in the service's own words \xff"
    return lambda _: Reply(status, body=body, taken=200 <= status < 300)


@asynccontextmanager
async def _far_side(folder: Path, fault: str) -> AsyncIterator[_FarSide]:
    egress = Egress({(HOST, PORT)})
    if fault == NOBODY:
        yield _FarSide(PushFarSide(created), SETTINGS, egress)
        return
    async with push_far(_behaviour(fault), port=PORT) as far:
        yield _FarSide(far, SETTINGS, egress)


CASE = DirectCase(
    name="webpush",
    settings=SETTINGS,
    wrong=(
        ({}, frozenset({"vapid_key", "contact"})),
        (
            {
                **{"vapid_key": "geheim", "contact": "Losser <berichten@losser.example>", "ttl": 1},
                **{"concurrency": 0, "extra_hosts": ["https://push.losser.example"], "reply_seconds": 0},
                **{"opening_seconds": -1, "idle_seconds": 1000},
            },
            frozenset(
                {"vapid_key", "contact", "ttl", "concurrency", "extra_hosts", "reply_seconds", "opening_seconds"}
                | {"idle_seconds"}
            ),
        ),
    ),
    secrets=(KEY, "geheim", "/push/resident-0001", device("resident-0001").address(ORIGIN)),
    moments=MOMENTS,
    far_side=_far_side,
    readable=readable,
    addresses=lambda n: [device(f"resident-{i:04d}").address(ORIGIN) for i in range(1, n + 1)],
    slots={"preferences_url": 'https://losser.example/keuze/Zm9vYmFy?a=1&b="2"', "leave_url": ""},
    own_ids=False,
)
