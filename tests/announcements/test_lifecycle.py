"""The life of an announcement: the table of moves, and who wins when two move at once."""

from itertools import pairwise
from threading import Barrier, Thread

import pytest
from django.db import connection

from dispatcher.announcements.lifecycle import MOVES, IllegalMove, move
from dispatcher.announcements.models import Announcement, Kind, State


def make(state: State, slug: str = "a") -> Announcement:
    return Announcement.objects.create(slug=slug, kind=Kind.NEWS, state=state, created_by="test")


def test_the_table_names_every_state() -> None:
    assert MOVES.keys() == set(State)


def test_the_usual_life_is_legal() -> None:
    life = [State.DRAFT, State.IN_REVIEW, State.APPROVED, State.GOING_OUT, State.LIVE]
    life += [State.GOING_OUT, State.CORRECTED, State.WITHDRAWN]
    assert all(to in MOVES[origin] for origin, to in pairwise(life))


@pytest.mark.parametrize("end", [State.WITHDRAWN, State.EXPIRED])
def test_what_has_ended_stays_ended(end: State) -> None:
    assert not MOVES[end]
    assert all(end in MOVES[origin] for origin in (State.APPROVED, State.GOING_OUT, State.LIVE, State.CORRECTED))


@pytest.mark.django_db
@pytest.mark.parametrize("origin", State)
@pytest.mark.parametrize("to", State)
def test_moves_what_the_table_allows_and_nothing_else(origin: State, to: State) -> None:
    announcement = make(origin)
    if to in MOVES[origin]:
        move(announcement, to)
        assert announcement.state == to
    else:
        with pytest.raises(IllegalMove) as refused:
            move(announcement, to)
        assert (refused.value.origin, refused.value.target) == (origin, to)
        assert announcement.state == origin
    announcement.refresh_from_db()
    assert announcement.state == (to if to in MOVES[origin] else origin)


def test_the_refusal_says_what_can_be_done() -> None:
    assert str(IllegalMove(State.LIVE, State.DRAFT)) == (
        "The announcement is live and cannot become draft. It can become: corrected, expired, going-out, withdrawn."
    )
    assert "nothing else any more" in str(IllegalMove(State.EXPIRED, State.LIVE))


@pytest.mark.django_db
def test_a_stale_object_moves_from_where_the_announcement_really_is() -> None:
    stale = make(State.GOING_OUT)
    Announcement.objects.update(state=State.LIVE)
    move(stale, State.WITHDRAWN)
    stale.refresh_from_db()
    assert stale.state == State.WITHDRAWN


@pytest.mark.django_db
def test_a_stale_object_cannot_make_a_move_that_is_no_longer_legal() -> None:
    stale = make(State.APPROVED)
    Announcement.objects.update(state=State.WITHDRAWN)
    with pytest.raises(IllegalMove) as refused:
        move(stale, State.GOING_OUT)
    assert refused.value.origin == State.WITHDRAWN
    assert stale.state == State.WITHDRAWN


@pytest.mark.django_db(transaction=True)
def test_of_two_that_make_the_same_move_one_wins() -> None:
    for number in range(20):
        make(State.IN_REVIEW, f"round-{number}")
        barrier = Barrier(2)
        outcomes: list[str] = []

        def approve(slug: str, barrier: Barrier, outcomes: list[str]) -> None:
            try:
                seen = Announcement.objects.get(slug=slug)
                barrier.wait(10)
                move(seen, State.APPROVED)
                outcomes.append("won")
            except IllegalMove:
                outcomes.append("lost")
            finally:
                connection.close()

        threads = [Thread(target=approve, args=(f"round-{number}", barrier, outcomes)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(outcomes) == ["lost", "won"]
