"""Pushing from a test: our channel, recipients at scripted push services, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

from channels.contract import Act, Bulletin, Copy, Receipt, Recipient, Surroundings, Text
from channels.kit.egress import Egress
from channels.kit.vapid import new_key
from channels.webpush import WebPush
from tests.support.bulletins import NL, bulletin
from tests.support.push_far import HOST, device

T = TypeVar("T")
SLOTS = {"preferences_url": "https://losser.example/preferences/abc", "action_url": "https://losser.example/confirm/x"}


def channel(*ports: int, **values: object) -> WebPush:
    given = {
        "vapid_key": new_key(),
        "contact": "mailto:berichten@losser.example",
        "extra_hosts": [f"{HOST}:{port}" for port in ports],
        "concurrency": 4,
        **values,
    }
    return WebPush(WebPush.read_settings(given), Surroundings(Egress({(HOST, port) for port in ports})))


def recipient(name: str, port: int, scheme: str = "http") -> Recipient:
    return Recipient(
        address=device(name).address(f"{scheme}://{HOST}:{port}"), key=name, thread=f"thread.{name}", slots=SLOTS
    )


async def deliver(made: WebPush, copy: Copy, given: Collection[Recipient]) -> list[Receipt]:
    async def source() -> AsyncIterator[Recipient]:
        for each in given:
            yield each

    return [receipt async for receipt in made.deliver(copy.act, copy, source())]


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 60))


def compose(made: WebPush, act: Act = Act.ANNOUNCE, text: Text = NL, **changes: Any) -> Copy:
    source: Bulletin = replace(bulletin(text), **changes)
    return made.compose(source, text.language, act, made.limits)
