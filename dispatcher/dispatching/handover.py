"""Handing a batch over to a direct channel, at most a window ahead of what is settled.

The channel pulls recipients and yields receipts. Recipients are released up to the batch's mark; the mark moves with
each settling commit. Receipts are settled in groups of half a window: while one group is written, the channel works on
the other half. After each commit we look again whether a full group or the end has come: with nothing left in the
channel's hands no further receipt would ever wake us.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import structlog
from django.conf import settings
from django.db import DatabaseError

from channels.contract import Act, Copy, Direct, Outcome, OutletDown, Reason, Receipt, Recipient
from dispatcher.dispatching import settle
from dispatcher.dispatching.leasing import Lease
from dispatcher.dispatching.outlets import mark_well, reserve
from dispatcher.dispatching.process import WorkerProcess
from dispatcher.dispatching.settle import LeaseLost, Released, Result
from dispatcher.dispatching.slots import Addressing

log = structlog.get_logger("omroeper.handover")

# A receipt is written down at the latest after this many seconds, also where a group does not fill.
FLUSH_SECONDS = 0.5
# Receipts are kept in memory while the database is away, for this many attempts a second apart.
DATABASE_TRIES = 30


class HandOver:
    """One run over one batch."""

    def __init__(
        self, process: WorkerProcess, lease: Lease, lost: asyncio.Event, channel: Direct, copies: dict[str, Copy]
    ) -> None:
        self.process, self.lease, self.lost, self.channel = process, lease, lost, channel
        self.copy = copies[lease.language]
        self.window = settings.WINDOW
        self.addressing = Addressing(lease, self.copy)
        self.ready: deque[Released] = deque()
        self.pulled: dict[str, Released] = {}
        self.results: list[Result] = []
        self.after = 0
        self.exhausted = False
        self.well = False
        self.wake = asyncio.Event()
        self.settling: asyncio.Task[None] | None = None
        self.flush: asyncio.TimerHandle | None = None
        self.deadline = process.loop.time() + settings.TASK_SECONDS

    async def run(self) -> None:
        """Hands over until the batch is done, the task's time is up, or the worker was asked to stop.

        Raises:
            OutletDown: as the channel said; everything pulled has been settled by then.
        """
        down: OutletDown | None = None
        try:
            while not (self.ready or self.exhausted or self._must_stop()):
                await self._settle()
            if self.ready:
                async for receipt in self.channel.deliver(Act(self.lease.act), self.copy, self._recipients()):
                    self._take(receipt)
        except OutletDown as error:
            down = error
        except LeaseLost:
            self.lost.set()
        except Exception:
            # A channel's own mistake: what it had pulled may have gone out.
            log.exception("channel.failed", channel=self.lease.channel, batch=self.lease.batch_id)
            down = OutletDown("The channel failed; its log has the details.")
        await self._finish()
        if down is not None and not self.lost.is_set():
            raise down

    async def _recipients(self) -> AsyncIterator[Recipient]:
        while True:
            while self.ready:
                if self._must_stop():
                    return
                released = self.ready.popleft()
                recipient = self.addressing.recipient(released)
                self.pulled[recipient.key] = released
                yield recipient
            if self.exhausted or self._must_stop():
                return
            self.wake.clear()
            await self.wake.wait()

    def _must_stop(self) -> bool:
        return self.lost.is_set() or self.process.stopping.is_set() or self.process.loop.time() > self.deadline

    def _take(self, receipt: Receipt) -> None:
        released = self.pulled.pop(receipt.key, None)
        if released is None:
            log.error("channel.unasked_receipt", channel=self.lease.channel)
            return
        self.results.append(settle.result_of(receipt, released, self.lease, settings.UNKNOWN_REPEAT_SECONDS))
        if not self.well and receipt.outcome == Outcome.ACCEPTED:
            self.well = True
            self.process.loop.create_task(self.process.ledger(mark_well, self.lease.outlet_id))
        if len(self.results) >= self.window // 2 or not (self.pulled or self.ready):
            self._settle_soon()
        elif self.flush is None:
            self.flush = self.process.loop.call_later(FLUSH_SECONDS, self._settle_soon)

    def _settle_soon(self) -> None:
        if self.flush is not None:
            self.flush.cancel()
            self.flush = None
        if self.settling is None or self.settling.done():
            self.settling = asyncio.create_task(self._settle_on())

    async def _settle_on(self) -> None:
        """Settles as long as a group, or the last of what is out, is there."""
        while True:
            try:
                await self._settle()
            except LeaseLost:
                self.lost.set()
            if self.ready or self.exhausted or self._must_stop():
                self.wake.set()
            if self.lost.is_set() or not self.results:
                return
            if len(self.results) < self.window // 2 and (self.pulled or self.ready):
                self.flush = self.process.loop.call_later(FLUSH_SECONDS, self._settle_soon)
                return

    async def _settle(self) -> None:
        results, self.results = self.results, []
        room = 0 if self.exhausted or self._must_stop() else self.window - len(self.pulled) - len(self.ready)
        wait = 0.0
        if room > 0 and self.lease.rate:
            room, wait = await self.process.ledger(reserve, self.lease.outlet_id, room)
        if not results and room <= 0:
            return
        released = await self._written(results, max(room, 0))
        if wait:
            await self._pause(wait)
        if room > 0:
            self.exhausted = len(released) < room
            if released:
                self.after = released[-1].position + 1
            self._release(released)

    async def _written(self, results: list[Result], room: int) -> list[Released]:
        """Settles, and keeps trying while the database is away: a receipt in memory is the only witness."""
        for attempt in range(DATABASE_TRIES):
            try:
                return await self.process.ledger(settle.settle, self.lease, results, after=self.after, room=room)
            except DatabaseError as error:
                log.warning("settle.database", error=str(error)[:200], attempt=attempt)
                await self.process.drop_connection()
                await asyncio.sleep(min(1.0, 0.05 * 2**attempt))
        self.lost.set()
        raise LeaseLost

    async def _pause(self, seconds: float) -> None:
        """Waits for the outlet's rate, a stop, or the loss of the lease."""
        end = self.process.loop.time() + seconds
        while (left := end - self.process.loop.time()) > 0 and not self._must_stop():  # noqa: ASYNC110 - see below
            await asyncio.sleep(min(left, 0.2))  # a stop may come from another thread

    def _release(self, released: list[Released]) -> None:
        for delivery in released:
            reason = self.addressing.why_not(delivery)
            if reason:
                self.results.append(settle.skipped(delivery, reason))
            else:
                self.ready.append(delivery)

    async def _finish(self) -> None:
        """Everything pulled gets its receipt into the ledger; what was released and not pulled stays due."""
        if self.flush is not None:
            self.flush.cancel()
        if self.settling is not None:
            await asyncio.wait([self.settling])
        self.exhausted = True
        for key, released in self.pulled.items():
            silent = Receipt(key=key, outcome=Outcome.UNKNOWN, reason=Reason.FAULT)
            self.results.append(settle.result_of(silent, released, self.lease, settings.UNKNOWN_REPEAT_SECONDS))
        self.pulled.clear()
        if self.lost.is_set():
            if self.results:
                await self.process.ledger(settle.keep_late, self.lease, self.results)
            return
        try:
            await self._settle()
        except LeaseLost:
            self.lost.set()
