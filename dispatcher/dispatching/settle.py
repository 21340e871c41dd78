"""Settling: what came of a group of deliveries, and which go next, in one commit.

The hand-over mark rides on the settling commit. A group's receipts, the counters of its batch, and the mark that
releases the next recipients change together or not at all, and only for the holder of the current lease. Whoever left,
was erased, or belongs to a dispatch that ended meanwhile is seen here, at hand-over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from channels.contract import Outcome, Receipt
from dispatcher.dispatching import clock, readiness
from dispatcher.dispatching.leasing import Lease
from dispatcher.dispatching.models import DeliveryState, PastReceipt
from dispatcher.dispatching.policy import Decision, decide

# Statements that a connection keeps prepared: a process has few leases at a time.
PREPARED = 8


class LeaseLost(Exception):
    """Another holder has the batch: nothing of this one's counts any more, except what it still learns."""


@dataclass(frozen=True, slots=True)
class Released:
    """A delivery released to the channel. ``address`` fields are empty for a broadcast outlet."""

    id: int
    position: int
    attempts: int
    state: str
    target: str
    previous: str
    previous_url: str
    address: str | None
    address_id: int | None
    address_public_id: str | None
    address_state: str | None
    subscriber_public_id: str | None
    epoch: int | None


@dataclass(frozen=True, slots=True)
class Result:
    """One delivery's outcome on its way into the ledger."""

    released: Released
    decision: Decision
    outcome: str
    reason: str
    detail: str = ""
    remote_id: str = ""
    url: str = ""
    tried: int = 1


def result_of(receipt: Receipt, released: Released, lease: Lease, unknown_repeat: float) -> Result:
    """The receipt with what the policy makes of it."""
    decision = decide(
        receipt.outcome,
        receipt.reason,
        attempts=released.attempts + 1,
        was_unknown=released.state == DeliveryState.UNKNOWN,
        age=lease.age,
        can=lease.can,
        unknown_repeat=unknown_repeat,
        retry_after=receipt.retry_after,
    )
    return Result(
        released,
        decision,
        receipt.outcome,
        receipt.reason,
        _storable(receipt.detail, 200),
        _storable(receipt.remote_id, 300),
        _storable(receipt.url, 500),
    )


def _storable(text: str, limit: int) -> str:
    """What a far side said, without what no database holds: one such character would cost the whole group."""
    return text.replace("\x00", "").encode(errors="replace").decode()[:limit]


def skipped(released: Released, reason: str) -> Result:
    """A delivery that is not handed over after all."""
    state = DeliveryState.UNKNOWN if released.state == DeliveryState.UNKNOWN else DeliveryState.SKIPPED
    return Result(released, Decision(state), "skipped", reason, tried=0)


def settle(lease: Lease, results: Sequence[Result], *, after: int, room: int) -> list[Released]:
    """Settles ``results`` and releases up to ``room`` open deliveries from position ``after`` on.

    Repeated after an error it counts nothing twice: the commit may have gone through although its answer was lost.

    Raises:
        LeaseLost: the results are kept as late receipts, nothing else changed.
    """
    plain = all(result.outcome == Outcome.ACCEPTED and not result.released.attempts for result in results)
    released: list[Released] | None
    if plain and not clock.is_sqlite():
        released = _settle_postgres(lease, results, after, room)
    else:
        with transaction.atomic():
            do = _settle_sqlite if clock.is_sqlite() else _settle_postgres
            released = do(lease, results, after, room)
            if released is not None:
                _remember(results)
                _suppress(results)
    if released is None:
        keep_late(lease, results)
        raise LeaseLost
    return released


_COLUMNS = """d.id, d.position, d.attempts, d.state, d.target, d.previous, d.previous_url,
    a.value, d.address_id, a.public_id, a.state, s.public_id, s.epoch"""

_COUNTED = ("accepted", "rejected", "gone", "unknown", "skipped")


def _next(source: str) -> str:
    # Limited before it is joined: PostgreSQL would else look up the address of every row that is left in the batch.
    return f"""SELECT {_COLUMNS}
        FROM (SELECT d.id, d.position, d.attempts, d.state, d.target, d.previous, d.previous_url, d.address_id
            FROM {source} JOIN dispatching_delivery d ON d.batch_id = b.id
            WHERE d.position >= %s AND d.due_at IS NOT NULL AND d.due_at <= b.cutoff AND d.follows IS NULL
                AND b.open_now
            ORDER BY d.position LIMIT %s) d
        LEFT JOIN audience_address a ON a.id = d.address_id LEFT JOIN audience_subscriber s ON s.id = a.subscriber_id
        ORDER BY d.position"""


