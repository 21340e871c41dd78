"""Settling: what each receipt makes of its delivery, its batch and its address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from channels.contract import Outcome, Reason
from dispatcher.audience.models import Address, AddressState
from dispatcher.dispatching import settle
from dispatcher.dispatching.models import Batch, Delivery, PastReceipt
from tests.support.scene import Scene, batch_of, check_counters, later, released, result, states, take


@pytest.fixture
def batch(scene: Scene) -> Batch:
    """Ten mails, due."""
    scene.email()
    scene.people(10)
    return batch_of(scene.planned())


@pytest.mark.parametrize(
    ("outcome", "reason", "state", "wait", "suppressed"),
    [
        (Outcome.ACCEPTED, Reason.OK, "accepted", None, False),
        (Outcome.REJECTED, Reason.CONTENT_REFUSED, "rejected", None, False),
        (Outcome.REJECTED, Reason.ADDRESS_DISABLED, "rejected", None, True),
        (Outcome.GONE, Reason.NO_SUCH_ADDRESS, "gone", None, True),
        (Outcome.UNKNOWN, Reason.NO_ANSWER, "unknown", 600, False),
        (Outcome.DEFERRED, Reason.MAILBOX_FULL, "due", 3600, False),
    ],
)
def test_outcome(
    batch: Batch, outcome: Outcome, reason: Reason, state: str, wait: float | None, suppressed: bool
) -> None:
    lease = take(batch)
    first, *_ = released(lease, 3)
    told = {"detail": "what it said", "remote_id": "<key@losser>", "url": "https://far.example/1"}
    settle.settle(lease, [result(lease, first, outcome, reason, **told)], after=3, room=0)
    row = Delivery.objects.get(pk=first.id)
    assert (row.state, row.reason, row.attempts) == (state, str(reason), 1)
    assert (row.detail, row.remote_id, row.url) == tuple(told.values())
    assert row.settled_at is not None and abs(now() - row.settled_at) < timedelta(seconds=30)
    if wait is None:
        assert row.due_at is None
    else:
        assert row.due_at is not None and wait - 30 < (row.due_at - now()).total_seconds() <= wait
    address = Address.objects.get(value=first.address)
    assert address.state == (AddressState.SUPPRESSED if suppressed else AddressState.ACTIVE)
    kept = list(PastReceipt.objects.values_list("delivery", "attempt", "outcome", "reason", "detail", "late"))
    assert kept == ([] if state == "accepted" else [(first.id, 1, outcome, reason, "what it said", False)])
    check_counters()


def test_group_of_every_outcome_in_one_commit(batch: Batch) -> None:
    lease = take(batch)
    group = released(lease, 10)
    outcomes = [*Outcome, *Outcome]
    settle.settle(lease, [result(lease, d, o) for d, o in zip(group, outcomes, strict=True)], after=10, room=0)
    assert states() == {"accepted": 2, "due": 2, "rejected": 2, "gone": 2, "unknown": 2}
    batch.refresh_from_db()
    assert batch.moved_at is not None
    check_counters()


def test_repeat_of_a_group_whose_commit_went_unanswered_counts_nothing_twice(batch: Batch) -> None:
    lease = take(batch)
    group = released(lease, 5)
    results = [result(lease, d, o) for d, o in zip(group, Outcome, strict=True)]
    once = settle.settle(lease, results, after=5, room=3)
    before = list(Delivery.objects.order_by("pk").values("state", "attempts", "due_at"))
    assert settle.settle(lease, results, after=5, room=3) == once
    assert list(Delivery.objects.order_by("pk").values("state", "attempts", "due_at")) == before
    check_counters()


@pytest.mark.parametrize("second", list(Outcome))
def test_second_attempt_after_doubt(batch: Batch, second: Outcome) -> None:
    lease = take(batch)
    first, *rest = released(lease, 10)
    settle.settle(lease, [result(lease, first, Outcome.UNKNOWN)], after=10, room=0)
    settle.settle(lease, [result(lease, delivery) for delivery in rest], after=10, room=0)
    check_counters()
    Batch.objects.update(lease_until=None)
    later(700)
    lease = take(batch, "second")
    (again,) = released(lease, 10)
    assert (again.state, again.attempts) == ("unknown", 1)
    settle.settle(lease, [result(lease, again, second, Reason.BUSY)], after=10, room=0)
    row = Delivery.objects.get(pk=first.id)
    in_doubt = second in {Outcome.UNKNOWN, Outcome.DEFERRED}
    assert row.state == ("unknown" if in_doubt else second)
    assert row.attempts == 2
    assert (row.due_at is None) is (second != Outcome.DEFERRED)
    assert PastReceipt.objects.count() == 2
    check_counters()


def test_mark_never_goes_back(batch: Batch) -> None:
    lease = take(batch)
    group = released(lease, 6)
    settle.settle(lease, [result(lease, delivery) for delivery in group[:2]], after=6, room=0)
    batch.refresh_from_db()
    assert batch.handed == 6
    settle.settle(lease, [], after=6, room=2)
    batch.refresh_from_db()
    assert batch.handed == 8


def test_texts_of_far_sides_are_cut_to_what_fits(batch: Batch) -> None:
    lease = take(batch)
    first, *_ = released(lease, 1)
    long = result(lease, first, Outcome.DEFERRED, detail="é" * 1000, remote_id="r" * 1000, url="u" * 1000)
    settle.settle(lease, [long], after=1, room=0)
    row = Delivery.objects.get(pk=first.id)
    assert (len(row.detail), len(row.remote_id), len(row.url)) == (200, 300, 500)


@pytest.mark.parametrize("text", ["no\x00thing", "half \ud83d a sign"])
def test_texts_of_far_sides_that_no_database_holds_are_kept_without_them(batch: Batch, text: str) -> None:
    lease = take(batch)
    first, second = released(lease, 2)
    results = [result(lease, first, Outcome.UNKNOWN, detail=text, remote_id=text, url=text), result(lease, second)]
    settle.settle(lease, results, after=2, room=0)
    row = Delivery.objects.get(pk=first.id)
    assert row.state == "unknown"
    assert row.detail == row.remote_id == row.url != text
    check_counters()
