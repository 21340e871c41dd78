"""The queue as a whole: each lane and outlet with what waits, is in hand, is due later and why, failed, is in doubt."""

from __future__ import annotations

from typing import Any

from django.db import connection

from dispatcher.dispatching import clock, ring
from dispatcher.dispatching.lanes import LANES
from dispatcher.dispatching.models import Beat, Outlet
from dispatcher.dispatching.sql import rows_as_dicts


def desk() -> dict[str, Any]:
    """JSON types: ``lanes``, ``outlets``, ``redis`` (whether it answers), ``last_sweep``, ``swept_by``."""
    messages = {lane: ring.waiting(lane) for lane in LANES}
    beat = Beat.objects.filter(name="sweep").first()
    lanes, outlets = _lanes(), _outlets()
    return {
        "redis": all(count is not None for count in messages.values()),
        "last_sweep": beat.at.isoformat(timespec="seconds") if beat else None,
        "swept_by": beat.by if beat else "",
        "lanes": [
            {
                "lane": lane,
                "messages": messages[lane],
                "due": lanes.get(lane, {}).get("due", 0),
                "oldest": lanes.get(lane, {}).get("oldest"),
            }
            for lane in LANES
        ],
        "outlets": [_outlet(outlet, outlets.get(outlet.pk, {})) for outlet in Outlet.objects.all()],
    }


def _lanes() -> dict[str, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT b.lane, count(*) AS due, min(b.due_at) AS oldest FROM dispatching_batch b
            WHERE b.due_at <= {clock.wall()} AND {clock.lease_over("b.")} GROUP BY b.lane""",
            [],
        )
        return {
            row["lane"]: {"due": row["due"], "oldest": clock.moment(row["oldest"])} for row in rows_as_dicts(cursor)
        }


def _outlets() -> dict[int, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT b.outlet_id,
                sum(CASE WHEN b.due_at <= {clock.wall()} AND {clock.lease_over("b.")} THEN {_open("b")} ELSE 0 END)
                    AS waiting,
                sum(CASE WHEN b.due_at IS NOT NULL AND NOT {clock.lease_over("b.")} THEN {_open("b")} ELSE 0 END)
                    AS in_hand,
                sum(CASE WHEN b.due_at > {clock.wall()} AND {clock.lease_over("b.")} THEN {_open("b")} ELSE 0 END)
                    AS later,
                sum(b.rejected + b.gone) AS failed, sum(b.unknown) AS unknown
            FROM dispatching_batch b GROUP BY b.outlet_id""",
            [],
        )
        return {row["outlet_id"]: row for row in rows_as_dicts(cursor)}


def _open(alias: str) -> str:
    settled = " - ".join(f"{alias}.{name}" for name in ("accepted", "rejected", "gone", "unknown", "skipped"))
    return f"({alias}.size - {settled})"


def _outlet(outlet: Outlet, row: dict[str, Any]) -> dict[str, Any]:
    if outlet.paused_at is not None:
        state, why = (
            "paused",
            f"paused by {outlet.paused_by}" + (f": {outlet.pause_reason}" if outlet.pause_reason else ""),
        )
    elif outlet.circuit != "closed":
        state, why = ("needs a person" if outlet.needs_person else "down"), outlet.circuit_reason
    else:
        state, why = "open", ""
    numbers = ("waiting", "in_hand", "later", "failed", "unknown")
    return {
        "name": outlet.name,
        "label": outlet.label,
        "state": state,
        "why": why,
        "retry_at": outlet.retry_at,
        **{name: int(row.get(name) or 0) for name in numbers},
    }
