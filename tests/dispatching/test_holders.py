"""Corrections and withdrawals reach exactly those who have the announcement, whatever is in whose hands (I6)."""

from __future__ import annotations

import pytest

from channels.contract import Outcome, Reason
from dispatcher.dispatching import settle
from dispatcher.dispatching.models import Batch, Delivery, Dispatch
from tests.support.scene import Scene, batch_of, check_counters, die, later, released, result, states, take

FIRST, SECOND, THIRD = (f"Gemeentehuis op afspraak: {text}" for text in ("eerste", "tweede", "derde"))
CORRECTED = f"Gewijzigd: {SECOND}"


def _acts(dispatch: Dispatch) -> dict[str, str]:
    """By which act each address hears a dispatch."""
    return dict(
        Delivery.objects.filter(dispatch=dispatch, outlet__name="email").values_list("address__value", "batch__act")
    )


def test_everyone_who_has_it_hears_the_correction_once(scene: Scene) -> None:
    scene.website()
    scene.email()
    people = scene.people(5)
    announcement = scene.announced()
    scene.work()
    update = scene.corrected(announcement)
    scene.work()
    assert set(_acts(update).values()) == {"update"}
    assert [scene.subjects(person) for person in people] == [[FIRST, CORRECTED]] * 5
    check_counters()


def test_who_came_later_hears_neither_correction_nor_withdrawal(scene: Scene) -> None:
    scene.email()
    scene.people(2)
    announcement = scene.announced()
    scene.work()
    newcomers = scene.people(2)
    scene.corrected(announcement)
    scene.work()
    scene.withdrawn(announcement)
    scene.work()
    assert [scene.subjects(person) for person in newcomers] == [[], []]


def test_who_was_still_to_hear_the_old_text_hears_the_new_one(scene: Scene) -> None:
    scene.email()
    people = scene.people(4)
    announcement = scene.announced()
    first = scene.plan(announcement.dispatches.get())
    update = scene.corrected(announcement)
    scene.work()
    assert states(first) == {"skipped: replaced": 4}
    assert set(_acts(update).values()) == {"announce"}
    assert [scene.subjects(person) for person in people] == [[SECOND]] * 4
    check_counters()


def test_nobody_who_was_to_hear_a_withdrawn_text_hears_anything(scene: Scene) -> None:
    scene.email()
    scene.people(3)
    announcement = scene.announced()
    first = scene.plan(announcement.dispatches.get())
    withdrawal = scene.withdrawn(announcement)
    scene.work()
    assert states(first) == {"skipped: withdrawn": 3}
    assert not Delivery.objects.filter(dispatch=withdrawal).exists()
    assert not scene.received()


@pytest.mark.parametrize(
    ("outcome", "reason", "act"),
    [
        (Outcome.ACCEPTED, Reason.OK, "update"),
        (Outcome.UNKNOWN, Reason.CONNECTION_LOST, "update"),
        (Outcome.DEFERRED, Reason.BUSY, "announce"),
        (Outcome.REJECTED, Reason.CONTENT_REFUSED, "announce"),
    ],
)
def test_what_is_in_hand_decides_when_it_is_settled(scene: Scene, outcome: Outcome, reason: Reason, act: str) -> None:
    scene.email()
    scene.people(3)
    announcement = scene.announced()
    first = scene.plan(announcement.dispatches.get())
    lease = take(batch_of(first))
    handed = released(lease, 1)
    update = scene.corrected(announcement)
    waiting = Delivery.objects.get(dispatch=update, target=handed[0].target)
    assert waiting.follows == handed[0].id, "nobody knows yet what to say to it"
    settle.settle(lease, [result(lease, handed[0], outcome, reason)], after=1, room=0)
    die(lease)
    later(5)
    scene.work()
    waiting.refresh_from_db()
    assert waiting.follows is None
    assert Batch.objects.get(pk=waiting.batch_id).act == act
    assert waiting.state == "accepted"
    check_counters()