def _settle_postgres(lease: Lease, results: Sequence[Result], after: int, room: int) -> list[Released] | None:
    counted = ", ".join(
        f"{name} = b.{name} + (SELECT count(*) FROM done WHERE state = '{name}')"
        + (" - (SELECT count(*) FROM done WHERE prior = 'unknown')" if name == "unknown" else "")
        for name in _COUNTED
    )
    statement = f"""
    WITH b AS (
        SELECT b.id, b.cutoff, {readiness.ended()} AS ended, d.ended_why,
            (NOT {readiness.ended()} AND o.enabled AND o.paused_at IS NULL AND o.circuit <> 'open') AS open_now
        FROM dispatching_batch b JOIN dispatching_dispatch d ON d.id = b.dispatch_id
        JOIN dispatching_outlet o ON o.id = b.outlet_id
        WHERE b.id = {lease.batch_id:d} AND b.lease_token = {lease.token:d} AND b.lease_until IS NOT NULL
        FOR UPDATE OF b
    ), r AS (
        SELECT (v ->> 0)::bigint AS id, v ->> 1 AS state, (v ->> 2)::float8 AS due_in, v ->> 3 AS reason,
            v ->> 4 AS detail, v ->> 5 AS remote_id, v ->> 6 AS url, v ->> 7 AS prior, (v ->> 8)::int AS tried,
            (v ->> 9)::int AS attempts
        FROM jsonb_array_elements(%s::jsonb) AS v
    ), done AS (
        UPDATE dispatching_delivery d SET
            state = CASE WHEN b.ended AND r.state = 'due' THEN 'skipped' ELSE r.state END,
            due_at = CASE WHEN NOT b.ended THEN clock_timestamp() + r.due_in * interval '1 second' END,
            reason = CASE WHEN b.ended AND r.state = 'due' THEN coalesce(nullif(b.ended_why, ''), 'expired')
                ELSE r.reason END,
            detail = r.detail, remote_id = r.remote_id, url = r.url, attempts = d.attempts + r.tried,
            settled_at = clock_timestamp()
        FROM r, b WHERE d.id = r.id AND d.batch_id = b.id AND d.due_at IS NOT NULL AND d.attempts = r.attempts
        RETURNING d.id, d.state, r.prior
    ), next AS ({_next("b")}), mark AS (
        UPDATE dispatching_batch b SET
            handed = greatest(b.handed, coalesce((SELECT max(position) + 1 FROM next), 0)), {counted},
            barren = CASE WHEN EXISTS (SELECT 1 FROM done) THEN 0 ELSE b.barren END,
            moved_at = CASE WHEN EXISTS (SELECT 1 FROM done) THEN clock_timestamp() ELSE b.moved_at END
        FROM b AS held WHERE b.id = held.id RETURNING b.id
    )
    SELECT next.* FROM mark LEFT JOIN next ON true ORDER BY position"""
    import psycopg  # noqa: PLC0415 - nine megabytes that an installation on SQLite does without

    values: list[Any] = [json.dumps(_as_rows(results)), after, room]
    connection.ensure_connection()
    # Straight through psycopg: a prepared statement, where Django would send text to be parsed and planned each time.
    # The lease stands in its text, so each lease has it planned once, for the tables as they are by then.
    connection.connection.prepared_max = PREPARED
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        rows = cursor.execute(statement.encode(), values, prepare=True).fetchall()
    if not rows:
        return None
    return [Released(*row) for row in rows if row[0] is not None]


def _as_rows(results: Sequence[Result]) -> list[list[Any]]:
    # One text of JSON: ten arrays take psycopg twenty times as long to write.
    return [
        [
            result.released.id,
            result.decision.state,
            result.decision.due_in,
            result.reason,
            result.detail,
            result.remote_id,
            result.url,
            result.released.state,
            result.tried,
            result.released.attempts,
        ]
        for result in results
    ]


def _settle_sqlite(lease: Lease, results: Sequence[Result], after: int, room: int) -> list[Released] | None:
    held = f"""(SELECT b.id, b.cutoff, {readiness.ended()} AS ended, d.ended_why,
        (NOT {readiness.ended()} AND o.enabled AND o.paused_at IS NULL AND o.circuit <> 'open') AS open_now
        FROM dispatching_batch b JOIN dispatching_dispatch d ON d.id = b.dispatch_id
        JOIN dispatching_outlet o ON o.id = b.outlet_id
        WHERE b.id = %s AND b.lease_token = %s AND b.lease_until IS NOT NULL)"""
    mine = [lease.batch_id, lease.token]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT b.ended, b.ended_why FROM {held} b", mine)
        batch = cursor.fetchone()
        if batch is None:
            return None
        changes = _apply_sqlite(results, lease, ended=bool(batch[0]), why=batch[1] or "expired") if results else {}
        cursor.execute(_next(f"{held} b"), [*mine, after, room])
        released = [Released(*row) for row in cursor.fetchall()]
        counted = ", ".join(f"{name} = {name} + %s" for name in _COUNTED)
        cursor.execute(
            f"""UPDATE dispatching_batch SET handed = max(handed, %s), {counted},
                barren = CASE WHEN %s THEN 0 ELSE barren END,
                moved_at = CASE WHEN %s THEN {clock.wall()} ELSE moved_at END
            WHERE id = %s""",
            [
                released[-1].position + 1 if released else 0,
                *(changes.get(name, 0) for name in _COUNTED),
                bool(changes),
                bool(changes),
                lease.batch_id,
            ],
        )
    return released


