"""The sweep: rings again for whatever is due and in nobody's hands. A timer in every worker and web process.

Harmless when doubled: one row says when the last one ran, and only one process a period gets through. It works on the
database alone; with Redis gone it finds that it cannot ring, and tries again next time. It does not ring while a
lane's queue still holds as many messages as there are batches due: those are waiting their turn, not lost.
"""

from __future__ import annotations

from contextlib import suppress

import structlog
from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from channels.contract import Act
from dispatcher.announcements import lifecycle
from dispatcher.announcements.models import Announcement, State
from dispatcher.dispatching import clock, readiness, ring
from dispatcher.dispatching.lanes import side_by_side
from dispatcher.dispatching.models import Beat, Dispatch, Proof
from dispatcher.dispatching.outlets import is_direct

log = structlog.get_logger("omroeper.sweep")

MOST_AT_ONCE = 1000


def sweep(by: str = "beat", *, force: bool = False) -> bool:
    """Sweeps, unless another process did within the period. True where it did."""
    if not _my_turn(by) and not force:
        return False
    _plan_what_is_due()
    _ring_what_is_due()
    _ring_proofs()
    _move_announcements()
    return True


def _my_turn(by: str) -> bool:
    Beat.objects.get_or_create(name="sweep", defaults={"at": now().replace(year=2000), "by": ""})
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_beat SET at = {clock.wall()}, {_quoted("by")} = %s
            WHERE name = 'sweep' AND at < {clock.wall_in("%s")} RETURNING id""",
            [by, -settings.SWEEP_SECONDS * 0.9],
        )
        return cursor.fetchone() is not None


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _plan_what_is_due() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT d.id FROM dispatching_dispatch d WHERE {readiness.to_plan()} ORDER BY d.id LIMIT 100",
            [],
        )
        due = [row[0] for row in cursor.fetchall()]
    for dispatch in Dispatch.objects.filter(pk__in=due):
        # A ring that still waits in its lane was not lost: a busy lane must not fill with repeats of it.
        if ring.waiting(ring.plan_lane(dispatch)) == 0:
            ring.plan(dispatch)


def _ring_what_is_due() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT b.id, b.lane, b.dispatch_id, o.channel, b.rung_at IS NULL OR b.rung_at < {clock.lease_now()} - %s
                OR b.rung_at > {clock.lease_now()} + 1 AS unheard
            FROM dispatching_batch b JOIN dispatching_dispatch d ON d.id = b.dispatch_id
            JOIN dispatching_outlet o ON o.id = b.outlet_id
            WHERE {readiness.ready()} OR {readiness.dead()} ORDER BY b.due_at, b.id LIMIT {MOST_AT_ONCE}""",
            [settings.LEASE_SECONDS],
        )
        due = cursor.fetchall()
    unheard_of: dict[str, list[int]] = {}
    messages: dict[str, set[str]] = {}
    for identity, lane, dispatch, channel, unheard in due:
        one_task = side_by_side(lane, direct=is_direct(channel))
        messages.setdefault(lane, set()).add(f"dispatch {dispatch}" if one_task else f"batch {identity}")
        if unheard:
            unheard_of.setdefault(lane, []).append(identity)
    for lane, again in unheard_of.items():
        waiting = ring.waiting(lane)
        if waiting is None or waiting >= len(messages[lane]):
            continue
        log.info("sweep.rings", lane=lane, batches=len(again))
        ring.batches(again)


def _ring_proofs() -> None:
    due = Proof.objects.filter(due_at__lte=now()).order_by("due_at").values_list("delivery_id", flat=True)[:100]
    waiting = ring.waiting("upkeep") if due else None
    if due and waiting == 0:
        ring.proofs(list(due))


def _move_announcements() -> None:
    """What has been handed over once is live; what is over is expired."""
    for announcement in Announcement.objects.filter(state=State.GOING_OUT):
        dispatch = announcement.dispatches.exclude(ended_why="stopped").order_by("-pk").first()
        if dispatch is None or dispatch.planned_at is None or dispatch.start_at > now():
            continue
        if not dispatch.batches.filter(lease_token=0, due_at__isnull=False).exists():
            with suppress(lifecycle.IllegalMove):  # someone withdrew it, or another sweep was first
                lifecycle.move(announcement, State.CORRECTED if dispatch.act == Act.UPDATE else State.LIVE)
    over = Announcement.objects.filter(expires_at__lte=now(), state__in=[State.LIVE, State.CORRECTED, State.GOING_OUT])
    for announcement in over:
        with suppress(lifecycle.IllegalMove):
            lifecycle.move(announcement, State.EXPIRED)
