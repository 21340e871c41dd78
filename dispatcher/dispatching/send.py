"""Sending: takes the lease of what rang, opens the outlet's channel, hands over, gives the lease back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from channels.contract import Broadcast, Copy, Direct, OutletDown, SettingsInvalid
from channels.kit.egress import AddressNotAllowed
from dispatcher.dispatching import clock, leasing, policy, readiness, ring
from dispatcher.dispatching.handover import HandOver
from dispatcher.dispatching.lanes import BROADCAST, URGENT, side_by_side
from dispatcher.dispatching.leasing import Lease
from dispatcher.dispatching.models import ComposedCopy, Outlet
from dispatcher.dispatching.outlets import is_direct, mark_down
from dispatcher.dispatching.process import WorkerProcess, current
from dispatcher.dispatching.publish import publish
from dispatcher.dispatching.secretbox import CannotOpen

log = structlog.get_logger("omroeper.send")


def send(batch_id: int) -> None:
    """Hands over one batch, as far as one task reaches; rings again for what is left."""
    process = current()
    process.run(_send_and_ring(process, [batch_id]))


def broadcast(dispatch_id: int) -> None:
    """Puts out all public copies of a dispatch that are due, side by side: none waits for another's far side."""
    process = current()
    process.run(_broadcast(process, dispatch_id))


async def _broadcast(process: WorkerProcess, dispatch_id: int) -> None:
    first = await process.ledger(_due_broadcasts, dispatch_id)
    opened = await _send(process, first)
    # What waited for the page is due now: public copies go on in this task, all others are rung for.
    left = await process.ledger(_due_broadcasts, dispatch_id)
    await _ring(process, [batch for batch in opened if batch not in left])
    if not process.stopping.is_set():
        await _send_and_ring(process, [batch for batch in left if batch not in first])
    # An outlet that was down was tried with one of its batches; if it is well now, the others can go.
    await _ring(process, await process.ledger(_due_broadcasts, dispatch_id))


def _due_broadcasts(dispatch_id: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT b.id, b.lane, o.channel
            FROM dispatching_batch b JOIN dispatching_dispatch d ON d.id = b.dispatch_id
            JOIN dispatching_outlet o ON o.id = b.outlet_id
            WHERE b.dispatch_id = %s AND b.lane IN (%s, %s) AND ({readiness.ready()} OR {readiness.dead()})
            ORDER BY o.position, b.id""",
            [dispatch_id, BROADCAST, URGENT],
        )
        return [row[0] for row in cursor.fetchall() if side_by_side(row[1], direct=is_direct(row[2]))]


async def _send_and_ring(process: WorkerProcess, batch_ids: list[int]) -> None:
    await _ring(process, await _send(process, batch_ids))


async def _ring(process: WorkerProcess, batch_ids: list[int]) -> None:
    if batch_ids and not process.stopping.is_set():
        await process.ledger(ring.batches, batch_ids)


async def _send(process: WorkerProcess, batch_ids: list[int]) -> list[int]:
    """Hands over batches side by side. Returns those to ring for: what is left of them, and what waited for them."""
    await process.refresh_connection()
    again: list[int] = []
    for outcome in await asyncio.gather(
        *(_send_one(process, batch_id) for batch_id in batch_ids), return_exceptions=True
    ):
        if isinstance(outcome, DatabaseError):
            log.warning("send.database", error=str(outcome)[:200])
            await process.drop_connection()
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            again += outcome
    return again


async def _send_one(process: WorkerProcess, batch_id: int) -> list[int]:
    """Returns the batches to ring for."""
    lease = await process.together(leasing.take_all, (batch_id, process.name))
    if lease is None:
        return []
    lost = asyncio.Event()
    renewing = asyncio.create_task(_keep(process, lease, lost))
    try:
        go_on = await _work(process, lease, lost)
    finally:
        renewing.cancel()
        await asyncio.wait([renewing])
    if lost.is_set():
        return []
    # A lease that is not given back looks like a death to whoever takes it over.
    more_now = await process.together(leasing.give_back_all, lease, insist=True)
    opened = await process.ledger(_opened_by, lease) if lease.channel == "website" else []
    return ([batch_id] if more_now and go_on else []) + opened


async def _keep(process: WorkerProcess, lease: Lease, lost: asyncio.Event) -> None:
    """Renews the lease by the clock, whatever progress there is. A lease that cannot be renewed counts as lost."""
    failing_since: float | None = None
    while True:
        await asyncio.sleep(settings.LEASE_SECONDS / 3)
        try:
            if not await process.ledger(leasing.renew, lease):
                lost.set()
                return
            failing_since = None
        except DatabaseError:
            now = process.loop.time()
            failing_since = failing_since or now
            await process.drop_connection()
            if now - failing_since > settings.LEASE_SECONDS:
                lost.set()
                return


async def _work(process: WorkerProcess, lease: Lease, lost: asyncio.Event) -> bool:
    """True where what is left of the batch may go on at once."""
    try:
        outlet, copy = await process.together(outlets_and_copies, lease)
        channel = await process.channels.get(outlet)
        if isinstance(channel, Direct):
            return await HandOver(process, lease, lost, channel, copy).run()
        if isinstance(channel, Broadcast):
            return await publish(process, lease, lost, channel, copy)
    except OutletDown as down:
        await _down(process, lease, down.reason, down.retry_after, needs_person=down.needs_person)
    except AddressNotAllowed as refused:
        await _down(process, lease, str(refused), None, needs_person=True)
    except (SettingsInvalid, CannotOpen) as wrong:
        await _down(process, lease, str(wrong), None, needs_person=True)
    return True


async def _down(
    process: WorkerProcess, lease: Lease, reason: str, retry_after: float | None, *, needs_person: bool
) -> None:
    outlet = await process.ledger(Outlet.objects.get, pk=lease.outlet_id)
    wait = policy.probe_wait(outlet.failures + 1, retry_after)
    log.warning("outlet.down", outlet=outlet.name, reason=reason, wait=wait, needs_person=needs_person)
    await process.ledger(mark_down, lease.outlet_id, wait=wait, reason=reason, needs_person=needs_person)


def outlets_and_copies(leases: Sequence[Lease]) -> list[tuple[Outlet, dict[str, Copy]]]:
    """For each lease its outlet, and its copies by language."""
    wanted = {_which(lease) for lease in leases}
    outlets = Outlet.objects.in_bulk({lease.outlet_id for lease in leases})
    copies: dict[tuple[int, int, str, bool], dict[str, Copy]] = {each: {} for each in wanted}
    for copy in ComposedCopy.objects.filter(
        dispatch_id__in={lease.dispatch_id for lease in leases}, outlet_id__in=list(outlets)
    ):
        which = (copy.dispatch_id, copy.outlet_id, copy.act, copy.early)
        if which in wanted:
            copies[which][copy.language] = Copy.from_json(copy.content)
    return [(outlets[lease.outlet_id], copies[_which(lease)]) for lease in leases]


def _which(lease: Lease) -> tuple[int, int, str, bool]:
    return lease.dispatch_id, lease.outlet_id, lease.act, lease.early


def _opened_by(lease: Lease) -> list[int]:
    """Once a page is there, what waited for it may go."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT b.id FROM dispatching_batch b JOIN dispatching_dispatch d ON d.id = b.dispatch_id
            JOIN dispatching_outlet o ON o.id = b.outlet_id
            WHERE b.dispatch_id = %s AND b.needs_page AND b.due_at <= {clock.wall()} AND {readiness.ready()}""",
            [lease.dispatch_id],
        )
        return [row[0] for row in cursor.fetchall()]
