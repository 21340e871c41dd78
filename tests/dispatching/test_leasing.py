"""Leases: one holder at a time, and what becomes of what a dead one had in hand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from channels.contract import Outcome, Reason
from dispatcher.dispatching import leasing, ring, settle
from dispatcher.dispatching.leasing import Lease
from dispatcher.dispatching.models import Batch, Circuit, Delivery, Dispatch, Outlet, PastReceipt
from dispatcher.dispatching.settle import LeaseLost
from tests.support.scene import (
    Scene,
    batch_of,
    check_counters,
    die,
    later,
    released,
    result,
    states,
    take,
    together,
)


@pytest.fixture
def batch(scene: Scene) -> Batch:
    """Ten mails, due."""
    scene.email()
    scene.people(10)
    return batch_of(scene.planned())


def rows(state: str) -> list[int]:
    """The positions of the deliveries in a state."""
    return list(Delivery.objects.filter(state=state).order_by("position").values_list("position", flat=True))


def seconds_from_now(delivery: Delivery) -> float:
    assert delivery.due_at is not None
    return (delivery.due_at - now()).total_seconds()


# One holder


def test_of_ten_takers_one_has_it(batch: Batch) -> None:
    outcomes = together(*[lambda: leasing.take(batch.pk, "somebody")] * 10)
    assert sum(isinstance(outcome, Lease) for outcome in outcomes) == 1
    assert outcomes.count(None) == 9


def test_nobody_takes_what_is_held_settled_or_not_due_yet(batch: Batch) -> None:
    lease = take(batch)
    assert leasing.take(batch.pk, "second") is None
    settle.settle(lease, [result(lease, delivery) for delivery in released(lease, 10)], after=10, room=0)
    assert not leasing.give_back(lease)
    assert leasing.take(batch.pk, "second") is None
    assert leasing.take(0, "second") is None
    Delivery.objects.update(state="due", due_at=now() + timedelta(seconds=60))
    Batch.objects.update(due_at=now() + timedelta(seconds=60))
    assert leasing.take(batch.pk, "second") is None


def test_renewed_lease_lasts_and_a_lost_one_cannot_be_renewed(batch: Batch, settings: Settings) -> None:
    lease = take(batch)
    Batch.objects.update(lease_until=F("lease_until") - settings.LEASE_SECONDS + 1)
    assert leasing.renew(lease)
    batch.refresh_from_db()
    before = batch.lease_until
    die(batch)
    assert take(batch, "second").token == lease.token + 1
    assert not leasing.renew(lease)
    assert leasing.give_back(lease) is False
    batch.refresh_from_db()
    assert before is not None
    assert batch.leased_by == "second"
    assert batch.lease_until is not None and batch.lease_until >= before


def test_lease_that_ran_out_can_be_renewed_while_nobody_took_it(batch: Batch) -> None:
    lease = take(batch)
    die(batch)
    assert leasing.renew(lease)
    assert leasing.take(batch.pk, "second") is None


def test_lease_of_before_a_reboot_is_void(batch: Batch, settings: Settings) -> None:
    take(batch)
    Batch.objects.update(lease_until=F("lease_until") + 3 * settings.LEASE_SECONDS)
    assert leasing.take(batch.pk, "second") is not None


# The mark


@pytest.mark.parametrize("settled", [0, 2])
def test_unknown_is_exactly_what_was_released_and_not_settled(batch: Batch, settings: Settings, settled: int) -> None:
    first = take(batch)
    group = released(first, 4)
    settle.settle(first, [result(first, delivery) for delivery in group[:settled]], after=4, room=settled)
    die(batch)
    second = take(batch, "second")
    assert rows("unknown") == list(range(settled, 4 + settled))
    assert rows("accepted") == list(range(settled))
    assert rows("due") == list(range(4 + settled, 10))
    for delivery in Delivery.objects.filter(state="unknown"):
        assert (delivery.reason, delivery.attempts) == ("worker-died", 1)
        assert settings.UNKNOWN_REPEAT_SECONDS - 10 < seconds_from_now(delivery) <= settings.UNKNOWN_REPEAT_SECONDS
    assert set(PastReceipt.objects.values_list("outcome", "reason", "late")) == {("unknown", "worker-died", False)}
    assert [delivery.position for delivery in released(second, 20)] == rows("due")
    check_counters()


def test_nothing_is_unknown_where_nothing_was_released(batch: Batch) -> None:
    take(batch)
    die(batch)
    take(batch, "second")
    assert rows("due") == list(range(10))
    assert not PastReceipt.objects.exists()


def test_unanswered_twice_is_left_to_a_person(batch: Batch, settings: Settings) -> None:
    released(take(batch), 10)
    die(batch)
    assert not leasing.give_back(take(batch, "second")), "the repeat waits"
    later(settings.UNKNOWN_REPEAT_SECONDS + 1)
    released(take(batch, "third"), 10)
    die(batch)
    leasing.give_back(take(batch, "fourth"))
    assert states() == {"unknown": 10}
    assert not Delivery.objects.exclude(due_at=None).exists()
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {2}
    batch.refresh_from_db()
    assert batch.due_at is None
    check_counters()


def test_given_back_lease_leaves_what_was_not_handed_over_due(batch: Batch) -> None:
    lease = take(batch)
    released(lease, 4)
    assert leasing.give_back(lease), "there is more to do now"
    batch.refresh_from_db()
    assert (batch.lease_until, batch.handed, batch.barren) == (None, 0, 0)
    second = take(batch, "second")
    assert rows("due") == list(range(10))
    assert [delivery.position for delivery in released(second, 3)] == [0, 1, 2]
    check_counters()


def test_given_back_batch_is_due_with_the_first_of_its_deliveries(batch: Batch) -> None:
    lease = take(batch)
    group = released(lease, 10)
    deferred = [result(lease, delivery, Outcome.DEFERRED, Reason.GREYLISTED) for delivery in group[:2]]
    settle.settle(lease, deferred + [result(lease, delivery) for delivery in group[2:]], after=10, room=0)
    assert not leasing.give_back(lease)
    batch.refresh_from_db()
    assert batch.due_at is not None
    assert 50 < (batch.due_at - now()).total_seconds() <= 60
    check_counters()


def test_page_in_a_dead_workers_hands_is_due_at_once(scene: Scene) -> None:
    scene.website()
    dispatch = scene.planned()
    dutch = batch_of(dispatch, "website", language="nl")
    released(take(dutch), 1)
    die(dutch)
    lease = take(dutch, "second")
    assert [delivery.state for delivery in released(lease, 1)] == ["unknown"], "a repeat under its key is harmless"


# Fencing


def test_holder_that_woke_up_late_can_start_and_change_nothing(batch: Batch) -> None:
    first = take(batch)
    group = released(first, 4)
    die(batch)
    second = take(batch, "second")
    in_hand = released(second, 3)
    before = list(Batch.objects.values())
    for outcome in (Outcome.REJECTED, Outcome.DEFERRED, Outcome.GONE, Outcome.UNKNOWN):
        with pytest.raises(LeaseLost):
            settle.settle(first, [result(first, delivery, outcome) for delivery in group], after=4, room=5)
    assert list(Batch.objects.values()) == before
    assert rows("unknown") == [0, 1, 2, 3]
    assert PastReceipt.objects.filter(late=True).count() == 16
    settle.settle(second, [result(second, delivery) for delivery in in_hand], after=7, room=0)
    assert rows("accepted") == [4, 5, 6]
    check_counters()


def test_late_acceptance_outranks_doubt_and_is_counted_once(batch: Batch) -> None:
    first = take(batch)
    group = released(first, 4)
    die(batch)
    take(batch, "second")
    for _ in range(2):
        with pytest.raises(LeaseLost):
            settle.settle(first, [result(first, delivery, remote_id="<a@b>") for delivery in group], after=4, room=5)
    assert rows("accepted") == [0, 1, 2, 3]
    assert not Delivery.objects.filter(state="accepted").exclude(due_at=None, remote_id="<a@b>").exists()
    check_counters()


def test_late_acceptance_of_what_another_holder_repeats_is_counted_once(batch: Batch, settings: Settings) -> None:
    settings.UNKNOWN_REPEAT_SECONDS = 0
    first = take(batch)
    group = released(first, 2)
    die(batch)
    second = take(batch, "second")
    repeated = released(second, 2)
    assert [delivery.state for delivery in repeated] == ["unknown", "unknown"]
    with pytest.raises(LeaseLost):
        settle.settle(first, [result(first, delivery) for delivery in group], after=2, room=0)
    settle.settle(second, [result(second, d, Outcome.UNKNOWN) for d in repeated], after=2, room=0)
    assert rows("accepted") == [0, 1]
    check_counters()


def test_late_acceptances_and_the_next_holder_do_not_wait_for_each_other_for_ever(
    batch: Batch, settings: Settings
) -> None:
    settings.UNKNOWN_REPEAT_SECONDS = 0
    first = take(batch)
    group = list(reversed(released(first, 10)))
    die(batch)
    second = take(batch, "second")
    repeated = released(second, 10)

    def wake_up() -> None:
        with pytest.raises(LeaseLost):
            settle.settle(first, [result(first, delivery) for delivery in group], after=10, room=0)

    def go_on() -> None:
        settle.settle(second, [result(second, delivery) for delivery in repeated], after=10, room=0)

    assert together(wake_up, go_on) == [None, None]
    assert rows("accepted") == list(range(10))
    check_counters()


# What keeps killing its worker


def test_batch_that_killed_three_workers_is_set_aside(batch: Batch) -> None:
    for holder in ("first", "second", "third"):
        take(batch, holder)
        die(batch)
    assert leasing.take(batch.pk, "fourth") is None
    assert states() == {"rejected": 10}
    assert set(Delivery.objects.values_list("reason", flat=True)) == {"poison"}
    batch.refresh_from_db()
    assert (batch.due_at, batch.lease_until) == (None, None)
    check_counters()


def test_receipt_proves_that_a_batch_does_not_kill(batch: Batch) -> None:
    for holder in ("first", "second", "third", "fourth"):
        lease = take(batch, holder)
        group = released(lease, 1)
        settle.settle(lease, [result(lease, delivery) for delivery in group], after=10, room=0)
        die(batch)
    assert leasing.take(batch.pk, "fifth") is not None
    assert states() == {"accepted": 4, "due": 6}
    check_counters()


# The outlet


@pytest.mark.parametrize(
    ("changes", "free"),
    [
        ({"paused_at": timedelta()}, False),
        ({"enabled": False}, False),
        ({"circuit": Circuit.OPEN, "retry_at": timedelta(seconds=60)}, False),
        ({"circuit": Circuit.OPEN, "retry_at": timedelta(seconds=-1)}, True),
        ({"circuit": Circuit.PROBING, "retry_at": timedelta(seconds=60)}, False),
        ({"circuit": Circuit.PROBING, "retry_at": timedelta(seconds=-1)}, True),
        ({"circuit": Circuit.OPEN, "needs_person": True, "retry_at": timedelta(seconds=-1)}, False),
    ],
)
def test_outlet_that_takes_nothing_gives_no_lease(batch: Batch, changes: dict[str, object], free: bool) -> None:
    moments = {name: now() + each if isinstance(each, timedelta) else each for name, each in changes.items()}
    Outlet.objects.update(**moments)
    lease = leasing.take(batch.pk, "first")
    assert (lease is not None) is free
    assert states() == {"due": 10}, "nothing is lost"


@pytest.mark.parametrize("change", ["paused", "disabled", "down"])
def test_outlet_that_stops_midway_is_given_nothing_more(batch: Batch, change: str) -> None:
    lease = take(batch)
    group = released(lease, 3)
    values: dict[str, dict[str, object]] = {
        "paused": {"paused_at": now()},
        "disabled": {"enabled": False},
        "down": {"circuit": Circuit.OPEN},
    }
    Outlet.objects.update(**values[change])
    more = settle.settle(lease, [result(lease, delivery) for delivery in group], after=3, room=5)
    assert more == []
    assert states() == {"accepted": 3, "due": 7}
    leasing.give_back(lease)
    check_counters()


def test_of_a_down_outlet_one_batch_is_tried(scene: Scene, settings: Settings) -> None:
    settings.BATCH_SIZE = 5
    outlet = scene.email()
    scene.people(20)
    scene.planned()
    Outlet.objects.update(circuit=Circuit.OPEN, retry_at=now() - timedelta(seconds=1))
    batches = list(Batch.objects.values_list("pk", flat=True))
    outcomes = together(*[lambda each=each: leasing.take(each, "somebody") for each in batches])
    assert sum(isinstance(outcome, Lease) for outcome in outcomes) == 1
    outlet.refresh_from_db()
    assert outlet.circuit == Circuit.PROBING
    assert outlet.retry_at is not None and outlet.retry_at > now()
    assert states() == {"due": 20}
    check_counters()


def test_outlet_holds_as_many_batches_as_it_has_slots(scene: Scene, settings: Settings) -> None:
    settings.BATCH_SIZE, settings.LANE_SLOTS = 2, {"mail": 9}
    scene.email(slots=2)
    scene.people(8)
    scene.planned()
    leases = [leasing.take(each, "first") for each in Batch.objects.order_by("pk").values_list("pk", flat=True)]
    held = [lease for lease in leases if lease is not None]
    assert len(held) == 2
    leasing.give_back(held[0])
    assert leasing.take(Batch.objects.order_by("pk")[2].pk, "first") is not None


def test_no_outlet_has_the_last_slot_of_a_lane_while_another_has_work(scene: Scene, settings: Settings) -> None:
    settings.BATCH_SIZE, settings.LANE_SLOTS = 2, {"mail": 3}
    first, second = scene.email(), scene.email(name="second", position=2)
    scene.people(8)
    scene.planned()
    batches = {outlet.name: list(Batch.objects.filter(outlet=outlet).order_by("pk")) for outlet in (first, second)}
    assert [leasing.take(each.pk, "w") is not None for each in batches["email"]] == [True, True, False, False]
    other = take(batches["second"][0])
    assert leasing.take(batches["email"][2].pk, "w") is None
    Batch.objects.filter(outlet=second).exclude(pk=other.batch_id).update(due_at=None)
    assert leasing.take(batches["email"][2].pk, "w") is not None, "nobody else needs it"


# The page


def test_mail_waits_for_the_page(scene: Scene) -> None:
    scene.website(), scene.email()
    scene.people(3)
    dispatch = scene.planned()
    mail = batch_of(dispatch)
    assert leasing.take(mail.pk, "first") is None
    for language in ("nl", "en"):
        page = batch_of(dispatch, "website", language=language)
        lease = take(page)
        settle.settle(lease, [result(lease, delivery) for delivery in released(lease, 1)], after=1, room=0)
        leasing.give_back(lease)
        assert (leasing.take(mail.pk, "first") is not None) is (language == "en")


@pytest.mark.parametrize("outcome", [Outcome.REJECTED, Outcome.UNKNOWN, Outcome.DEFERRED])
def test_page_that_is_not_there_holds_mail_back(scene: Scene, outcome: Outcome) -> None:
    scene.website(), scene.email()
    scene.people(3)
    dispatch = scene.planned(languages=("nl",))
    lease = take(batch_of(dispatch, "website"))
    settle.settle(lease, [result(lease, delivery, outcome) for delivery in released(lease, 1)], after=1, room=0)
    leasing.give_back(lease)
    assert leasing.take(batch_of(dispatch).pk, "first") is None


def test_emergency_waits_two_seconds_for_the_page(scene: Scene) -> None:
    scene.website(), scene.email()
    scene.people(3)
    mail = batch_of(scene.planned(kind="emergency"))
    assert leasing.take(mail.pk, "first") is None
    later(2)
    assert leasing.take(mail.pk, "first") is not None


# The end of a dispatch


def test_what_expired_while_it_waited_is_skipped(batch: Batch) -> None:
    Dispatch.objects.update(expires_at=now() - timedelta(seconds=1))
    assert leasing.take(batch.pk, "first") is None
    assert states() == {"skipped: expired": 10}
    batch.refresh_from_db()
    assert batch.due_at is None
    check_counters()


def test_paused_outlet_does_not_keep_expired_deliveries_open(batch: Batch) -> None:
    Outlet.objects.update(paused_at=now())
    Dispatch.objects.update(expires_at=now() - timedelta(seconds=1))
    assert leasing.take(batch.pk, "first") is None
    assert states() == {"skipped: expired": 10}


def test_what_expires_midway_is_not_handed_over(batch: Batch) -> None:
    lease = take(batch)
    group = released(lease, 4)
    Dispatch.objects.update(expires_at=now() - timedelta(seconds=1))
    outcomes = [Outcome.ACCEPTED, Outcome.DEFERRED, Outcome.UNKNOWN, Outcome.REJECTED]
    given = [result(lease, delivery, outcome) for delivery, outcome in zip(group, outcomes, strict=True)]
    assert settle.settle(lease, given, after=4, room=5) == []
    assert leasing.give_back(lease), "the rest is there to be closed"
    assert leasing.take(batch.pk, "second") is None
    assert states() == {"accepted": 1, "unknown": 1, "rejected": 1, "skipped: expired": 7}
    assert not Delivery.objects.exclude(due_at=None).exists()
    check_counters()


def test_dead_workers_deliveries_of_an_ended_dispatch_stay_in_doubt_without_a_repeat(batch: Batch) -> None:
    released(take(batch), 4)
    Dispatch.objects.update(expires_at=now() - timedelta(seconds=1))
    die(batch)
    assert leasing.take(batch.pk, "second") is None
    assert states() == {"unknown": 4, "skipped: expired": 6}
    assert not Delivery.objects.exclude(due_at=None).exists()
    check_counters()


def test_ring_notes_when_it_rang_and_stays_quiet_without_redis(batch: Batch) -> None:
    assert ring.batches([batch.pk]) is False
    batch.refresh_from_db()
    assert batch.rung_at is not None
    assert ring.batches([]) is True
