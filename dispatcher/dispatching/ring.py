"""The doorbell: tells a lane that something is due. Losing a ring costs time, never a delivery.

Rung after the commit that made the work due, best effort: Redis gone or frozen costs at most some two seconds, and
then nothing is rung for ``QUIET_SECONDS``; the sweep rings again for whatever is due.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import structlog
from django.conf import settings
from django.db import connection, transaction
from redis import Redis
from redis.exceptions import RedisError

from dispatcher.dispatching import clock
from dispatcher.dispatching.lanes import TRANSACTIONAL, UPKEEP, URGENT, side_by_side
from dispatcher.dispatching.models import Dispatch
from dispatcher.dispatching.outlets import is_direct

log = structlog.get_logger("omroeper.ring")

QUIET_SECONDS = 10.0
_quiet_until = 0.0


def _ring(task: str, lane: str, identities: Iterable[int]) -> bool:
    global _quiet_until  # noqa: PLW0603 - one doorbell a process, and it is either quiet or not
    if time.monotonic() < _quiet_until:
        return False
    from dispatcher.config.celery import CannotPublish, publish  # noqa: PLC0415 - Celery only once it is needed

    try:
        publish(task, lane, identities)
    except CannotPublish as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        log.warning("ring.failed", lane=lane, error=str(error))
        return False
    return True


def plan_lane(dispatch: Dispatch) -> str:
    """The lane on which a dispatch is planned."""
    return URGENT if dispatch.urgent else TRANSACTIONAL if dispatch.act == "notice" else UPKEEP


def plan(dispatch: Dispatch) -> None:
    """Rings for a dispatch to be planned, once the transaction is through."""
    lane = plan_lane(dispatch)
    transaction.on_commit(lambda: _ring("omroeper.plan", lane, [dispatch.pk]) and None)


def batches(identities: Sequence[int]) -> bool:
    """Rings for batches that are due, each in its lane, and notes when. False where the doorbell does not answer."""
    if not identities:
        return True
    marks = ", ".join(["%s"] * len(identities))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE dispatching_batch SET rung_at = {clock.lease_now()} WHERE id IN ({marks}) "
            "RETURNING id, lane, dispatch_id, (SELECT channel FROM dispatching_outlet o WHERE o.id = outlet_id)",
            list(identities),
        )
        rows = cursor.fetchall()
    singly: dict[str, set[int]] = {}
    together: dict[str, set[int]] = {}
    for identity, lane, dispatch, channel in rows:
        # All public outlets of a dispatch go out side by side in one task, so one ring a dispatch is enough.
        if side_by_side(lane, direct=is_direct(channel)):
            together.setdefault(lane, set()).add(dispatch)
        else:
            singly.setdefault(lane, set()).add(identity)
    rung = True
    for task, lanes in (("omroeper.broadcast", together), ("omroeper.send", singly)):
        for lane in sorted(lanes):
            rung &= _ring(task, lane, sorted(lanes[lane]))
    return rung


def proofs(delivery_ids: Sequence[int]) -> bool:
    """Rings for public copies to be read back."""
    return _ring("omroeper.prove", UPKEEP, delivery_ids) if delivery_ids else True


def waiting(lane: str) -> int | None:
    """How many messages wait in the lane's queue, or ``None`` where Redis does not answer."""
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as redis:
            length = redis.llen(lane)
    except (RedisError, OSError, ValueError):
        return None
    return int(length)


def all_waiting(lanes: Sequence[str]) -> dict[str, int]:
    """How many messages wait in each of the lanes' queues; empty where Redis does not answer."""
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as redis:
            asked = redis.pipeline(transaction=False)
            for lane in lanes:
                asked.llen(lane)
            return {lane: int(length) for lane, length in zip(lanes, asked.execute(), strict=True)}
    except (RedisError, OSError, ValueError):
        return {}
