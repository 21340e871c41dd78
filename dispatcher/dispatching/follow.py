"""Follow-ups: what to say to those whose message was in hand when a correction or withdrawal was planned.

Nobody knew then whether the first message would arrive. Once that is settled: who has it, or may have it, hears the
correction; who has not, hears the new text as a first announcement (or nothing, of a withdrawal).
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from dispatcher.dispatching import clock
from dispatcher.dispatching.models import Batch

# Announcing batches that follow-ups create are numbered from here, clear of those that planning made.
NUMBERS_FROM = 1_000_000


def resolve(row: dict[str, Any]) -> None:
    """Settles the follow-ups of a batch whose first message is settled by now. Inside the leasing transaction.

    ``row`` holds the batch's id, dispatch_id, outlet_id, lane, language, act, stage, early, page_by, the dispatch's act
    and the outlet's channel.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT d.id, CASE WHEN d.holds THEN 'accepted' ELSE o.state END,
                coalesce(nullif(o.remote_id, ''), d.previous), coalesce(nullif(o.url, ''), d.previous_url),
                (o.due_at IS NOT NULL AND ob.lease_until IS NOT NULL
                AND o.position < ob.handed AND o.due_at <= ob.cutoff) AS in_hand
            FROM dispatching_delivery d
            LEFT JOIN dispatching_delivery o ON o.id = d.follows
            LEFT JOIN dispatching_batch ob ON ob.id = o.batch_id
            WHERE d.batch_id = %s AND d.follows IS NOT NULL AND d.due_at IS NOT NULL ORDER BY d.position""",
            [row["id"]],
        )
        followers = cursor.fetchall()
        if not followers:
            return
        heard = [
            (remote, url, identity)
            for identity, state, remote, url, in_hand in followers
            if not in_hand and state in {"accepted", "unknown"}
        ]
        unheard = [
            identity
            for identity, state, _, _, in_hand in followers
            if not in_hand and state not in {"accepted", "unknown"}
        ]
        waiting = [identity for identity, *_, in_hand in followers if in_hand]
        cursor.executemany(
            f"""UPDATE dispatching_delivery
            SET follows = NULL, previous = %s, previous_url = %s, due_at = {clock.wall()} WHERE id = %s""",
            heard,
        )
        cursor.executemany(
            f"UPDATE dispatching_delivery SET due_at = {clock.wall_in('%s')} WHERE id = %s",
            [(1, identity) for identity in waiting],
        )
    if unheard:
        if row["dispatch_act"] == "withdraw":
            _skip(row, unheard)
        else:
            _announce(row, unheard)


def _skip(row: dict[str, Any], unheard: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""UPDATE dispatching_delivery SET follows = NULL, due_at = NULL, state = 'skipped', reason = 'withdrawn',
            settled_at = {clock.wall()} WHERE id = %s""",
            [(identity,) for identity in unheard],
        )
        cursor.execute("UPDATE dispatching_batch SET skipped = skipped + %s WHERE id = %s", [len(unheard), row["id"]])


def _announce(row: dict[str, Any], unheard: list[int]) -> None:
    batch, _ = Batch.objects.get_or_create(
        dispatch_id=row["dispatch_id"],
        outlet_id=row["outlet_id"],
        language=row["language"],
        act="announce",
        stage=row["stage"],
        early=bool(row["early"]),
        number=NUMBERS_FROM + row["id"],
        defaults={
            "lane": row["lane"],
            "needs_page": row["channel"] != "website",
            "page_by": clock.moment(row["page_by"]),
        },
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            f"""UPDATE dispatching_delivery SET batch_id = %s, position = %s, follows = NULL, due_at = {clock.wall()}
            WHERE id = %s""",
            [(batch.pk, batch.size + index, identity) for index, identity in enumerate(unheard)],
        )
        cursor.execute(
            f"UPDATE dispatching_batch SET size = size + %s, due_at = {clock.wall()} WHERE id = %s",
            [len(unheard), batch.pk],
        )
        cursor.execute("UPDATE dispatching_batch SET size = size - %s WHERE id = %s", [len(unheard), row["id"]])
