"""Putting out the public copies of one broadcast outlet: language by language, one at a time in hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from channels.contract import Act, Broadcast, Copy, Outcome, OutletDown, Published, Reason, Receipt
from dispatcher.dispatching import policy, settle
from dispatcher.dispatching.leasing import Lease
from dispatcher.dispatching.models import Proof
from dispatcher.dispatching.outlets import mark_well, reserve
from dispatcher.dispatching.process import WorkerProcess
from dispatcher.dispatching.settle import LeaseLost, Released

log = structlog.get_logger("omroeper.publish")

# No public outlet may hold up the others' task for longer than this.
OUTLET_SECONDS = 15.0


async def publish(
    process: WorkerProcess, lease: Lease, lost: asyncio.Event, channel: Broadcast, copies: dict[str, Copy]
) -> bool:
    """Publishes, amends or withdraws what is due in the batch.

    True where the rest may go on at once; false where the outlet's rate leaves no room for a while.

    Raises:
        OutletDown: as the channel said; what was in hand has been settled by then.
    """
    after = 0
    down: OutletDown | None = None
    results: list[settle.Result] = []
    try:
        while True:
            room = 0 if down or lost.is_set() or process.stopping.is_set() else 1
            if room and lease.rate:
                await _settle(process, lease, results, after, 0)
                results = []
                room, wait = await process.insist(reserve, lease.outlet_id, 1, OUTLET_SECONDS)
                await asyncio.sleep(wait)
            released = await _settle(process, lease, results, after, room)
            if not released:
                break
            delivery = released[0]
            after = delivery.position + 1
            receipt, down = await _attempt(lease, channel, copies[_language(delivery)], delivery)
            results = [settle.result_of(receipt, delivery, lease, settings.UNKNOWN_REPEAT_SECONDS)]
    except LeaseLost:
        lost.set()
        return False
    if down is not None:
        raise down
    return bool(room)


@dataclass(frozen=True, slots=True)
class Settling:
    """What came of a lease's copies so far, and how many more it asks for: as ``settle.settle`` takes it."""

    lease: Lease
    results: Sequence[settle.Result]
    after: int
    room: int


def settle_all(asked: Sequence[Settling]) -> list[list[Released] | Exception]:
    """Settles for several leases in one transaction: what is released to each, or that it was lost.

    An accepted public copy is to be read back; an outlet that answered is well.
    """
    released: dict[int, list[Released] | Exception] = {}
    with transaction.atomic():
        # Whoever else locks several batches does so in this order.
        for number, each in sorted(enumerate(asked), key=lambda pair: pair[1].lease.batch_id):
            try:
                released[number] = settle.settle(each.lease, each.results, after=each.after, room=each.room)
            except LeaseLost as lost:  # what it learned is kept
                released[number] = lost
                continue
            if any(result.outcome in policy.ANSWERS for result in each.results):
                # Sent before another language was told to wait, a yes is no probe: the stated wait stands.
                mark_well(each.lease.outlet_id, probed_only=True)
        _order_proofs(
            [
                result
                for number, each in enumerate(asked)
                for result in each.results
                if not isinstance(released[number], Exception)
            ]
        )
    return [released[number] for number in range(len(asked))]


async def _settle(
    process: WorkerProcess, lease: Lease, results: list[settle.Result], after: int, room: int
) -> list[Released]:
    return await process.together(settle_all, Settling(lease, results, after, room), insist=True)


def _language(delivery: Released) -> str:
    return delivery.target.removeprefix("early:")


async def _attempt(
    lease: Lease, channel: Broadcast, copy: Copy, delivery: Released
) -> tuple[Receipt, OutletDown | None]:
    """One attempt under the delivery's key. Doubt stays doubt: a time-out or a fault of ours is ``unknown``."""
    key = f"{lease.dispatch_key}.{lease.outlet_id}.{delivery.target}"
    previous = Published(delivery.previous, delivery.previous_url)
    try:
        async with asyncio.timeout(OUTLET_SECONDS):
            if delivery.attempts and channel.can.look_up:
                known = await channel.look_up(key)
                if known is not None:
                    return known, None
            match Act(lease.act):
                case Act.UPDATE:
                    return await channel.amend(copy, previous, key), None
                case Act.WITHDRAW:
                    return await channel.withdraw(copy, previous, key), None
                case _:
                    return await channel.publish(copy, key), None
    except OutletDown as down:
        outcome, reason = (Outcome.UNKNOWN, Reason.NO_ANSWER) if down.doubtful else (Outcome.DEFERRED, Reason.BUSY)
        told = Receipt(key=key, outcome=outcome, reason=reason, detail=down.reason[:200], retry_after=down.retry_after)
        return told, down
    except TimeoutError:
        silent = Receipt(key=key, outcome=Outcome.UNKNOWN, reason=Reason.NO_ANSWER)
        return silent, OutletDown(f"No answer within {OUTLET_SECONDS:g} seconds.")
    except Exception:
        log.exception("channel.failed", channel=lease.channel, batch=lease.batch_id)
        broken = Receipt(key=key, outcome=Outcome.UNKNOWN, reason=Reason.FAULT)
        return broken, OutletDown("The channel failed; its log has the details.")


def _order_proofs(results: Sequence[settle.Result]) -> None:
    accepted = [result.released.id for result in results if result.outcome == Outcome.ACCEPTED]
    if accepted:
        Proof.objects.bulk_create(
            [Proof(delivery_id=identity, due_at=now(), result="", attempts=0) for identity in accepted],
            update_conflicts=True,
            unique_fields=["delivery"],
            update_fields=["due_at", "result", "attempts"],
        )