def _apply_sqlite(results: Sequence[Result], lease: Lease, *, ended: bool, why: str) -> dict[str, int]:
    priors = {result.released.id: result.released.state for result in results}
    rows = [
        [
            result.released.id,
            "skipped" if ended and result.decision.state == DeliveryState.DUE else str(result.decision.state),
            None if ended else result.decision.due_in,
            why if ended and result.decision.state == DeliveryState.DUE else str(result.reason),
            result.detail,
            result.remote_id,
            result.url,
            result.tried,
            result.released.attempts,
        ]
        for result in results
    ]
    changes: dict[str, int] = {"moved": 1}
    with connection.cursor() as cursor:
        # The plus keeps SQLite from the index on batch_id: it would go through the whole batch for each receipt.
        cursor.execute(
            f"""UPDATE dispatching_delivery SET state = r.value ->> 1, due_at = {clock.wall_in("(r.value ->> 2)")},
                reason = r.value ->> 3, detail = r.value ->> 4, remote_id = r.value ->> 5, url = r.value ->> 6,
                attempts = attempts + (r.value ->> 7), settled_at = {clock.wall()}
            FROM json_each(%s) AS r
            WHERE dispatching_delivery.id = (r.value ->> 0) AND +batch_id = %s AND due_at IS NOT NULL
                AND attempts = (r.value ->> 8)
            RETURNING dispatching_delivery.id, dispatching_delivery.state""",
            [json.dumps(rows), lease.batch_id],
        )
        for identity, state in cursor.fetchall():
            changes[state] = changes.get(state, 0) + 1
            if priors[identity] == DeliveryState.UNKNOWN:
                changes["unknown"] = changes.get("unknown", 0) - 1
    return changes


def _remember(results: Sequence[Result], *, late: bool = False) -> None:
    """Keeps each receipt that is more than a first acceptance: the delivery row shows only the latest."""
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""INSERT INTO {PastReceipt._meta.db_table}
                (delivery_id, attempt, outcome, reason, detail, remote_id, at, late)
            VALUES (%s, %s, %s, %s, %s, %s, {clock.wall()}, %s)""",
            [
                (
                    result.released.id,
                    result.released.attempts + 1,
                    str(result.outcome),
                    str(result.reason),
                    result.detail,
                    result.remote_id,
                    late,
                )
                for result in results
                if result.tried and (late or result.outcome != Outcome.ACCEPTED or result.released.attempts)
            ],
        )


def _suppress(results: Sequence[Result]) -> None:
    """Addresses that do not exist are not written to again."""
    addresses = [result.released.address_id for result in results if result.decision.suppress]
    if addresses:
        marks = ", ".join(["%s"] * len(addresses))
        with connection.cursor() as cursor:
            cursor.execute(
                f"""UPDATE audience_address SET state = 'suppressed', state_reason = 'no-such-address',
                    state_at = {clock.wall()} WHERE id IN ({marks}) AND state = 'active'""",
                addresses,
            )


def keep_late(lease: Lease, results: Sequence[Result]) -> None:
    """Keeps the receipts of a holder whose lease is gone. An acceptance outranks doubt, and is counted once."""
    lock = "" if clock.is_sqlite() else " FOR UPDATE"
    with transaction.atomic(), connection.cursor() as cursor:
        # The batch before its deliveries, as all who settle do: its new holder may be at it.
        cursor.execute(f"SELECT 1 FROM dispatching_batch WHERE id = %s{lock}", [lease.batch_id])
        _remember(results, late=True)
        for result in results:
            if result.outcome != Outcome.ACCEPTED:
                continue
            cursor.execute(
                f"SELECT state, batch_id FROM dispatching_delivery WHERE id = %s{lock}", [result.released.id]
            )
            state, batch_id = cursor.fetchone()
            if state not in {DeliveryState.UNKNOWN, DeliveryState.DUE}:
                continue
            cursor.execute(
                f"""UPDATE dispatching_delivery SET state = 'accepted', due_at = NULL, reason = 'ok', detail = %s,
                    remote_id = %s, url = %s, settled_at = {clock.wall()} WHERE id = %s""",
                [result.detail, result.remote_id, result.url, result.released.id],
            )
            was_unknown = 1 if state == DeliveryState.UNKNOWN else 0
            cursor.execute(
                """UPDATE dispatching_batch SET accepted = accepted + 1, unknown = unknown - %s WHERE id = %s""",
                [was_unknown, batch_id],
            )
