"""Apprise to one person at a time in the contract suite: the same web hook, with a telephone number in its path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from channels.contract import Outcome, Reason
from channels.kit.egress import Egress
from tests.contract.case import DirectCase, Expected, Taken
from tests.contract.cases.apprise import DOUBTS, TOKEN
from tests.support.webhook_far import REFUSED, WebhookFarSide, webhook

SETTINGS: Mapping[str, object] = {
    "url": f"threema://*LOSSER1@{TOKEN}/{{address}}",
    "address": "threema",
}


@dataclass(frozen=True)
class _FarSide:
    hook: WebhookFarSide
    settings: Mapping[str, object]
    egress: Egress

    @property
    def taken(self) -> list[Taken]:
        return [
            Taken(unquote(path.rpartition("/")[2]), "", (document["message"],), twin="")
            for path, document in self.hook.taken
        ]

    @property
    def connections(self) -> int:
        return self.hook.connections


@asynccontextmanager
async def _far_side(folder: Path, fault: str) -> AsyncIterator[_FarSide]:
    async with webhook(fault) as far:
        url = f"json://127.0.0.1:{far.port}/{TOKEN}/{{address}}"
        settings = {"url": url, "address": "phone", "seconds": 0.5}
        yield _FarSide(far, settings, Egress({("127.0.0.1", far.port)}, closed=True))


CASE = DirectCase(
    name="apprise-direct",
    settings=SETTINGS,
    secrets=(TOKEN,),
    wrong=(
        ({}, frozenset({"url", "address"})),
        (
            {"url": "windows://localhost/{address}", "address": "e-mail", "seconds": 99, "connections": 0},
            frozenset({"url", "address", "seconds", "connections"}),
        ),
        ({**SETTINGS, "url": f"threema://*LOSSER1@{TOKEN}/ECHOECHO"}, frozenset({"url"})),
        ({**SETTINGS, "url": f"threema://{{address}}@{TOKEN}/ECHOECHO"}, frozenset({"url"})),
        ({**SETTINGS, "url": f"threema://*LOSSER1@{TOKEN}/{{address}}?verify=no"}, frozenset({"url"})),
    ),
    moments={**DOUBTS, REFUSED: Expected(Outcome.DEFERRED, Reason.CONNECTION_LOST, down=True)},
    far_side=_far_side,
    addresses=lambda n: [f"+316{i:08d}" for i in range(1, n + 1)],
    slots={"leave_url": "https://losser.example/stop/Zm9vYmFy?a=1&b=2"},
    keeps_connections=False,
)
