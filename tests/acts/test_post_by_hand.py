"""Handwork: a person stands between, and the ledger goes by what they say: no more, no less."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from channels.contract import Act, Outcome, Reason
from dispatcher.acts import post_by_hand
from dispatcher.acts.models import AuditEntry
from dispatcher.acts.outlets import try_again
from dispatcher.acts.post_by_hand import AddressInvalid, NoSuchTask, NotYet, Overtaken
from dispatcher.announcements.models import Announcement
from dispatcher.dispatching import handwork, leasing, settle
from dispatcher.dispatching.models import Delivery, Dispatch, Outlet, PastReceipt, Proof
from dispatcher.dispatching.progress import OutletProgress, progress, unproven
from dispatcher.dispatching.prove import prove
from tests.support.scene import (
    Scene,
    batch_of,
    check_counters,
    die,
    later,
    ready_batches,
    released,
    result,
    states,
    take,
    together,
)

POST = "https://www.facebook.com/gemeentelosser/posts/1"


@pytest.fixture
def announced(scene: Scene) -> Announcement:
    """An announcement that is on the website, with an open hand task in Dutch."""
    scene.website()
    scene.by_hand(languages=["nl"])
    announcement = scene.announced()
    scene.work()
    return announcement


def task() -> handwork.HandTask:
    (only,) = handwork.open_tasks()
    return only


def facebook(dispatch: Dispatch) -> OutletProgress:
    return next(outlet for outlet in progress(dispatch).outlets if outlet.name == "facebook")


def test_an_open_task_is_no_failure_and_holds_up_nothing(announced: Announcement) -> None:
    stands = progress(announced.dispatches.get())
    assert stands.settled
    assert stands.total("by_hand") == 1
    line = facebook(announced.dispatches.get())
    assert (line.waits_for, line.by_hand, line.due) == ("person", 1, 1)
    outlet = Outlet.objects.get(name="facebook")
    assert (outlet.circuit, outlet.failures) == ("closed", 0)
    delivery = Delivery.objects.get(outlet=outlet)
    assert (delivery.state, delivery.reason) == ("due", "by-hand")
    assert delivery.due_at is not None
    assert timedelta(hours=23) < delivery.due_at - now() <= timedelta(hours=24)
    check_counters()


def test_the_task_has_all_that_a_person_needs(announced: Announcement) -> None:
    found = task()
    assert (found.network, found.account, found.language, found.act) == (
        "Facebook",
        "Gemeente Losser",
        "nl",
        "announce",
    )
    assert "Bel 053 000 00 00." in found.text
    assert f"/nl/{announced.slug}/" in found.text
    assert found.previous == ""


def test_it_is_looked_at_daily_and_never_given_up(announced: Announcement) -> None:
    scene_days = 5
    for _ in range(scene_days):
        later(86_400)
        Scene.work(None)  # type: ignore[arg-type] # works on the database alone
    assert states(outlet="facebook") == {"due": 1}
    assert Delivery.objects.get(outlet__name="facebook").attempts == scene_days + 1
    assert task().id
    check_counters()


def test_trying_the_outlet_again_takes_the_task_from_nobody(announced: Announcement, scene: Scene) -> None:
    try_again(Outlet.objects.get(name="facebook"), by="admin")
    scene.work()
    assert task().id
    check_counters()


@pytest.mark.parametrize("url", [POST, ""])
def test_ticked_off_it_is_accepted_like_any_delivery(announced: Announcement, url: str) -> None:
    post_by_hand.done(task().id, by="writer", url=f" {url} ")
    delivery = Delivery.objects.get(outlet__name="facebook")
    assert (delivery.state, delivery.url, delivery.due_at) == ("accepted", url, None)
    assert handwork.open_tasks() == []
    assert progress(announced.dispatches.get()).total("by_hand") == 0
    past = PastReceipt.objects.filter(delivery=delivery).order_by("pk").last()
    assert past is not None
    assert (past.outcome, past.attempt) == ("accepted", delivery.attempts)
    entry = AuditEntry.objects.get(act="post by hand")
    assert (entry.actor, entry.subject) == ("writer", f"delivery {delivery.pk}")
    assert (Proof.objects.get(delivery=delivery).due_at is not None) == bool(url)
    check_counters()


def test_without_an_address_nothing_is_left_to_be_proven(announced: Announcement) -> None:
    dispatch = announced.dispatches.get()
    Proof.objects.all().update(result="same", due_at=None)
    post_by_hand.done(task().id, by="writer")
    assert not unproven(dispatch)
    assert progress(dispatch).proven


def test_pressed_twice_it_is_done_once(announced: Announcement) -> None:
    number = task().id
    post_by_hand.done(number, by="writer", url=POST)
    post_by_hand.done(number, by="adviser", url=POST)
    post_by_hand.done(number, by="adviser")
    assert AuditEntry.objects.filter(act="post by hand").count() == 1
    assert Delivery.objects.get(pk=number).url == POST
    check_counters()


@pytest.mark.django_db(transaction=True)
def test_two_who_press_at_one_moment_count_once(announced: Announcement) -> None:
    number = task().id
    outcomes = together(
        lambda: post_by_hand.done(number, by="writer", url=POST), lambda: post_by_hand.done(number, by="adviser")
    )
    assert not [each for each in outcomes if isinstance(each, Exception)]
    assert batch_of(announced.dispatches.get(), "facebook").accepted == 1
    check_counters()


def test_another_address_puts_the_first_right(announced: Announcement) -> None:
    number = task().id
    post_by_hand.done(number, by="writer", url=POST)
    post_by_hand.done(number, by="writer", url=f"{POST}2")
    assert Delivery.objects.get(pk=number).url == f"{POST}2"
    check_counters()


@pytest.mark.parametrize(
    "url",
    [
        *("facebook.com/losser", "javascript:alert(1)", "https://", "https://a@b.example/", "https://a b", "x" * 600),
        *("https://losser.example/" + "a" * 500, "https://losser.example:99999/", "https://losser.example/\u202e"),
    ],
)
def test_what_is_no_address_is_refused_and_nothing_changes(announced: Announcement, url: str) -> None:
    number = task().id
    with pytest.raises(AddressInvalid, match="paste the whole address"):
        post_by_hand.done(number, by="writer", url=url)
    assert task().id == number


def test_undone_the_task_is_open_again(announced: Announcement) -> None:
    number = task().id
    post_by_hand.done(number, by="writer", url=POST)
    assert [each.id for each in handwork.done_tasks()] == [number]
    post_by_hand.undo(number, by="writer")
    post_by_hand.undo(number, by="writer")
    assert task().id == number
    assert task().url == ""
    assert AuditEntry.objects.filter(act="undo post by hand").count() == 1
    assert not Proof.objects.filter(delivery=number).exists()
    check_counters()


def test_a_correction_asks_to_change_the_post_that_is_there(announced: Announcement, scene: Scene) -> None:
    first = task().id
    post_by_hand.done(first, by="writer", url=POST)
    scene.corrected(announced)
    scene.work()
    found = task()
    assert (found.act, found.previous) == (Act.UPDATE, POST)
    assert "Dit is nu de tweede." in found.text
    with pytest.raises(Overtaken, match="correction"):
        post_by_hand.undo(first, by="writer")
    post_by_hand.done(found.id, by="writer")
    assert Delivery.objects.get(pk=found.id).url == POST, "the post stayed where it was"
    check_counters()


def test_who_did_not_post_the_old_text_gets_the_new_one_to_post(announced: Announcement, scene: Scene) -> None:
    first = task().id
    scene.corrected(announced)
    with pytest.raises(Overtaken, match="Change that post"):
        post_by_hand.done(first, by="writer", url=POST)
    scene.work()
    found = task()
    assert (found.act, found.previous) == (Act.ANNOUNCE, "")
    assert "tweede" in found.text
    assert Delivery.objects.get(pk=first).state == "skipped"
    check_counters()


def test_a_withdrawal_asks_to_remove_what_was_posted_and_nothing_else(announced: Announcement, scene: Scene) -> None:
    post_by_hand.done(task().id, by="writer", url=POST)
    scene.withdrawn(announced)
    scene.work()
    found = task()
    assert (found.act, found.previous) == (Act.WITHDRAW, POST)
    assert "Het klopt niet." in found.text
    assert found.picture == ""
    post_by_hand.done(found.id, by="writer")
    check_counters()


def test_withdrawn_before_it_was_posted_there_is_nothing_to_do(announced: Announcement, scene: Scene) -> None:
    first = task().id
    scene.withdrawn(announced)
    scene.work()
    assert handwork.open_tasks() == []
    with pytest.raises(Overtaken, match="Remove that post"):
        post_by_hand.done(first, by="writer", url=POST)
    check_counters()


def test_through_announce_correct_and_withdraw_each_task_is_done_in_turn(announced: Announcement, scene: Scene) -> None:
    for act in (Act.ANNOUNCE, Act.UPDATE, Act.WITHDRAW):
        if act is Act.UPDATE:
            scene.corrected(announced)
        if act is Act.WITHDRAW:
            scene.withdrawn(announced)
        scene.work()
        found = task()
        assert found.act == act
        post_by_hand.done(found.id, by="writer", url=POST)
        check_counters()
    assert handwork.open_tasks() == []
    assert states(outlet="facebook") == {"accepted": 3}


def test_when_the_announcement_is_over_so_is_the_task(announced: Announcement, scene: Scene) -> None:
    number = task().id
    Dispatch.objects.update(expires_at=now() - timedelta(seconds=1))
    assert handwork.open_tasks() == []
    with pytest.raises(Overtaken, match="over"):
        post_by_hand.done(number, by="writer", url=POST)
    later(86_400)
    scene.work()
    assert states(outlet="facebook") == {"skipped: expired": 1}
    check_counters()


def test_a_number_that_is_no_task_is_refused(announced: Announcement) -> None:
    page = Delivery.objects.filter(outlet__name="website").first()
    assert page is not None
    for number in (0, 10**9, page.pk):
        with pytest.raises(NoSuchTask):
            post_by_hand.done(number, by="writer")


def test_before_the_page_is_there_nothing_is_to_be_posted(scene: Scene) -> None:
    scene.website()
    scene.by_hand()
    dispatch = scene.planned()
    assert handwork.open_tasks() == []
    with pytest.raises(NotYet):
        post_by_hand.done(Delivery.objects.filter(dispatch=dispatch, outlet__name="facebook")[0].pk, by="writer")


def test_a_worker_that_looks_at_it_while_it_is_ticked_off_changes_nothing(announced: Announcement) -> None:
    number = task().id
    later(86_400)
    lease = take(batch_of(announced.dispatches.get(), "facebook"))
    (delivery,) = released(lease, 1)
    post_by_hand.done(number, by="writer", url=POST)
    settle.settle(lease, [result(lease, delivery, Outcome.DEFERRED, Reason.BY_HAND)], after=1, room=0)
    leasing.give_back(lease)
    assert states(outlet="facebook") == {"accepted": 1}
    check_counters()


def test_a_worker_that_dies_over_it_leaves_no_doubt(announced: Announcement, scene: Scene) -> None:
    """Nothing leaves us before a person says so."""
    later(86_400)
    lease = take(batch_of(announced.dispatches.get(), "facebook"))
    released(lease, 1)
    die(lease)
    assert ready_batches()
    scene.work()
    later(5)
    scene.work()
    assert states(outlet="facebook") == {"due": 1}
    assert task().id
    check_counters()


def test_the_pasted_address_is_read_back(announced: Announcement, scene: Scene) -> None:
    """The town's own page has the text, so it stands in for the network's."""
    number = task().id
    (scene.folder / "post.html").write_text(f"<p>Menu</p><pre>{task().text}</pre>", encoding="utf-8")
    post_by_hand.done(number, by="writer", url=f"{scene.base_url}/post.html")
    for page, result_ in (
        (None, "same"),
        ("<p>Gemeentehuis op afspraak: eerste</p><p>Bel niet.</p>", "differs"),
        ('<form><input type="password"></form>', "unreachable"),
        ("<p>Heel iets anders</p>", "unreachable"),
    ):
        if page is not None:
            (scene.folder / "post.html").write_text(page, encoding="utf-8")
        Proof.objects.filter(delivery=number).update(due_at=now())
        prove(number)
        assert Proof.objects.get(delivery=number).result == result_, page
    (scene.folder / "post.html").unlink()
    Proof.objects.filter(delivery=number).update(due_at=now())
    prove(number)
    assert Proof.objects.get(delivery=number).result == "missing"
