"""One delivery run over push services: recipients are pulled and receipts are given side by side."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import suppress
from typing import Final

from channels.contract import Outcome, OutletDown, Reason, Receipt, Recipient, Vault
from channels.kit.push_job import Job, Manner
from channels.kit.push_outcomes import WAIT_MOST, Verdict
from channels.kit.push_service import Service

AHEAD: Final = 512  # recipients without a receipt beyond which no more are pulled: for sources without a window
_AT_ONCE = 4  # messages encrypted before the connections get a turn

Prepare = Callable[[Recipient, Callable[[Receipt], None]], tuple[str, Job] | Receipt]


class Services:
    """The push services met so far, by origin. They live as long as the channel does."""

    def __init__(self, manner: Manner, vault: Vault | None) -> None:
        self._manner = manner
        self._vault = vault
        self._sharing: set[asyncio.Task[None]] = set()
        self._met: dict[str, Service] = {}
        self._listeners: list[Callable[[str], None]] = []

    def at(self, origin: str) -> Service:
        """The service at ``origin``."""
        if origin not in self._met:
            self._met[origin] = Service(
                origin, self._manner, self._mistrusted, lambda seconds: self._share(origin, seconds)
            )
        return self._met[origin]

    async def learn(self, origin: str) -> None:
        """Lets the service at ``origin`` rest as long as it told another worker of this outlet to wait."""
        if self._vault is None:
            return
        with suppress(Exception):  # what cannot be read is learned from the service itself, at the cost of an answer
            until = await self._vault.get(_name_of(origin))
            if until is not None and (left := float(until) - time.time()) > 0:
                self.at(origin).rest(min(left, WAIT_MOST))

    def _share(self, origin: str, seconds: float) -> None:
        if self._vault is not None:
            sharing = asyncio.get_running_loop().create_task(self._put(origin, time.time() + seconds))
            self._sharing.add(sharing)
            sharing.add_done_callback(self._sharing.discard)

    async def _put(self, origin: str, until: float) -> None:
        assert self._vault is not None
        with suppress(Exception):  # as above
            await self._vault.put(_name_of(origin), str(until))

    async def shared(self) -> None:
        """Waits until the other workers can know."""
        await asyncio.gather(*self._sharing)

    def all(self) -> list[Service]:
        return list(self._met.values())

    @property
    def tick(self) -> float:
        """Seconds between two looks at what takes too long."""
        return min(0.5, self._manner.reply / 8)

    def listen(self, listener: Callable[[str], None]) -> None:
        """``listener`` hears when nobody accepts who we are."""
        self._listeners.append(listener)

    def unlisten(self, listener: Callable[[str], None]) -> None:
        self._listeners.remove(listener)

    def _mistrusted(self, words: str) -> None:
        # Another service knows us, so the trouble is that service's and ours: the others need not wait for it.
        if not any(service.trusted for service in self._met.values()):
            for listener in self._listeners:
                listener(words)

    async def close(self) -> None:
        await self.shared()
        for service in self._met.values():
            await service.close()


def _name_of(origin: str) -> str:
    return "rest." + hashlib.blake2b(origin.encode(), digest_size=16).hexdigest()


class Run:
    """One delivery run. ``receipts`` is used once."""

    def __init__(self, services: Services, recipients: AsyncIterable[Recipient], prepare: Prepare) -> None:
        self._services = services
        self._recipients = recipients
        self._prepare = prepare
        self._open: set[str] = set()  # keys pulled, and no receipt yet
        self._learned: set[str] = set()  # services of which we know what other workers do
        self._done: deque[Receipt] = deque()
        self._down: OutletDown | None = None
        self._puller: asyncio.Task[None] | None = None
        self._news: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None

    async def receipts(self) -> AsyncIterator[Receipt]:
        """One receipt for each recipient pulled, as soon as it is known.

        Raises:
            OutletDown: after the last of them.
            Exception: whatever the iterator of recipients raised, after the last of them.
        """
        loop = asyncio.get_running_loop()
        self._services.listen(self._stop)
        self._puller = puller = loop.create_task(self._pull())
        puller.add_done_callback(lambda _: self._wake())
        watch = loop.create_task(self._watch())
        try:
            while True:
                while self._done:
                    yield self._done.popleft()
                if puller.done() and not self._open and not self._done:
                    break
                self._news = loop.create_future()
                await self._news
        finally:
            self._services.unlisten(self._stop)
            puller.cancel()
            watch.cancel()
            await asyncio.gather(puller, watch, return_exceptions=True)
            await self._services.shared()
            if self._open:
                for service in self._services.all():
                    service.forget(self._open)
        if not puller.cancelled() and (failure := puller.exception()) is not None:
            raise failure
        if self._down is not None:
            raise self._down

    async def _pull(self) -> None:
        turn = 0
        async for recipient in self._recipients:
            self._open.add(recipient.key)
            await self._begin(recipient)
            if self._down is not None:
                return
            turn += 1
            if turn % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if len(self._open) >= AHEAD:
                self._room = asyncio.get_running_loop().create_future()
                await self._room

    async def _begin(self, recipient: Recipient) -> None:
        """A mistake of our own costs one recipient, with a receipt that says so, and not the run."""
        try:
            prepared = self._prepare(recipient, self._settle)
        except Exception as error:
            detail = f"{type(error).__name__} while the message was made"
            prepared = Receipt(key=recipient.key, outcome=Outcome.REJECTED, reason=Reason.FAULT, detail=detail)
        if isinstance(prepared, Receipt):
            self._settle(prepared)
        elif self._down is not None:
            self._settle(
                Receipt(key=recipient.key, outcome=Outcome.DEFERRED, reason=Reason.POLICY, detail=self._down.reason)
            )
        else:
            origin, job = prepared
            if origin not in self._learned:
                self._learned.add(origin)
                await self._services.learn(origin)
            self._services.at(origin).take(job)

    def _settle(self, receipt: Receipt) -> None:
        if receipt.key not in self._open:
            return
        self._open.discard(receipt.key)
        self._done.append(receipt)
        if self._room is not None and len(self._open) < AHEAD // 2:
            if not self._room.done():
                self._room.set_result(None)
            self._room = None
        self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def _stop(self, words: str) -> None:
        """Nobody accepts who we are: what is on the wire comes to its end, the rest stays due."""
        if self._down is None:
            self._down = OutletDown(words, needs_person=True)
        if self._puller is not None:
            self._puller.cancel()
        for service in self._services.all():
            service.defer_all(Verdict(Outcome.DEFERRED, Reason.POLICY))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._services.tick)
            for service in self._services.all():
                service.watch()
