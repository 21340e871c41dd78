"""Leases: at any moment at most one worker may hand over a batch, and it can prove it.

A lease is a fencing number that rises each time. It lasts ``LEASE_SECONDS``, is renewed by a timer every third of that
(never by progress), and is given back when the work is done. Promises:

* a holder that woke up late can start nothing and change nothing (its late receipts are kept);
* what a dead holder had in hand becomes ``unknown``, everything else stays due: nothing is repeated blindly.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from channels.contract import Abilities
from dispatcher.dispatching import clock, follow, policy, readiness
from dispatcher.dispatching.lanes import side_by_side
from dispatcher.dispatching.models import DispatchAct
from dispatcher.dispatching.outlets import abilities, is_direct
from dispatcher.dispatching.sql import rows_as_dicts


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to hand over one batch. ``age`` is seconds since the dispatch was planned."""

    batch_id: int
    token: int
    dispatch_id: int
    dispatch_key: str
    announcement: str  # public id; empty for a notice
    outlet_id: int
    channel: str
    language: str
    act: str
    early: bool
    lane: str
    age: float
    rate: float | None
    notice: str  # its kind; empty for an announcement
    cutoff: datetime | str

    @property
    def can(self) -> Abilities:
        return abilities(self.channel)


def take(batch_id: int, holder: str) -> Lease | None:
    """The lease of a batch, or ``None`` where it is not due, in other hands, or may not be handed over now.

    What a dead holder had in hand is settled as unknown first; an ended dispatch's open deliveries are skipped.
    """
    return take_all([(batch_id, holder)])[0]


def take_all(wanted: Sequence[tuple[int, str]]) -> list[Lease | None]:
    """The leases of batches, each for a holder, as ``take`` gives them; in one transaction."""
    with transaction.atomic():
        return [_take(batch_id, holder) for batch_id, holder in wanted]


def _take(batch_id: int, holder: str) -> Lease | None:
    row = _locked(batch_id)
    if row is None:
        return None
    if row["lease_until"] is not None:
        _take_over(row)
    if row["ended"]:
        # What was unknown stays unknown, without a repeat.
        skip(row["id"], row["ended_why"] or "expired")
        _close(batch_id)
        return None
    if row["barren"] + 1 >= policy.BARREN_LIMIT and row["lease_until"] is not None:
        _set_aside(row)
        _close(batch_id)
        return None
    if not row["open_now"] or not _slot_free(row) or not _may_probe(row):
        _close(batch_id)
        return None
    if row["dispatch_act"] != DispatchAct.ANNOUNCE:  # nothing follows up on what nobody heard before
        follow.resolve(row)
    return _grant(row, holder)


