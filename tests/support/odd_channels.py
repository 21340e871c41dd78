"""Channels that misbehave on purpose: what the ledger makes of one that breaks its contract."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import ClassVar

from channels.contract import (
    Abilities,
    Act,
    Bulletin,
    ChannelSettings,
    Copy,
    Direct,
    Finding,
    Limits,
    Outcome,
    Receipt,
    Recipient,
)


class Failing(Direct):
    """Takes three recipients, answers for one it was not given and for one of the three, and breaks."""

    name = "failing"
    limits = Limits()
    can: ClassVar[Abilities] = Abilities()
    Settings: ClassVar[type[ChannelSettings]] = ChannelSettings

    def compose(self, bulletin: Bulletin, language: str, act: Act, limits: Limits) -> Copy:  # noqa: ARG002
        return Copy(language=language, act=act, text=bulletin.text_for(language).title, parts={})

    async def check(self) -> list[Finding]:
        return []

    async def deliver(
        self,
        act: Act,  # noqa: ARG002
        copy: Copy,  # noqa: ARG002
        recipients: AsyncIterable[Recipient],
    ) -> AsyncIterator[Receipt]:
        pulled: list[Recipient] = []
        async for recipient in recipients:
            pulled.append(recipient)
            if len(pulled) == 3:
                break
        yield Receipt(key="nobody's", outcome=Outcome.ACCEPTED)
        yield Receipt(key=pulled[1].key, outcome=Outcome.ACCEPTED)
        raise ZeroDivisionError("a mistake of the channel's own")
