"""One delivery run over a pool of connections: recipients are pulled and receipts are given side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import replace
from time import monotonic

from channels.contract import Outcome, OutletDown, Reason, Receipt, Recipient
from channels.kit.smtp import Connection, Mail
from channels.kit.smtp_open import NotOpened, endpoint_words, one_line
from channels.kit.smtp_outcomes import Moment, Stops, Verdict, judge
from channels.kit.smtp_pool import Pool

_LOSSES = 3  # connections lost in a row without one answered message: the server is not well

Prepare = Callable[[Recipient], Mail | Receipt]


class Run:
    """One delivery run over a pool's connections. ``receipts`` is used once."""

    def __init__(self, pool: Pool, recipients: AsyncIterable[Recipient], prepare: Prepare) -> None:
        self._pool = pool
        self._recipients = recipients
        self._prepare = prepare
        self._ahead = 2 * pool.ceiling  # recipients pulled before a connection is free for them
        self._ready: deque[Recipient] = deque()
        self._done: deque[Receipt] = deque()
        self._open = 0  # pulled, and no receipt yet
        self._active: set[Connection] = set()
        self._resting: list[Connection] = []
        self._openings: set[asyncio.Task[Connection]] = set()
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._losses = 0
        self._down: OutletDown | None = None
        self._why = Verdict(Outcome.DEFERRED, Reason.BUSY)
        self._puller: asyncio.Task[None] | None = None
        self._room: asyncio.Future[None] | None = None
        self._news: asyncio.Future[None] | None = None

    async def receipts(self) -> AsyncIterator[Receipt]:
        """One receipt for each recipient pulled, as soon as it is known.

        Raises:
            OutletDown: after the last of them.
            Exception: whatever the iterator of recipients raised, after the last of them.
        """
        loop = asyncio.get_running_loop()
        for connection in await self._pool.take():
            self._join(connection)
        self._puller = puller = loop.create_task(self._pull())
        watch = loop.create_task(self._watch())
        puller.add_done_callback(lambda _: self._tell())
        try:
            while True:
                while self._done:
                    yield self._done.popleft()
                if puller.done() and not self._open and not self._done:
                    break
                self._news = loop.create_future()
                await self._news
        finally:
            await self._end(puller, watch)
        if not puller.cancelled() and (failure := puller.exception()) is not None:
            raise failure
        if self._down is not None:
            raise self._down

    # recipients

    async def _pull(self) -> None:
        async for recipient in self._recipients:
            self._open += 1
            self._ready.append(recipient)
            if self._down:
                self._defer_the_rest()
                return
            self._distribute()
            if len(self._ready) >= self._ahead:
                self._room = asyncio.get_running_loop().create_future()
                await self._room

    def _distribute(self) -> None:
        """Gives what is ready to connections that rest, and opens more where that is not enough."""
        while self._ready and self._resting:
            connection = self._resting.pop()
            if not connection.gone and (mail := self.next_mail(connection)) is not None:
                connection.start(mail)
            elif not connection.gone:
                self._resting.append(connection)
                break
        openings = len(self._openings)
        while (
            openings < len(self._ready)
            and openings + len(self._active) < self._pool.ceiling
            and (self._pool.proven or not openings)
            and not self._down
        ):
            opening = asyncio.get_running_loop().create_task(self._pool.open())
            self._openings.add(opening)
            opening.add_done_callback(self._opened)
            openings += 1

    # connections

    def _join(self, connection: Connection) -> None:
        connection.work = self
        self._active.add(connection)
        self._resting.append(connection)

    def _opened(self, opening: asyncio.Task[Connection]) -> None:
        self._openings.discard(opening)
        if opening.cancelled():
            return
        error = opening.exception()
        if error is None:
            self._join(opening.result())
            self._distribute()
        elif self._active or self._openings:
            self._pool.restrain(len(self._active) + len(self._openings))
        elif isinstance(error, NotOpened):
            self._stop(error.verdict, str(error))
        else:
            self._stop(Verdict(Outcome.DEFERRED, Reason.FAULT, Stops.OUTLET), f"{type(error).__name__} while opening")

    def next_mail(self, connection: Connection) -> Mail | None:
        if self._down or connection.begun >= self._pool.messages:
            return None
        while self._ready:
            recipient = self._ready.popleft()
            if self._room is not None and len(self._ready) < self._ahead // 2:
                if not self._room.done():
                    self._room.set_result(None)
                self._room = None
            prepared = self._prepared(recipient)
            if not isinstance(prepared, Mail):
                self._settle(prepared)
            elif (objection := connection.objection(prepared)) is not None:
                self.judged(prepared, Moment.MAIL, *objection)
            else:
                connection.begun += 1
                return prepared
        return None

    def _prepared(self, recipient: Recipient) -> Mail | Receipt:
        """A mistake of our own costs one recipient, with a receipt that says so, and not the run."""
        try:
            return self._prepare(recipient)
        except Exception as error:
            detail = f"{type(error).__name__} while the message was made"
            return Receipt(key=recipient.key, outcome=Outcome.REJECTED, reason=Reason.FAULT, detail=detail)

    def idle(self, connection: Connection) -> None:
        if connection.begun >= self._pool.messages:
            self._active.discard(connection)
            connection.work = None
            goodbye = asyncio.get_running_loop().create_task(connection.quit())
            self._goodbyes.add(goodbye)
            goodbye.add_done_callback(self._goodbyes.discard)
            self._distribute()
        else:
            self._resting.append(connection)

    def lost(self, connection: Connection, code: str, text: str, never_begun: Mail | None) -> None:
        self._active.discard(connection)
        if connection in self._resting:
            self._resting.remove(connection)
        if never_begun is not None:
            self._ready.appendleft(never_begun.recipient)
            self._distribute()
            return
        alone = not self._active and not self._openings
        if code == "421":
            self._pool.restrain(len(self._active) + len(self._openings))
        else:
            self._losses += 1
        if (alone and (code == "421" or not connection.finished)) or self._losses >= _LOSSES:
            self._stop(replace(judge(Moment.MAIL, code), stops=Stops.OUTLET), text)
        else:
            self._distribute()

    # outcomes

    def accepted(self, mail: Mail, text: str) -> None:
        self._losses = 0
        self._settle(
            Receipt(key=mail.recipient.key, outcome=Outcome.ACCEPTED, detail=one_line(text), remote_id=mail.remote_id)
        )

    def judged(self, mail: Mail, moment: Moment, verdict: Verdict, text: str) -> None:
        if moment is Moment.DOT and verdict.stops is not Stops.CONNECTION:
            self._losses = 0
        self._settle(self._receipt(mail.recipient, verdict, text, mail.remote_id))
        if verdict.stops in (Stops.OUTLET, Stops.PERSON):
            self._stop(verdict, text)

    def _receipt(self, recipient: Recipient, verdict: Verdict, text: str, remote_id: str = "") -> Receipt:
        return Receipt(
            key=recipient.key,
            outcome=verdict.outcome,
            reason=verdict.reason,
            detail=endpoint_words(self._pool.endpoint, text),
            remote_id=remote_id if verdict.outcome is Outcome.UNKNOWN else "",
            retry_after=verdict.retry_after,
        )

    def _settle(self, receipt: Receipt) -> None:
        self._open -= 1
        self._done.append(receipt)
        self._tell()

    def _tell(self) -> None:
        if self._news is not None:
            if not self._news.done():
                self._news.set_result(None)
            self._news = None

    def _stop(self, verdict: Verdict, text: str) -> None:
        """Nothing more goes out in this run: what is under way comes to its end, what is pulled is deferred."""
        if self._down is None:
            self._down = OutletDown(
                endpoint_words(self._pool.endpoint, text),
                retry_after=verdict.retry_after,
                needs_person=verdict.stops is Stops.PERSON,
            )
            self._why = verdict
        if self._puller is not None:
            self._puller.cancel()
        self._defer_the_rest()
        self._tell()

    def _defer_the_rest(self) -> None:
        assert self._down is not None
        while self._ready:
            self._settle(self._receipt(self._ready.popleft(), self._why, self._down.reason))

    # time

    async def _watch(self) -> None:
        """Gives up connections whose reply, or whose message, takes too long: a slow server holds up nobody else."""
        endpoint = self._pool.endpoint
        while True:
            await asyncio.sleep(min(1.0, endpoint.reply / 8, endpoint.attempt / 8))
            now = monotonic()
            for connection in [c for c in self._active if c.busy]:
                if now - connection.waiting_since > endpoint.reply:
                    connection.expire(f"no reply within {endpoint.reply:g} s")
                elif now - connection.attempt_since > endpoint.attempt:
                    connection.expire(f"the message took more than {endpoint.attempt:g} s")

    async def _end(self, puller: asyncio.Task[None], watch: asyncio.Task[None]) -> None:
        unfinished: list[asyncio.Task[None] | asyncio.Task[Connection]] = [puller, watch, *self._openings]
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, *self._goodbyes, return_exceptions=True)
        for connection in self._active:
            if connection.busy:
                connection.work = None
                connection.drop()
            else:
                self._pool.give_back(connection)
