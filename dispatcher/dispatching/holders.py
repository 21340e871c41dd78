"""Holders: who has an announcement, and so must hear its correction or withdrawal. Those, and only those.

A target of an outlet is a holder while the latest delivery that it accepted, or may have accepted, in any earlier
dispatch of the announcement is not a withdrawal. A delivery that is in a worker's hands at this moment may make its
target one: it gets a follow-up, decided once it is settled (``follow``). Who was still to hear the old text when it
was replaced, or could not because no copy could be made, hears the new one, as a first announcement.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from channels.contract import Act
from dispatcher.announcements.models import Announcement
from dispatcher.dispatching import clock
from dispatcher.dispatching.models import Dispatch

_IN_HAND = "(b.lease_until IS NOT NULL AND d.due_at IS NOT NULL AND d.position < b.handed AND d.due_at <= b.cutoff)"


def correct(dispatch: Dispatch, targets: str, columns: str) -> None:
    """Ends the earlier dispatches of the announcement and fills ``targets`` with whom this one goes to.

    Inside the planning transaction. The earlier batches are locked first, so no hand-over mark moves meanwhile.
    """
    earlier, values = _earlier(dispatch)
    lock(f"IN {earlier}", values)
    _add_in_hand(dispatch, targets, columns)
    _add_holders(dispatch, targets, columns)
    why = "withdrawn" if dispatch.act == Act.WITHDRAW else "replaced"
    end_earlier(dispatch, why)
    if dispatch.act == Act.UPDATE:
        _add_unreached(dispatch, targets, columns)


def count(announcement: Announcement) -> dict[int, int]:
    """How many hold the announcement, by the id of their outlet: those whom a correction or withdrawal reaches.

    Those in a worker's hands at this moment are not in it yet: the planned dispatch tells exactly.
    """
    coming = Dispatch(announcement=announcement, pk=2**62)
    held, values = _held(coming)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT outlet_id, count(*) FROM {held} h GROUP BY outlet_id", values)
        return {int(outlet): int(number) for outlet, number in cursor.fetchall()}


def _earlier(dispatch: Dispatch) -> tuple[str, list[Any]]:
    return (
        "(SELECT id FROM dispatching_dispatch WHERE announcement_id = %s AND id < %s)",
        [dispatch.announcement_id, dispatch.pk],
    )


def lock(which: str, values: list[Any]) -> None:
    """Locks the batches of the dispatches whose id is ``which`` (SQL), so that no hand-over mark moves meanwhile."""
    if clock.is_sqlite():
        return  # an immediate transaction has the whole database
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM dispatching_batch WHERE dispatch_id {which} ORDER BY id FOR UPDATE", values)


def _held(dispatch: Dispatch) -> tuple[str, list[Any]]:
    """SQL for the latest delivery, by outlet and target, that was or may have been accepted, unless a withdrawal."""
    return (
        """(SELECT * FROM (
            SELECT d.outlet_id, d.target, d.address_id, b.language, b.early, d.remote_id, d.url, p.act,
                row_number() OVER (PARTITION BY d.outlet_id, d.target ORDER BY d.dispatch_id DESC) AS nth
            FROM dispatching_delivery d JOIN dispatching_batch b ON b.id = d.batch_id
            JOIN dispatching_dispatch p ON p.id = d.dispatch_id
            WHERE p.announcement_id = %s AND p.id < %s AND d.state IN ('accepted', 'unknown')
        ) latest WHERE nth = 1 AND act <> 'withdraw')""",
        [dispatch.announcement_id, dispatch.pk],
    )


def _flag(value: bool) -> str:
    return str(int(value)) if clock.is_sqlite() else str(value).lower()


def _add_in_hand(dispatch: Dispatch, targets: str, columns: str) -> None:
    held, held_values = _held(dispatch)
    earlier, values = _earlier(dispatch)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {targets} ({columns})
            SELECT d.outlet_id, d.target, d.address_id, b.language, %s, 0, b.early, {clock.wall()},
                coalesce(h.remote_id, ''), coalesce(h.url, ''), d.id,
                CASE WHEN h.target IS NULL THEN {_flag(False)} ELSE {_flag(True)} END
            FROM dispatching_delivery d JOIN dispatching_batch b ON b.id = d.batch_id
            LEFT JOIN {held} h ON h.outlet_id = d.outlet_id AND h.target = d.target
            WHERE d.dispatch_id IN {earlier} AND {_IN_HAND} AND d.follows IS NULL""",
            [dispatch.act, *held_values, *values],
        )


