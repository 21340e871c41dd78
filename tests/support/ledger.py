"""The one check after every fault: what must hold between the ledger and what the far side recorded.

The invariants, as the fault matrix numbers them:

* I1 accounted: every planned delivery is in exactly one state, and nothing is open once all is settled;
* I2 nothing lost: whatever the ledger calls accepted, the far side has taken;
* I3 few twice: what was taken twice is bounded, and belongs to a delivery that had an attempt without a receipt;
* I4 unknown is respected: a mail without an answer is repeated at most once;
* I7 one plan: one dispatch for a revision and act, one delivery for a target;
* I10 counters true: the batches' counters are what their deliveries say.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.support.town import Town

DELIVERIES = """
    SELECT d.id, d.batch_id, d.state, d.due_at, d.attempts, d.reason, d.target, p.key AS dispatch, p.act, o.channel,
        a.public_id AS address,
        (SELECT count(*) FROM dispatching_pastreceipt r WHERE r.delivery_id = d.id AND r.outcome = 'unknown') AS doubts
    FROM dispatching_delivery d JOIN dispatching_dispatch p ON p.id = d.dispatch_id
    JOIN dispatching_outlet o ON o.id = d.outlet_id LEFT JOIN audience_address a ON a.id = d.address_id
"""
COUNTERS = ("accepted", "rejected", "gone", "unknown", "skipped")


@dataclass(frozen=True)
class Figures:
    """What the far side counted against what was planned, over the mail of the installation."""

    planned: int
    received: int
    lost: int
    twice: int
    unknown: int
    skipped: int


def deliveries(town: Town) -> list[dict[str, Any]]:
    """Every delivery of the installation."""
    return town.rows(DELIVERIES)


def open_deliveries(town: Town) -> int:
    """How many deliveries are open, plus dispatches that are not planned yet. What a person has in hand is theirs."""
    unplanned = town.rows(
        "SELECT count(*) AS n FROM dispatching_dispatch WHERE planned_at IS NULL AND ended_at IS NULL"
    )[0]["n"]
    found = town.rows(
        "SELECT count(*) AS n FROM dispatching_delivery WHERE due_at IS NOT NULL AND reason <> 'by-hand'"
    )[0]["n"]
    return int(unplanned) + int(found)


def settled(town: Town, *, timeout: float = 60) -> None:
    """Waits until something was planned, all of it is settled, and what dead workers held has been taken from them."""
    leased = "SELECT count(*) AS n FROM dispatching_batch WHERE lease_until IS NOT NULL"
    town.until(
        lambda: open_deliveries(town) == 0 and not town.rows(leased)[0]["n"] and deliveries(town),
        timeout=timeout,
        what="all deliveries settled",
    )


def check_ledger(
    town: Town, taken: Counter[str], *, twice_at_most: int = 0, at_rest: bool = True, channel: str = "email"
) -> Figures:
    """Asserts I1, I2, I3, I4, I7 and I10, prints the figures and returns them.

    ``taken`` counts the delivery keys that the far side of the direct ``channel`` recorded, ``twice_at_most`` is the
    bound of I3: window times the number of kills or cut connections. ``at_rest`` off leaves out what only holds once
    all is settled.
    """
    rows = deliveries(town)
    assert rows, "nothing was planned"
    _one_plan(town, rows)
    _accounted(rows, at_rest=at_rest)
    _counters(town, rows, at_rest=at_rest)
    mails = {f"{row['dispatch']}.{row['address']}": row for row in rows if row["channel"] == channel}
    lost = [key for key, row in mails.items() if row["state"] == "accepted" and key not in taken]
    assert not lost, f"I2: {len(lost)} accepted and never taken, for example {lost[:3]}"
    stray = [key for key in taken if key not in mails]
    assert not stray, f"{len(stray)} taken that nobody planned, for example {stray[:3]}"
    again = {key: count for key, count in taken.items() if count > 1}
    twice = sum(count - 1 for count in again.values())
    assert twice <= twice_at_most, f"I3: {twice} twice, at most {twice_at_most} may be"
    unexplained = [key for key in again if mails[key]["attempts"] < 2 and not mails[key]["doubts"]]
    assert not unexplained, f"I3: twice without an attempt that had no receipt: {unexplained[:3]}"
    for row in rows:
        if row["channel"] == channel:
            assert row["doubts"] <= 2, f"I4: delivery {row['id']} was in doubt {row['doubts']} times"
    figures = Figures(
        planned=len(mails),
        received=len(taken),
        lost=len(lost),
        twice=twice,
        unknown=sum(row["state"] == "unknown" for row in mails.values()),
        skipped=sum(row["state"] == "skipped" for row in mails.values()),
    )
    print(f"\nfar side: {figures}")  # noqa: T201 - the figures are what the matrix is about
    return figures


def _one_plan(town: Town, rows: list[dict[str, Any]]) -> None:
    doubled = town.rows(
        """SELECT revision_id, act, count(*) AS n FROM dispatching_dispatch
        WHERE revision_id IS NOT NULL AND ended_why <> 'stopped' GROUP BY revision_id, act HAVING count(*) > 1"""
    )
    assert not doubled, f"I7: {doubled}"
    targets = Counter((row["dispatch"], row["channel"], row["target"]) for row in rows)
    assert max(targets.values()) == 1, "I7: a target has two deliveries in one dispatch"


def _accounted(rows: list[dict[str, Any]], *, at_rest: bool) -> None:
    for row in rows:
        assert row["state"] in {"due", *COUNTERS}, f"I1: {row}"
        if row["state"] == "due":
            assert row["due_at"] is not None, f"I1: due without a time: {row}"
        if row["state"] in {"accepted", "rejected", "gone", "skipped"}:
            assert row["due_at"] is None, f"I1: settled and due: {row}"
    if at_rest:
        still = [row for row in rows if row["due_at"] is not None and row["reason"] != "by-hand"]
        assert not still, f"I1: {len(still)} still open, for example {still[0]}"


def _counters(town: Town, rows: list[dict[str, Any]], *, at_rest: bool) -> None:
    counted: dict[int, Counter[str]] = {}
    for row in rows:
        counted.setdefault(row["batch_id"], Counter())[row["state"]] += 1
    for batch in town.rows(f"SELECT id, size, {', '.join(COUNTERS)}, lease_until FROM dispatching_batch"):
        found = counted.get(batch["id"], Counter())
        assert batch["size"] == sum(found.values()), f"I10: batch {batch} holds {found}"
        if at_rest:
            wrong = {name: (batch[name], found[name]) for name in COUNTERS if batch[name] != found[name]}
            assert not wrong, f"I10: batch {batch['id']} says (counter, rows): {wrong}"
            assert batch["lease_until"] is None, f"I1: batch {batch['id']} is still leased"
