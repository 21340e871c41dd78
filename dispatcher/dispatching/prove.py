"""Proof: reading a public copy back and comparing it with what we meant. Nothing is claimed that was not seen."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from dataclasses import replace
from datetime import timedelta

import structlog
from django.db.models import Q
from django.utils.timezone import now

from channels.contract import Act, Broadcast, Copy, Published, Seen, SeenState
from dispatcher.announcements.models import State
from dispatcher.dispatching.models import ComposedCopy, Delivery, DeliveryState, Proof, ProofResult
from dispatcher.dispatching.process import WorkerProcess, current

log = structlog.get_logger("omroeper.prove")

READ_SECONDS = 20.0
# While it is live, a copy that was fine is read again after this long.
AGAIN = timedelta(hours=1)
# A copy that was not fine is read again sooner: far sides have caches, and pages take a moment to appear.
SOON = (timedelta(seconds=2), timedelta(seconds=5), timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5))
# A line of this many characters on a page that is not ours shows that the post is there.
TELLING = 20
LIVE = (State.GOING_OUT, State.LIVE, State.CORRECTED)


def prove(delivery_id: int) -> None:
    """Reads the public copy of a delivery back and keeps what was seen. Nothing is done where it is not due."""
    process = current()
    process.run(_prove(process, delivery_id))


async def _prove(process: WorkerProcess, delivery_id: int) -> None:
    await process.refresh_connection()
    delivery = await process.ledger(_due, delivery_id)
    if delivery is None:
        return
    copy = await process.ledger(_copy, delivery)
    channel = await process.channels.get(delivery.outlet)
    if not isinstance(channel, Broadcast) or not channel.can.read_back:
        await process.ledger(Proof.objects.filter(delivery=delivery).update, due_at=None)
        return
    try:
        async with asyncio.timeout(READ_SECONDS):
            seen = await channel.read_back(Published(delivery.remote_id, delivery.url))
    except TimeoutError:
        seen = Seen(SeenState.UNREACHABLE, detail=f"No answer within {READ_SECONDS:g} seconds.")
    except Exception as error:
        log.exception("prove.failed", outlet=delivery.outlet.name)
        seen = Seen(SeenState.UNREACHABLE, detail=f"The channel could not read it ({type(error).__name__}).")
    result = compare(copy, seen)
    if result == ProofResult.UNREACHABLE and not seen.detail:
        seen = replace(seen, detail="The page shows nothing of the text. It may want an account.")
    await process.ledger(_keep, delivery, result, seen)


def compare(copy: Copy, seen: Seen) -> ProofResult:
    """What was seen against what was meant, white space and Unicode form aside.

    A copy that was withdrawn may be gone. Of a page that is not ours, one without a line of the copy proves nothing:
    networks show such pages to who has no account.
    """
    if seen.state == SeenState.MISSING:
        return ProofResult.SAME if copy.act is Act.WITHDRAW else ProofResult.MISSING
    if seen.state == SeenState.UNREACHABLE:
        return ProofResult.UNREACHABLE
    if seen.around:
        return _compare_around(_plain(copy.text), [_plain(line) for line in copy.text.splitlines()], _plain(seen.text))
    return ProofResult.SAME if _plain(seen.text) == _plain(copy.text) else ProofResult.DIFFERS


def _compare_around(whole: str, lines: list[str], page: str) -> ProofResult:
    if whole in page:
        return ProofResult.SAME
    telling = any(len(line) >= TELLING and line in page for line in lines)
    return ProofResult.DIFFERS if telling else ProofResult.UNREACHABLE


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", text)).strip()


def _due(delivery_id: int) -> Delivery | None:
    """The delivery where it is the one the public should see now; an older one is read no more."""
    delivery = (
        Delivery.objects.select_related("outlet", "batch", "dispatch__announcement", "proof")
        .filter(pk=delivery_id, state=DeliveryState.ACCEPTED, proof__due_at__lte=now())
        .first()
    )
    if delivery is None:
        return None
    newer = Delivery.objects.filter(
        dispatch__announcement=delivery.dispatch.announcement,
        outlet=delivery.outlet,
        target=delivery.target,
        dispatch_id__gt=delivery.dispatch_id,
        state=DeliveryState.ACCEPTED,
    )
    if newer.exists() or delivery.target.startswith("early:"):
        Proof.objects.filter(delivery=delivery).update(due_at=None)
        return None
    return delivery


def _copy(delivery: Delivery) -> Copy:
    content = ComposedCopy.objects.get(
        Q(language=delivery.target) | Q(language=delivery.batch.language),
        dispatch=delivery.dispatch_id,
        outlet=delivery.outlet_id,
        act=delivery.batch.act,
        early=delivery.batch.early,
    ).content
    return Copy.from_json(content)


def _keep(delivery: Delivery, result: ProofResult, seen: Seen) -> None:
    proof = Proof.objects.get(delivery=delivery)
    announcement = delivery.dispatch.announcement
    live = announcement is not None and announcement.state in LIVE
    if result == ProofResult.SAME:
        wait = AGAIN if live else None
    else:
        wait = SOON[proof.attempts] if proof.attempts < len(SOON) else (AGAIN if live else None)
    Proof.objects.filter(pk=proof.pk).update(
        result=result,
        seen=seen.text[:20_000],
        detail=seen.detail[:200],
        at=now(),
        attempts=0 if result == ProofResult.SAME else proof.attempts + 1,
        due_at=now() + wait if wait is not None else None,
    )
    if result != ProofResult.SAME:
        log.warning("proof", outlet=delivery.outlet.name, result=result, dispatch=delivery.dispatch.key)
