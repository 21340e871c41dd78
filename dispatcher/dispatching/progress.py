"""How a dispatch stands: sums over batch counters, whatever its size."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.timezone import now

from dispatcher.dispatching import clock, handwork, readiness
from dispatcher.dispatching.models import Delivery, DeliveryState, Dispatch, Outlet, Proof
from dispatcher.dispatching.sql import rows_as_dicts


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletProgress:
    """One outlet's share. ``due`` counts what is open and certainly not out; ``unknown`` includes ``repeats`` to come.

    ``by_hand`` counts what of it a person has to do. ``waits_for`` is why nothing moves: ``page``, ``paused``,
    ``down``, ``person``, ``time``, ``queue``, or empty.
    """

    name: str
    label: str
    channel: str
    planned: int
    accepted: int
    rejected: int
    gone: int
    unknown: int
    skipped: int
    sending: int
    repeats: int
    by_hand: int
    next_at: datetime | None
    waits_for: str
    why: str
    proofs: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    skips: dict[str, int] = field(default_factory=dict)

    @property
    def due(self) -> int:
        return self.planned - self.accepted - self.rejected - self.gone - self.unknown - self.skipped

    @property
    def settled(self) -> bool:
        """Nothing is left for us to do; a person may still have something to post (``by_hand``)."""
        return self.due == self.by_hand and self.repeats == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    dispatch: Dispatch
    outlets: list[OutletProgress]

    def total(self, name: str) -> int:
        """A figure of ``OutletProgress`` summed over the outlets: planned, accepted, due, by_hand, …"""
        return sum(int(getattr(outlet, name)) for outlet in self.outlets)

    @property
    def settled(self) -> bool:
        """Every delivery is settled or waits for a person.

        A dispatch that is still to be planned is not settled; one that was ended before is.
        """
        decided = self.dispatch.planned_at is not None or self.dispatch.ended_at is not None
        return decided and all(outlet.settled for outlet in self.outlets)

    @property
    def proven(self) -> bool:
        """Every public copy was read back and says the same."""
        return all(set(outlet.proofs) <= {"same"} for outlet in self.outlets)


def progress(dispatch: Dispatch, *, details: bool = True) -> Progress:
    """The state of a dispatch. ``details`` adds reasons and proofs, which look at single deliveries."""
    dispatch.refresh_from_db()
    rows = _sums(dispatch.pk)
    proofs = _proofs(dispatch) if details else {}
    reasons = _reasons(dispatch, rows) if details else {}
    outlets = {outlet.pk: outlet for outlet in Outlet.objects.filter(pk__in=[row["outlet_id"] for row in rows])}
    _add_handwork(dispatch, rows, outlets)
    return Progress(
        dispatch=dispatch,
        outlets=[
            _outlet(outlets[row["outlet_id"]], row, proofs.get(row["outlet_id"], {}), reasons.get(row["outlet_id"], {}))
            for row in sorted(rows, key=lambda row: (outlets[row["outlet_id"]].position, row["outlet_id"]))
        ],
    )


def _sums(dispatch_id: int) -> list[dict[str, Any]]:
    """Sums over batches. Single deliveries are looked at only in batches that are in hand or hold an unknown one."""
    in_hand = "d.position < b.handed AND d.due_at <= b.cutoff"
    pageless = f"b.due_at <= {clock.wall()} AND NOT {readiness.page_there()}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT b.outlet_id, sum(b.size) AS planned, sum(b.accepted) AS accepted, sum(b.rejected) AS rejected,
                sum(b.gone) AS gone, sum(b.unknown) AS unknown, sum(b.skipped) AS skipped, min(b.due_at) AS next_at,
                sum(CASE WHEN NOT {clock.lease_over("b.")} THEN 1 ELSE 0 END) AS leased,
                sum(CASE WHEN {pageless} THEN 1 ELSE 0 END) AS pageless,
                sum(CASE WHEN b.due_at IS NOT NULL AND b.handed > 0 AND NOT {clock.lease_over("b.")} THEN (
                    SELECT count(*) FROM dispatching_delivery d WHERE d.batch_id = b.id AND {in_hand}
                    ) ELSE 0 END) AS sending,
                sum(CASE WHEN b.due_at IS NOT NULL AND b.unknown > 0 THEN (
                    SELECT count(*) FROM dispatching_delivery d
                    WHERE d.batch_id = b.id AND d.due_at IS NOT NULL AND d.state = 'unknown') ELSE 0 END) AS repeats
            FROM dispatching_batch b WHERE b.dispatch_id = %s GROUP BY b.outlet_id""",
            [dispatch_id],
        )
        rows = rows_as_dicts(cursor)
    for row in rows:
        row["next_at"] = clock.moment(row["next_at"])
    return rows


