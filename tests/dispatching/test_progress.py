"""What is said of a dispatch is true at every moment."""

from __future__ import annotations

from dispatcher.acts import outlets
from dispatcher.dispatching import desk
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.progress import progress, unproven
from tests.support.scene import Scene, batch_of, later, released, take


def test_from_due_to_settled(scene: Scene) -> None:
    scene.website()
    scene.email()
    scene.people(5)
    announcement = scene.announced()
    dispatch = announcement.dispatches.get()
    assert not progress(dispatch).settled, "it is still to be planned"
    scene.plan(dispatch)
    state = progress(dispatch)
    assert (state.total("planned"), state.total("due"), state.settled) == (7, 7, False)
    assert {outlet.name: outlet.waits_for for outlet in state.outlets} == {"website": "queue", "email": "page"}
    scene.work()
    state = progress(dispatch)
    assert (state.total("accepted"), state.total("due"), state.settled) == (7, 0, True)
    assert unproven(dispatch)


def test_what_is_in_hand_is_sending_and_never_more_than_planned(scene: Scene) -> None:
    scene.email()
    scene.people(6)
    dispatch = scene.planned()
    released(take(batch_of(dispatch)), 2)
    (mail,) = progress(dispatch).outlets
    assert (mail.planned, mail.sending, mail.due, mail.accepted) == (6, 2, 6, 0)


def test_doubt_is_a_number_of_its_own_and_not_settled_while_it_is_repeated(scene: Scene) -> None:
    scene.email()
    scene.people(4)
    scene.practice.switch({"kind": "cut", "moment": "after-dot", "times": 1})
    dispatch = scene.planned()
    scene.work()
    later(5)  # what stood behind the cut one on its connection is put off for a second
    scene.work()
    (mail,) = progress(dispatch).outlets
    assert (mail.accepted, mail.unknown, mail.repeats, mail.settled) == (3, 1, 1, False)
    assert mail.reasons == {"connection-lost": 1}
    scene.practice.clear()
    later(700)
    scene.work()
    (mail,) = progress(dispatch).outlets
    assert (mail.accepted, mail.unknown, mail.settled) == (4, 0, True)


def test_why_nothing_moves(scene: Scene) -> None:
    mail = scene.email()
    scene.people(2)
    dispatch = scene.planned()
    outlets.pause(mail, by="admin", reason="De relay wordt vervangen")
    scene.work()
    (row,) = progress(dispatch).outlets
    assert (row.waits_for, row.why) == ("paused", "De relay wordt vervangen")
    outlets.resume(mail, by="admin")
    scene.practice.switch({"kind": "cut", "moment": "banner"})
    scene.work()
    (row,) = progress(dispatch).outlets
    assert row.waits_for == "down"
    assert row.why
    shown = desk.document(desk.desk())["outlets"][0]
    assert (shown["state"], shown["waiting"] + shown["later"]) == ("down", 2)
    assert Outlet.objects.get(pk=mail.pk).failures == 1
