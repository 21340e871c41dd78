"""What people can do, pressed twice, too late, or at the same moment as somebody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from dispatcher.acts import outlets
from dispatcher.acts.approve import NewerRevision, approve
from dispatcher.acts.correct import LanguageMissing, NothingChanged, NotOutYet, correct
from dispatcher.acts.leave import leave
from dispatcher.acts.models import AuditEntry
from dispatcher.acts.notify import notify
from dispatcher.acts.stop import TooLate, stop
from dispatcher.acts.submit import submit
from dispatcher.acts.withdraw import withdraw
from dispatcher.announcements import revisions
from dispatcher.announcements.lifecycle import IllegalMove
from dispatcher.announcements.models import Announcement, State
from dispatcher.announcements.revisions import KeyReused
from dispatcher.dispatching.models import Batch, Delivery, Dispatch
from tests.support.scene import Scene, batch_of, check_counters, later, released, source, states, take, together

pytestmark = pytest.mark.django_db(transaction=True)
REASON = {"nl": "Het klopt niet.", "en": "It is wrong."}


def test_submitting_twice_gives_the_first_one(scene: Scene) -> None:
    first, new = submit(source(), by="writer", request_key="form-1")
    again, new_again = submit(source(), by="writer", request_key="form-1")
    assert (new, new_again, again.pk) == (True, False, first.pk)
    assert first.state == State.IN_REVIEW
    with pytest.raises(KeyReused):
        submit(source("anders"), by="writer", request_key="form-1")
    assert AuditEntry.objects.filter(act="submit").count() == 1


def test_approving_an_older_revision_is_refused(scene: Scene) -> None:
    announcement, _ = submit(source(), by="writer")
    revisions.add_revision(announcement, source("tweede"), "writer")
    with pytest.raises(NewerRevision) as refused:
        approve(announcement, by="approver", revision=1)
    assert refused.value.newest == 2
    assert not Dispatch.objects.exists()
    assert approve(announcement, by="approver", revision=2).revision.number == 2  # type: ignore[union-attr]


def test_approving_twice_gives_the_dispatch_there_is(scene: Scene) -> None:
    announcement, _ = submit(source(), by="writer")
    first = approve(announcement, by="approver")
    assert approve(announcement, by="deputy") == first
    assert Dispatch.objects.count() == 1


def test_f03_approve_and_withdraw_at_the_same_moment(scene: Scene) -> None:
    """Whoever loses is told; nothing goes out after a withdrawal."""
    for _ in range(20):
        announcement, _new = submit(source(), by="writer")
        together(
            lambda: approve(announcement, by="approver", grace=0),  # noqa: B023 - run before the next round
            lambda: withdraw(announcement, by="adviser", reason=REASON),  # noqa: B023
        )
        announcement.refresh_from_db()
        alive = announcement.dispatches.filter(act="announce", ended_at=None)
        assert alive.count() == (1 if announcement.state == State.APPROVED else 0)


def test_stopped_in_the_grace_nothing_leaves(scene: Scene) -> None:
    scene.email()
    scene.people(2)
    announcement, _ = submit(source(), by="writer")
    dispatch = approve(announcement, by="approver", grace=30)
    stop(dispatch, by="approver")
    later(60)
    scene.work()
    assert not scene.received()
    assert Announcement.objects.get().state == State.IN_REVIEW
    stop(dispatch, by="approver")  # pressed twice
    again = approve(announcement, by="approver", grace=0)
    assert again.pk != dispatch.pk
    scene.work()
    assert set(scene.received().values()) == {1}


def test_stopping_is_too_late_once_a_worker_has_a_part(scene: Scene) -> None:
    scene.email()
    scene.people(2)
    announcement, _ = submit(source(), by="writer")
    dispatch = scene.plan(approve(announcement, by="approver", grace=0))
    released(take(batch_of(dispatch)), 1)
    Dispatch.objects.update(start_at=now() + timedelta(seconds=30))  # a web server whose clock is behind
    with pytest.raises(TooLate):
        stop(dispatch, by="approver")
    assert states(dispatch) == {"due": 2}


def test_stopping_a_correction_leaves_the_first_text(scene: Scene) -> None:
    scene.email()
    (person,) = scene.people(1)
    announcement = scene.announced()
    scene.work()
    announcement.refresh_from_db()
    stop(correct(announcement, source("tweede"), by="writer", grace=60), by="writer")
    later(120)
    scene.work()
    assert len(scene.subjects(person)) == 1
    announcement.refresh_from_db()
    # What was stopped was never said: it can be said after all, and a withdrawal takes back what was said.
    scene.plan(correct(announcement, source("tweede"), by="writer", grace=0))
    scene.work()
    assert len(scene.subjects(person)) == 2
    announcement.refresh_from_db()
    assert withdraw(announcement, by="writer", reason=REASON).revision.number == 3  # type: ignore[union-attr]


def test_a_correction_needs_every_language_and_a_change(scene: Scene) -> None:
    scene.email()
    scene.people(1)
    announcement = scene.announced()
    scene.work()
    announcement.refresh_from_db()
    with pytest.raises(LanguageMissing, match="en"):
        correct(announcement, source("tweede", languages=("nl",)), by="writer")
    with pytest.raises(NothingChanged):
        correct(announcement, source(), by="writer")
    assert announcement.revisions.count() == 1


def test_what_is_not_out_yet_is_not_corrected_and_still_goes_out(scene: Scene) -> None:
    scene.email()
    scene.people(1)
    announcement = scene.announced(publish_at=now() + timedelta(days=1))
    with pytest.raises(NotOutYet):
        correct(announcement, source("tweede"), by="writer")
    later(86_400)
    scene.work()
    assert set(scene.received().values()) == {1}


def test_withdrawing_twice(scene: Scene) -> None:
    scene.email()
    scene.people(1)
    announcement = scene.announced()
    scene.work()
    scene.withdrawn(announcement)
    announcement.refresh_from_db()
    with pytest.raises(IllegalMove):
        withdraw(announcement, by="writer", reason=REASON)
    assert announcement.dispatches.filter(act="withdraw").count() == 1


def test_trying_again_counts_right_and_leaves_hands_alone(scene: Scene) -> None:
    mail = scene.email()
    scene.people(4)
    scene.practice.switch({"kind": "answer", "moment": "rcpt", "code": 552, "enhanced": "5.3.4", "times": 2})
    dispatch = scene.planned()
    scene.work()
    assert states(dispatch) == {"accepted": 2, "rejected": 2}
    reason = Delivery.objects.filter(state="rejected").values_list("reason", flat=True)[0]
    scene.practice.clear()
    assert outlets.try_again(mail, by="admin", reason=reason) == 2
    check_counters()
    assert outlets.try_again(mail, by="admin", reason=reason) == 0
    scene.work()
    assert states(dispatch) == {"accepted": 4}
    check_counters()


@pytest.mark.parametrize(("how", "state"), [("accepted", "accepted"), ("give-up", "rejected"), ("resend", "accepted")])
def test_a_person_settles_doubt(scene: Scene, how: str, state: str) -> None:
    mail = scene.email()
    scene.people(3)
    scene.practice.switch({"kind": "cut", "moment": "after-dot", "times": 1})
    dispatch = scene.planned()
    scene.work()
    scene.practice.clear()
    later(5)  # what stood behind the cut one on its connection is put off for a second
    scene.work()
    assert outlets.settle_unknown(mail, by="admin", how=how) == 1
    check_counters()
    scene.work()
    expected = {"accepted": 3} if state == "accepted" else {"accepted": 2, "rejected": 1}
    assert states(dispatch) == expected
    check_counters()
    with pytest.raises(ValueError, match="forget"):
        outlets.settle_unknown(mail, by="admin", how="forget")


def test_leaving_between_planning_and_handing_over(scene: Scene) -> None:
    scene.email()
    people = scene.people(3)
    dispatch = scene.planned()
    assert leave(people[0], cause="one-click")
    assert not leave(people[0], cause="one-click")
    scene.work()
    assert states(dispatch) == {"accepted": 2, "skipped: left": 1}
    assert people[0].value not in scene.received()
    check_counters()


def test_a_notice_has_its_own_lane_and_one_link(scene: Scene) -> None:
    scene.email()
    scene.people(3)
    scene.planned()
    (newcomer,) = scene.people(1, state="pending")
    notice = notify(newcomer, "confirm", by="portal")
    scene.plan(notice)
    assert Batch.objects.get(dispatch=notice).lane == "transactional"
    scene.work()
    assert scene.received()[newcomer.value] == 1
    folder = scene.practice.record.path.parent
    stored = b"".join(path.read_bytes() for path in folder.glob("*") if path.suffix != ".jsonl")
    assert f"{scene.base_url}/confirm/".encode() in stored.replace(b"=\r\n", b"").replace(b"=\n", b"")
    with pytest.raises(KeyError):
        notify(newcomer, "advertise", by="portal")