def _add_holders(dispatch: Dispatch, targets: str, columns: str) -> None:
    held, values = _held(dispatch)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {targets} ({columns})
            SELECT h.outlet_id, h.target, h.address_id, h.language, %s, 0, h.early, {clock.wall()}, h.remote_id, h.url,
                NULL, {_flag(False)}
            FROM {held} h
            WHERE NOT EXISTS (SELECT 1 FROM {targets} t WHERE t.outlet_id = h.outlet_id AND t.target = h.target)""",
            [dispatch.act, *values],
        )


def stop_earlier(dispatch: Dispatch) -> None:
    """Stops what is due in earlier dispatches at once, ahead of planning; whom it is told to is found then."""
    end_earlier(dispatch, "withdrawn")


def end_earlier(dispatch: Dispatch, why: str) -> None:
    """Ends all dispatches of the announcement before this one: what is due in them and in nobody's hands is skipped."""
    earlier, values = _earlier(dispatch)
    end(f"IN {earlier}", values, why)


def end(which: str, values: list[Any], why: str) -> int:
    """Ends the dispatches whose id is ``which`` (SQL). Returns how many deliveries were skipped.

    Deliveries in a worker's hands stay: their receipts decide. Doubt stays doubt, without a repeat. In a transaction.
    """
    lock(which, values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_dispatch SET ended_at = {clock.wall()}, ended_why = %s
            WHERE id {which} AND ended_at IS NULL""",
            [why, *values],
        )
        open_rows = f"""SELECT d.id FROM dispatching_delivery d JOIN dispatching_batch b ON b.id = d.batch_id
            WHERE b.dispatch_id {which} AND b.due_at IS NOT NULL AND d.due_at IS NOT NULL AND NOT {_IN_HAND}"""
        cursor.execute(
            f"UPDATE dispatching_delivery SET due_at = NULL WHERE id IN ({open_rows} AND d.state = 'unknown')", values
        )
        cursor.execute(
            f"""UPDATE dispatching_delivery SET due_at = NULL, state = 'skipped', reason = %s,
                settled_at = {clock.wall()} WHERE id IN ({open_rows} AND d.state = 'due')""",
            [why, *values],
        )
        skipped = int(cursor.rowcount)
        cursor.execute(
            f"""UPDATE dispatching_batch SET closed = {_flag(True)},
                skipped = (SELECT count(*) FROM dispatching_delivery d
                    WHERE d.batch_id = dispatching_batch.id AND d.state = 'skipped'),
                due_at = CASE WHEN lease_until IS NOT NULL THEN due_at ELSE NULL END
            WHERE dispatch_id {which} AND due_at IS NOT NULL""",
            values,
        )
    return skipped


def _add_unreached(dispatch: Dispatch, targets: str, columns: str) -> None:
    later = "max" if clock.is_sqlite() else "greatest"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {targets} ({columns})
            SELECT l.outlet_id, l.target, l.address_id, l.language, 'announce', l.stage, l.early,
                {later}(l.starts_at, {clock.wall()}), '', '', NULL, {_flag(False)}
            FROM (
                SELECT d.outlet_id, d.target, d.address_id, b.language, b.stage, b.early, d.state, d.reason,
                    coalesce(b.starts_at, {clock.wall()}) AS starts_at,
                    row_number() OVER (PARTITION BY d.outlet_id, d.target ORDER BY d.dispatch_id DESC) AS nth
                FROM dispatching_delivery d JOIN dispatching_batch b ON b.id = d.batch_id
                JOIN dispatching_dispatch p ON p.id = d.dispatch_id
                WHERE p.announcement_id = %s AND p.id < %s
            ) l
            WHERE l.nth = 1
                AND (l.state = 'skipped' AND l.reason = 'replaced' OR l.state = 'rejected' AND l.reason = 'compose')
                AND NOT EXISTS (SELECT 1 FROM {targets} t WHERE t.outlet_id = l.outlet_id AND t.target = l.target)""",
            [dispatch.announcement_id, dispatch.pk],
        )