@pytest.mark.parametrize("withdrawing", [False, True], ids=["update", "withdraw"])
def test_the_holder_dies_with_some_in_hand(scene: Scene, withdrawing: bool) -> None:
    scene.email()
    scene.people(6)
    announcement = scene.announced()
    first = scene.plan(announcement.dispatches.get())
    lease = take(batch_of(first))
    handed = released(lease, 2)
    second = scene.withdrawn(announcement) if withdrawing else scene.corrected(announcement)
    die(lease)
    later(5)
    scene.work()
    assert states(first)["unknown"] == 2
    told = set(Delivery.objects.filter(dispatch=second, state="accepted").values_list("target", flat=True))
    in_doubt = {delivery.target for delivery in handed}
    if withdrawing:
        assert told == in_doubt
    else:
        assert in_doubt < told
        assert len(told) == 6
    check_counters()


def test_a_withdrawal_is_not_said_to_whom_the_message_never_reached(scene: Scene) -> None:
    scene.email()
    scene.people(2)
    announcement = scene.announced()
    lease = take(batch_of(scene.plan(announcement.dispatches.get())))
    handed = released(lease, 1)
    withdrawal = scene.withdrawn(announcement)
    settle.settle(lease, [result(lease, handed[0], Outcome.DEFERRED, Reason.BUSY)], after=1, room=0)
    die(lease)
    later(5)
    scene.work()
    assert states(withdrawal) == {"skipped: withdrawn": 1}
    assert not scene.received()
    check_counters()


def test_two_corrections_while_the_first_text_is_in_hand(scene: Scene) -> None:
    scene.email()
    people = scene.people(3)
    announcement = scene.announced()
    lease = take(batch_of(scene.plan(announcement.dispatches.get())))
    handed = released(lease, 1)
    scene.corrected(announcement)
    last = scene.corrected(announcement, "derde")
    settle.settle(lease, [result(lease, handed[0])], after=1, room=0)
    die(lease)
    later(5)
    scene.work()
    acts = _acts(last)
    assert sorted(acts.values()) == ["announce", "announce", "update"]
    # The first mail was settled by hand here and never sent; whoever is written to gets the last text, once.
    heard = sorted(scene.subjects(person) for person in people)
    assert heard == [[THIRD], [THIRD], [f"Gewijzigd: {THIRD}"]]
    check_counters()


def test_who_refused_the_correction_still_hears_the_withdrawal(scene: Scene) -> None:
    scene.email()
    (person,) = scene.people(1)
    announcement = scene.announced()
    scene.work()
    scene.practice.switch({"kind": "answer", "moment": "rcpt", "code": 550, "enhanced": "5.3.4"})
    scene.corrected(announcement)
    scene.work()
    scene.practice.clear()
    scene.withdrawn(announcement)
    scene.work()
    assert len(scene.subjects(person)) == 2
    check_counters()


def test_nothing_after_an_accepted_withdrawal(scene: Scene) -> None:
    scene.email()
    scene.people(2)
    announcement = scene.announced()
    scene.work()
    withdrawal = scene.withdrawn(announcement)
    scene.work()
    assert states(withdrawal) == {"accepted": 2}
    assert set(scene.received().values()) == {2}


def test_early_readers_are_corrected_too(scene: Scene) -> None:
    scene.website()
    scene.email()
    colleagues = scene.people(2, group="colleague")
    residents = scene.people(2)
    stages = {"colleague": 0.0, "public": 600.0}
    announcement = scene.announced(audience=("resident", "colleague"), stages=stages)
    scene.work()
    assert [len(scene.subjects(person)) for person in (*colleagues, *residents)] == [1, 1, 0, 0]
    scene.corrected(announcement)
    scene.work()
    assert [scene.subjects(person) for person in colleagues] == [[FIRST, CORRECTED]] * 2
    assert [scene.subjects(person) for person in residents] == [[], []], "their stage has not begun"
    later(601)
    scene.work()
    assert [scene.subjects(person) for person in residents] == [[SECOND]] * 2
    check_counters()