def _add_handwork(dispatch: Dispatch, rows: list[dict[str, Any]], outlets: dict[int, Outlet]) -> None:
    by_hand = [pk for pk, outlet in outlets.items() if outlet.channel == handwork.CHANNEL]
    counts = handwork.count_by_outlet(dispatch.pk, by_hand) if by_hand else {}
    for row in rows:
        row["by_hand"] = counts.get(row["outlet_id"], 0)


def _proofs(dispatch: Dispatch) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    public = Delivery.objects.filter(dispatch=dispatch, address__isnull=True).exclude(target__startswith="early:")
    for outlet_id, result in (
        Proof.objects.filter(delivery__in=public, delivery__state=DeliveryState.ACCEPTED)
        .exclude(result="", due_at__isnull=True)
        .values_list("delivery__outlet_id", "result")
    ):
        counts = found.setdefault(outlet_id, {})
        counts[result or "waiting"] = counts.get(result or "waiting", 0) + 1
    return found


def _reasons(dispatch: Dispatch, rows: list[dict[str, Any]]) -> dict[int, dict[str, dict[str, int]]]:
    """Why deliveries are not accepted, by outlet: under ``skipped`` why they were skipped, under ``not`` the rest."""
    troubled = [row["outlet_id"] for row in rows if int(row["planned"]) != int(row["accepted"])]
    found: dict[int, dict[str, dict[str, int]]] = {}
    if not troubled:
        return found
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT d.outlet_id, d.state, d.reason, count(*)
            FROM dispatching_batch b JOIN dispatching_delivery d ON d.batch_id = b.id
            WHERE b.dispatch_id = %s AND b.size <> b.accepted AND d.state <> 'accepted' AND d.reason <> ''
                AND b.outlet_id IN ({", ".join(["%s"] * len(troubled))})
            GROUP BY d.outlet_id, d.state, d.reason""",
            [dispatch.pk, *troubled],
        )
        for outlet_id, state, reason, count in cursor.fetchall():
            kinds = found.setdefault(outlet_id, {"skipped": {}, "not": {}})
            kind = kinds["skipped" if state == "skipped" else "not"]
            kind[reason] = kind.get(reason, 0) + int(count)
    return found


def _outlet(
    outlet: Outlet, row: dict[str, Any], proofs: dict[str, int], reasons: dict[str, dict[str, int]]
) -> OutletProgress:
    waits_for, why = _waiting(outlet, row)
    numbers = ("planned", "accepted", "rejected", "gone", "unknown", "skipped", "sending", "repeats", "by_hand")
    return OutletProgress(
        name=outlet.name,
        label=outlet.label,
        channel=outlet.channel,
        next_at=row["next_at"],
        waits_for=waits_for,
        why=why,
        proofs=proofs,
        reasons=reasons.get("not", {}),
        skips=reasons.get("skipped", {}),
        **{name: int(row[name]) for name in numbers},
    )


def _waiting(outlet: Outlet, row: dict[str, Any]) -> tuple[str, str]:
    if row["next_at"] is None or row["leased"]:
        return "", ""
    if outlet.paused_at is not None:
        return "paused", outlet.pause_reason
    if outlet.circuit != "closed":
        return "down", outlet.circuit_reason
    if row["pageless"]:
        return "page", ""
    if row["by_hand"]:
        return "person", ""
    return ("time" if row["next_at"] > now() else "queue"), ""


def unproven(dispatch: Dispatch) -> bool:
    """Whether a public copy was accepted and not read back yet, or is to be read again soon because it was not fine."""
    public = Delivery.objects.filter(dispatch=dispatch, address__isnull=True, state=DeliveryState.ACCEPTED)
    pending = public.exclude(target__startswith="early:").filter(
        Q(proof__isnull=True) | Q(proof__result="", proof__due_at__isnull=False) | Q(proof__attempts__range=(1, 3))
    )
    return pending.exists()
