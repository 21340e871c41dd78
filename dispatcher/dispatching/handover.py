"""Handing a batch over to a direct channel, at most a window ahead of what is settled.

The channel pulls recipients and yields receipts. Recipients are released up to the batch's mark; the mark moves with
each settling commit. Receipts are settled in groups of half a window: while one group is written, the channel works on
the other half. After each commit we look again whether a full group or the end has come: with nothing left in the
channel's hands no further receipt would ever wake us.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import ParamSpec, TypeVar

import structlog
from django.conf import settings

from channels.contract import Act, Copy, Direct, Outcome, OutletDown, Reason, Receipt, Recipient
from dispatcher.dispatching import policy, settle
from dispatcher.dispatching.leasing import Lease
from dispatcher.dispatching.outlets import mark_well, reserve
from dispatcher.dispatching.process import WorkerProcess
from dispatcher.dispatching.settle import LeaseLost, Released, Result
from dispatcher.dispatching.slots import Addressing

log = structlog.get_logger("omroeper.handover")

# A receipt is written down at the latest after this many seconds, also where a group does not fill.
FLUSH_SECONDS = 0.5
P = ParamSpec("P")
T = TypeVar("T")


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
        self.no_room = False
        self.wake = asyncio.Event()
        self.settling: asyncio.Task[None] | None = None
        self.flush: asyncio.TimerHandle | None = None
        self.deadline = process.loop.time() + settings.TASK_SECONDS

    async def run(self) -> bool:
        """Hands over until the batch is done, the task's time is up, or the worker was asked to stop.

        True where the rest may go on at once; false where the outlet's rate leaves no room for a while.

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
        return not self.no_room

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
        over = self.process.loop.time() > self.deadline
        return over or self.no_room or self.lost.is_set() or self.process.stopping.is_set()

    def _take(self, receipt: Receipt) -> None:
        released = self.pulled.pop(receipt.key, None)
        if released is None:
            log.error("channel.unasked_receipt", channel=self.lease.channel)
            return
        self.results.append(settle.result_of(receipt, released, self.lease, settings.UNKNOWN_REPEAT_SECONDS))
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
        room = 0 if self.exhausted or self._must_stop() else self.window - len(self.pulled) - len(self.ready)
        if room > 0 and self.lease.rate:
            room = await self._reserve(room)
        results, self.results = self.results, []
        if not results and room <= 0:
            return
        released = await self._write(results, max(room, 0))
        if room > 0:
            self.exhausted = len(released) < room
            if released:
                self.after = released[-1].position + 1
            self._release(released)

    async def _write(self, results: list[Result], room: int) -> list[Released]:
        released = await self._ledger(settle.settle, self.lease, results, after=self.after, room=room)
        if not self.well and any(result.outcome in policy.ANSWERS for result in results):
            self.well = True
            await self._ledger(mark_well, self.lease.outlet_id)
        return released

    async def _ledger(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A receipt in memory is the only witness, so the database is insisted on.

        Raises:
            LeaseLost: also where the ledger could not be written. The lease runs out then, and what is in hand is
                taken for unknown: given back, it would be sent again.
        """
        try:
            return await self.process.insist(function, *args, **kwargs)
        except LeaseLost:
            self.lost.set()
            raise
        except Exception:
            log.exception("settle.failed", batch=self.lease.batch_id)
            self.lost.set()
            raise LeaseLost from None

    async def _reserve(self, room: int) -> int:
        """Waits until the outlet's rate has room, and says for how many. Nobody is released while we wait."""
        loop = self.process.loop
        room, wait = await self._ledger(reserve, self.lease.outlet_id, room, self.deadline - loop.time())
        self.no_room = not room
        end = loop.time() + wait
        while (left := end - loop.time()) > 0 and not self._must_stop():
            if self.results:
                results, self.results = self.results, []
                await self._write(results, 0)
            await asyncio.sleep(min(left, 0.2))  # a stop may come from another thread
        return 0 if self._must_stop() else room

    def _release(self, released: list[Released]) -> None:
        for delivery in released:
            reason = self.addressing.why_not(delivery)
            if reason:
                self.results.append(settle.skipped(delivery, reason))
            else:
                self.ready.append(delivery)

    async def _finish(self) -> None:
        """Everything pulled gets its receipt into the ledger; what was released and not pulled stays due."""
        if self.settling is not None:
            await asyncio.wait([self.settling])
        if self.flush is not None:
            self.flush.cancel()
        self.exhausted = True
        for key, released in self.pulled.items():
            silent = Receipt(key=key, outcome=Outcome.UNKNOWN, reason=Reason.FAULT)
            self.results.append(settle.result_of(silent, released, self.lease, settings.UNKNOWN_REPEAT_SECONDS))
        self.pulled.clear()
        if self.lost.is_set():
            if self.results:
                await self.process.insist(settle.keep_late, self.lease, self.results)
            return
        try:
            await self._settle()
        except LeaseLost:
            self.lost.set()
