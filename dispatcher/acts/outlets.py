"""What admins do to outlets: pause, resume, take a circuit out, try again, settle what is in doubt.

Each raises ``rights.NotAllowed`` for someone of another role.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now

from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.dispatching import clock, recompose, ring
from dispatcher.dispatching.models import Circuit, Outlet


def pause(outlet: Outlet, *, by: By, reason: str = "") -> None:
    """Nothing new is handed over on this outlet until it is resumed; what is in hand is finished."""
    author = need(by, Right.PAUSE, f"outlet {outlet.name}")
    with transaction.atomic():
        changed = Outlet.objects.filter(pk=outlet.pk, paused_at=None).update(
            paused_at=now(), paused_by=author, pause_reason=reason[:300]
        )
        if changed:
            record(author, "pause", f"outlet {outlet.name}", reason=reason)


def resume(outlet: Outlet, *, by: By) -> None:
    """The outlet goes on: its pause ends, its circuit closes, and what is due is rung for."""
    author = need(by, Right.RESUME, f"outlet {outlet.name}")
    with transaction.atomic():
        Outlet.objects.filter(pk=outlet.pk).update(
            paused_at=None,
            paused_by="",
            pause_reason="",
            circuit=Circuit.CLOSED,
            circuit_reason="",
            circuit_since=None,
            needs_person=False,
            retry_at=None,
            failures=0,
        )
        record(author, "resume", f"outlet {outlet.name}")
    _ring_due(outlet)


def try_again(outlet: Outlet, *, by: By, reason: str | None = None) -> int:
    """Makes what waits for a later attempt due now, and what was refused for ``reason`` due again.

    Doubt is not repeated here: an unknown outcome is settled by a person (``settle_unknown``). What is in a worker's
    hands stays there. For ``compose`` the copies are made first. Returns how many.

    Raises:
        dispatcher.dispatching.recompose.StillBroken: ``reason`` is ``compose``, and still no copy can be made.
    """
    author = need(by, Right.TRY_AGAIN, f"outlet {outlet.name}")
    if reason == "compose":
        changed = recompose.again(outlet)
        record(author, "try again", f"outlet {outlet.name}", reason=reason, deliveries=changed)
        _ring_due(outlet)
        return changed
    with transaction.atomic(), connection.cursor() as cursor:
        _lock_batches(outlet)
        changed = _due_now(outlet, f"d.state = 'due' AND d.due_at > {clock.wall()} AND d.attempts > 0", [])
        if reason:
            cursor.execute(
                """SELECT d.batch_id, count(*) FROM dispatching_delivery d
                JOIN dispatching_dispatch p ON p.id = d.dispatch_id JOIN dispatching_batch b ON b.id = d.batch_id
                WHERE d.outlet_id = %s AND d.state = 'rejected' AND d.reason = %s AND p.ended_at IS NULL
                    AND b.lease_until IS NULL
                GROUP BY d.batch_id""",
                [outlet.pk, reason],
            )
            for batch_id, count in cursor.fetchall():
                cursor.execute(
                    "UPDATE dispatching_batch SET rejected = rejected - %s, barren = 0 WHERE id = %s", [count, batch_id]
                )
            changed += _due_now(outlet, "d.state = 'rejected' AND d.reason = %s", [reason])
        record(author, "try again", f"outlet {outlet.name}", reason=reason or "", deliveries=changed)
    _ring_due(outlet)
    return changed


def settle_unknown(outlet: Outlet, *, by: By, how: str) -> int:
    """Settles what is in doubt, as a person found out: ``accepted``, ``resend`` or ``give-up``. Returns how many.

    Raises:
        ValueError: another word for ``how``.
    """
    author = need(by, Right.SETTLE, f"outlet {outlet.name}")
    changes = {
        "accepted": "state = 'accepted', due_at = NULL",
        "give-up": "state = 'rejected', due_at = NULL, reason = 'given-up'",
        "resend": f"state = 'unknown', due_at = {clock.wall()}",
    }
    if how not in changes:
        raise ValueError(f"'{how}' is not one of: {', '.join(changes)}")
    with transaction.atomic(), connection.cursor() as cursor:
        _lock_batches(outlet)
        cursor.execute(
            """SELECT d.batch_id, count(*) FROM dispatching_delivery d JOIN dispatching_batch b ON b.id = d.batch_id
            JOIN dispatching_dispatch p ON p.id = d.dispatch_id
            WHERE d.outlet_id = %s AND d.state = 'unknown' AND b.lease_until IS NULL AND p.ended_at IS NULL
            GROUP BY d.batch_id""",
            [outlet.pk],
        )
        found = cursor.fetchall()
        for batch_id, count in found:
            cursor.execute(
                f"UPDATE dispatching_delivery SET {changes[how]} WHERE batch_id = %s AND state = 'unknown'", [batch_id]
            )
            if how != "resend":
                column = "accepted" if how == "accepted" else "rejected"
                cursor.execute(
                    f"UPDATE dispatching_batch SET unknown = unknown - %s, {column} = {column} + %s WHERE id = %s",
                    [count, count, batch_id],
                )
            cursor.execute(
                """UPDATE dispatching_batch SET due_at = (SELECT min(due_at) FROM dispatching_delivery d
                    WHERE d.batch_id = dispatching_batch.id AND d.due_at IS NOT NULL) WHERE id = %s""",
                [batch_id],
            )
        total = sum(int(count) for _, count in found)
        record(author, "settle unknown", f"outlet {outlet.name}", how=how, deliveries=total)
    _ring_due(outlet)
    return total


def _lock_batches(outlet: Outlet) -> None:
    """Nobody takes, settles or gives back a batch of the outlet until this transaction is through."""
    if not clock.is_sqlite():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM dispatching_batch WHERE outlet_id = %s AND lease_until IS NULL ORDER BY id FOR UPDATE",
                [outlet.pk],
            )


def _due_now(outlet: Outlet, which: str, values: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_delivery SET state = CASE WHEN state = 'rejected' THEN 'due' ELSE state END,
                due_at = {clock.wall()}
            WHERE id IN (SELECT d.id FROM dispatching_delivery d JOIN dispatching_dispatch p ON p.id = d.dispatch_id
                JOIN dispatching_batch b ON b.id = d.batch_id
                WHERE d.outlet_id = %s AND p.ended_at IS NULL AND b.lease_until IS NULL AND {which})
            RETURNING batch_id""",
            [outlet.pk, *values],
        )
        batches = [row[0] for row in cursor.fetchall()]
        for batch_id in set(batches):
            cursor.execute(
                """UPDATE dispatching_batch SET due_at = (SELECT min(due_at) FROM dispatching_delivery d
                    WHERE d.batch_id = dispatching_batch.id AND d.due_at IS NOT NULL) WHERE id = %s""",
                [batch_id],
            )
    return len(batches)


def _ring_due(outlet: Outlet) -> None:
    due = outlet.batches.filter(due_at__lte=now(), lease_until=None).values_list("pk", flat=True)[:1000]
    ring.batches(list(due))