def _locked(batch_id: int) -> dict[str, Any] | None:
    lock = "" if clock.is_sqlite() else "FOR UPDATE OF b SKIP LOCKED"
    age = (
        "(julianday('now') - julianday(d.planned_at)) * 86400.0"
        if clock.is_sqlite()
        else "extract(epoch from clock_timestamp() - d.planned_at)::float8"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT b.id, b.dispatch_id, b.outlet_id, b.lane, b.language, b.act, b.stage, b.early, b.handed,
                b.cutoff, b.barren, b.lease_until, {readiness.ended()} AS ended, d.ended_why, d.act AS dispatch_act,
                ({readiness.outlet_open()} AND {readiness.page_there()}) AS open_now,
                o.channel, o.slots, o.circuit, o.rate, b.page_by, d.key AS dispatch_key, d.notice,
                coalesce(a.public_id, '') AS announcement, {age} AS age
            FROM dispatching_batch b JOIN dispatching_dispatch d ON d.id = b.dispatch_id
            JOIN dispatching_outlet o ON o.id = b.outlet_id
            LEFT JOIN announcements_announcement a ON a.id = d.announcement_id
            WHERE b.id = %s AND b.due_at IS NOT NULL AND {clock.lease_over("b.")}
                AND (b.due_at <= {clock.wall()} OR b.lease_until IS NOT NULL) {lock}""",
            [batch_id],
        )
        found = rows_as_dicts(cursor)
    return found[0] if found else None


def _in_hand(row: dict[str, Any]) -> tuple[str, list[Any]]:
    return (
        "batch_id = %s AND due_at IS NOT NULL AND due_at <= %s AND position < %s AND follows IS NULL",
        [row["id"], row["cutoff"], row["handed"]],
    )


def _take_over(row: dict[str, Any]) -> None:
    where, values = _in_hand(row)
    can = abilities(row["channel"])
    wait: list[Any] = []
    if row["ended"] or can.never_repeat:
        due = "NULL"
    elif can.keyed or can.look_up:
        due = clock.wall()
    else:
        due = f"CASE WHEN state = 'unknown' THEN NULL ELSE {clock.wall_in('%s')} END"
        wait = [settings.UNKNOWN_REPEAT_SECONDS]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM dispatching_delivery WHERE {where} AND state = 'due'", values)
        newly_unknown = cursor.fetchone()[0]
        cursor.execute(
            f"""INSERT INTO dispatching_pastreceipt
                (delivery_id, attempt, outcome, reason, detail, remote_id, at, late)
            SELECT id, attempts + 1, 'unknown', 'worker-died', '', '', {clock.wall()}, {_false()}
            FROM dispatching_delivery WHERE {where}""",
            values,
        )
        cursor.execute(
            f"""UPDATE dispatching_delivery SET due_at = {due}, state = 'unknown', attempts = attempts + 1,
                reason = 'worker-died', detail = '', settled_at = {clock.wall()} WHERE {where}""",
            [*wait, *values],
        )
        cursor.execute(
            """UPDATE dispatching_batch SET unknown = unknown + %s, handed = 0, cutoff = NULL, barren = barren + 1
            WHERE id = %s""",
            [newly_unknown, row["id"]],
        )


def _false() -> str:
    return "0" if clock.is_sqlite() else "false"


def skip(batch_id: int, reason: str) -> int:
    """Skips the open deliveries of a batch that nobody has in hand; returns how many. Inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_delivery
            SET due_at = NULL, state = 'skipped', reason = %s, settled_at = {clock.wall()}
            WHERE batch_id = %s AND due_at IS NOT NULL AND state = 'due'""",
            [reason, batch_id],
        )
        skipped = int(cursor.rowcount)
        cursor.execute(
            "UPDATE dispatching_delivery SET due_at = NULL WHERE batch_id = %s AND due_at IS NOT NULL", [batch_id]
        )
        cursor.execute("UPDATE dispatching_batch SET skipped = skipped + %s WHERE id = %s", [skipped, batch_id])
    return skipped


def _set_aside(row: dict[str, Any]) -> None:
    """A batch that keeps killing its worker is rejected whole: the rest of the dispatch goes on without it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_delivery SET due_at = NULL, state = 'rejected', reason = 'poison',
                settled_at = {clock.wall()} WHERE batch_id = %s AND due_at IS NOT NULL AND state = 'due'""",
            [row["id"]],
        )
        rejected = cursor.rowcount
        cursor.execute(
            "UPDATE dispatching_delivery SET due_at = NULL WHERE batch_id = %s AND due_at IS NOT NULL", [row["id"]]
        )
        cursor.execute("UPDATE dispatching_batch SET rejected = rejected + %s WHERE id = %s", [rejected, row["id"]])


def _slot_free(row: dict[str, Any]) -> bool:
    """An outlet that is not known to be well holds one slot; none takes the last one while others have work due.

    Public copies go out side by side in one process: they take no slot from each other.
    """
    slots = row["slots"] if row["circuit"] == "closed" else 1
    if row["circuit"] == "closed" and side_by_side(row["lane"], direct=is_direct(row["channel"])):
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM dispatching_batch WHERE outlet_id = %s AND lane = %s AND NOT {clock.lease_over()}",
            [row["outlet_id"], row["lane"]],
        )
        held = int(cursor.fetchone()[0])
        pool = settings.LANE_SLOTS.get(row["lane"], 1)
        if held and held >= pool - 1:
            cursor.execute(
                f"""SELECT 1 FROM dispatching_batch b JOIN dispatching_dispatch d ON d.id = b.dispatch_id
                JOIN dispatching_outlet o ON o.id = b.outlet_id
                WHERE b.lane = %s AND b.outlet_id <> %s AND {readiness.ready()} LIMIT 1""",
                [row["lane"], row["outlet_id"]],
            )
            if cursor.fetchone():
                return False
    return held < slots


def _may_probe(row: dict[str, Any]) -> bool:
    """Of a down outlet, one worker tries one batch; the others wait for what it finds."""
    if row["circuit"] == "closed":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_outlet SET circuit = 'probing', retry_at = {clock.wall_in("%s")}
            WHERE id = %s AND (retry_at IS NULL OR retry_at <= {clock.wall()}) RETURNING id""",
            [settings.LEASE_SECONDS * 2, row["outlet_id"]],
        )
        return cursor.fetchone() is not None


def _grant(row: dict[str, Any], holder: str) -> Lease:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_batch SET lease_token = lease_token + 1, leased_by = %s,
                lease_until = {clock.lease_now()} + %s, cutoff = {clock.wall()}, handed = 0
            WHERE id = %s RETURNING lease_token, cutoff""",
            [holder, settings.LEASE_SECONDS, row["id"]],
        )
        token, cutoff = cursor.fetchone()
    notice = row["notice"]
    same = (
        "dispatch_id", "dispatch_key", "announcement", "outlet_id", "channel", "language", "act", "lane", "age", "rate",
    )  # fmt: skip
    return Lease(
        batch_id=row["id"],
        token=token,
        cutoff=cutoff,
        early=bool(row["early"]),
        notice=(json.loads(notice) if isinstance(notice, str) else notice).get("kind", ""),
        **{name: row[name] for name in same},
    )


def renew(lease: Lease) -> bool:
    """Makes the lease last a whole ``LEASE_SECONDS`` from now. False where it is lost: stop at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_batch SET lease_until = {clock.lease_now()} + %s
            WHERE id = %s AND lease_token = %s AND lease_until IS NOT NULL RETURNING id""",
            [settings.LEASE_SECONDS, lease.batch_id, lease.token],
        )
        return cursor.fetchone() is not None


def give_back(lease: Lease) -> bool:
    """Ends the lease with nothing in hand. True where something in the batch is due right now."""
    return give_back_all([lease])[0]


def give_back_all(leases: Sequence[Lease]) -> list[bool]:
    """Ends leases as ``give_back`` does; in one transaction."""
    with transaction.atomic():
        return [_give_back(lease) for lease in leases]


def _give_back(lease: Lease) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM dispatching_batch WHERE id = %s AND lease_token = %s"
            + ("" if clock.is_sqlite() else " FOR UPDATE"),
            [lease.batch_id, lease.token],
        )
        if cursor.fetchone() is None:
            return False
    return _close(lease.batch_id)


def _close(batch_id: int) -> bool:
    """Leaves the batch in nobody's hands, due when the first of its open deliveries is. True where that is now."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_batch SET handed = 0, cutoff = NULL, lease_until = NULL, leased_by = '',
                due_at = (SELECT min(due_at) FROM dispatching_delivery WHERE batch_id = %s AND due_at IS NOT NULL)
            WHERE id = %s RETURNING due_at IS NOT NULL AND due_at <= {clock.wall()}""",
            [batch_id, batch_id],
        )
        return bool(cursor.fetchone()[0])
