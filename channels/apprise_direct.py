"""Apprise to one person at a time, where a service's address can hold theirs: Signal, Threema, a text message.

The setting ``url`` is a template with ``{address}`` in its path. As little is certain as in ``channels.apprise``:
yes, no connection, or doubt, which a person settles. Three doubts in a row stop the outlet: a revoked key would else
leave a doubt about everyone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

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
    OutletDown,
    Reason,
    Receipt,
    Recipient,
    Surroundings,
    Unit,
)
from channels.kit import apprise_message
from channels.kit.apprise_message import LONGEST, AppriseSettings, Sender, checked, limits_of, require_place
from channels.kit.apprise_url import ADDRESS, UrlRefused, filled

DOUBTS_IN_A_ROW = 3


class UrlTemplate(AppriseSettings):
    """The settings: see ``AppriseSettings``. ``address`` is what a subscriber's must look like to be put in."""

    address: Literal["phone", "threema", "name"]
    connections: Annotated[int, Field(ge=1, le=8)] = 2

    @field_validator("url")
    @classmethod
    def _allowed(cls, url: SecretStr) -> SecretStr:
        return checked(url, personal=True)


class AppriseDirect(Direct):
    """See the module."""

    name = "apprise-direct"
    limits = Limits(length=LONGEST, unit=Unit.CHARACTERS)
    can: ClassVar[Abilities] = Abilities(never_repeat=True)
    Settings: ClassVar[type[ChannelSettings]] = UrlTemplate

    def __init__(self, settings: ChannelSettings, surroundings: Surroundings) -> None:
        """
        Raises:
            SettingsInvalid: the address is for the practice town, and this is none.
        """
        assert isinstance(settings, UrlTemplate)
        super().__init__(settings, surroundings)
        url = settings.url.get_secret_value()
        require_place(self.name, url, surroundings.egress)
        self.service = settings
        self.limits = limits_of(url, personal=True)
        self.sender = Sender(surroundings.egress, settings.seconds)

    def compose(self, bulletin: Bulletin, language: str, act: Act, limits: Limits) -> Copy:
        """See ``apprise_message.compose``. The link to leave is a slot of its own."""
        return apprise_message.compose(bulletin, language, act, limits, personal=True)

    def deliver(
        self,
        act: Act,  # noqa: ARG002 - the copy carries it
        copy: Copy,
        recipients: AsyncIterable[Recipient],
    ) -> AsyncIterator[Receipt]:
        """See ``Direct.deliver``."""
        return _Run(self.service, self.sender, copy).receipts(recipients)

    async def check(self) -> list[Finding]:
        """See ``apprise_message.check``."""
        sample = {"phone": "+31600000000", "threema": "ECHOECHO", "name": "example"}[self.service.address]
        url = self.service.url.get_secret_value().replace(ADDRESS, sample)
        return await apprise_message.check(self.surroundings.egress, url)


class _Run:
    """One call of ``deliver``: pulls as fast as connections are free, yields as receipts come."""

    def __init__(self, service: UrlTemplate, sender: Sender, copy: Copy) -> None:
        self.service, self.sender, self.copy = service, sender, copy
        self.room = asyncio.Semaphore(service.connections)
        self.receipts_in: asyncio.Queue[Receipt | None] = asyncio.Queue()
        self.reached = asyncio.Lock()
        self.is_reached = False
        self.down: OutletDown | None = None
        self.doubts = 0
        self.sending: set[asyncio.Task[None]] = set()

    async def receipts(self, recipients: AsyncIterable[Recipient]) -> AsyncGenerator[Receipt, None]:
        pulling = asyncio.create_task(self._pull(recipients))
        pulling.add_done_callback(lambda _: self.receipts_in.put_nowait(None))
        try:
            while True:
                receipt = await self.receipts_in.get()
                if receipt is not None:
                    yield receipt
                if self.down is not None and not self.sending:
                    pulling.cancel()
                if pulling.done() and not self.sending and self.receipts_in.empty():
                    break
        finally:
            pulling.cancel()
            await asyncio.wait([pulling, *self.sending])
        if not pulling.cancelled():
            pulling.result()
        if self.down is not None:
            raise self.down

    async def _pull(self, recipients: AsyncIterable[Recipient]) -> None:
        pulled = aiter(recipients)
        while True:
            await self.room.acquire()
            if self.down is not None:
                return
            try:
                recipient = await anext(pulled)
            except StopAsyncIteration:
                return
            task = asyncio.create_task(self._serve(recipient))
            self.sending.add(task)

    async def _serve(self, recipient: Recipient) -> None:
        try:
            receipt = await self._receipt(recipient)
        except OutletDown as down:
            self.down = self.down or down
            receipt = Receipt(
                key=recipient.key, outcome=Outcome.DEFERRED, reason=Reason.CONNECTION_LOST, detail=down.reason[:200]
            )
        except Exception as error:
            receipt = Receipt(
                key=recipient.key, outcome=Outcome.UNKNOWN, reason=Reason.FAULT, detail=type(error).__name__
            )
        task = asyncio.current_task()
        assert task is not None
        self.sending.discard(task)
        self.room.release()
        self.receipts_in.put_nowait(receipt)

    async def _receipt(self, recipient: Recipient) -> Receipt:
        key = recipient.key
        try:
            url = filled(self.service.url.get_secret_value(), recipient.address, self.service.address)
        except UrlRefused as refused:
            return Receipt(
                key=key, outcome=Outcome.REJECTED, reason=Reason.ADDRESS_NOT_SUPPORTED, detail=str(refused)[:200]
            )
        text = self.copy.text
        for slot in self.copy.slots:
            if slot not in recipient.slots:
                return Receipt(key=key, outcome=Outcome.REJECTED, reason=Reason.FAULT, detail=f"{slot} is not filled")
            text = text.replace(f"{{{{{slot}}}}}", recipient.slots[slot])
        async with self.reached:
            if self.down is not None:
                raise self.down
            if not self.is_reached:
                await self.sender.reach(url)
                self.is_reached = True
        try:
            said = await self.sender.send(url, text)
        except TimeoutError:
            return self._doubt(key, Reason.NO_ANSWER, "")
        if not said:
            return self._doubt(key, Reason.NOT_UNDERSTOOD, "Apprise said no.")
        self.doubts = 0
        return Receipt(key=key, outcome=Outcome.ACCEPTED)

    def _doubt(self, key: str, reason: Reason, detail: str) -> Receipt:
        self.doubts += 1
        if self.doubts >= DOUBTS_IN_A_ROW:
            self.down = self.down or OutletDown(
                f"Apprise said no or nothing {self.doubts} times in a row. Look whether the service took them.",
                needs_person=True,
            )
        return Receipt(key=key, outcome=Outcome.UNKNOWN, reason=reason, detail=detail)
