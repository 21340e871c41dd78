"""The life of an announcement: one table of the moves that are legal, and the one way to make them."""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.announcements.models import Announcement, State

MOVES: Mapping[State, frozenset[State]] = {
    State.DRAFT: frozenset({State.IN_REVIEW}),
    State.IN_REVIEW: frozenset({State.APPROVED, State.DRAFT}),
    # Back from approved or going out: stopped in the grace, when nothing has left yet.
    State.APPROVED: frozenset({State.GOING_OUT, State.IN_REVIEW, State.DRAFT, State.WITHDRAWN, State.EXPIRED}),
    # Going out again while it goes out: a correction that overtakes the text before it.
    State.GOING_OUT: frozenset(
        {State.GOING_OUT, State.LIVE, State.CORRECTED, State.IN_REVIEW, State.DRAFT, State.WITHDRAWN, State.EXPIRED}
    ),
    State.LIVE: frozenset({State.GOING_OUT, State.CORRECTED, State.WITHDRAWN, State.EXPIRED}),
    State.CORRECTED: frozenset({State.GOING_OUT, State.CORRECTED, State.WITHDRAWN, State.EXPIRED}),
    State.WITHDRAWN: frozenset(),
    State.EXPIRED: frozenset(),
}


class IllegalMove(Exception):
    """An announcement cannot go from ``origin`` to ``target``: the table has no such move, or someone was first."""

    def __init__(self, origin: State, target: State) -> None:
        ways = ", ".join(sorted(MOVES[origin])) or "nothing else any more"
        already = f"The announcement is {origin} already" if origin == target else f"The announcement is {origin}"
        cannot = "" if origin == target else f" and cannot become {target}"
        super().__init__(f"{already}{cannot}. It can become: {ways}.")
        self.origin = origin
        self.target = target


def move(announcement: Announcement, to: State) -> None:
    """Moves ``announcement`` to ``to``, in the database and in the object.

    Of two clients that make the same move at the same time one wins. Where the state changed meanwhile to another one
    from which the move is legal too, it is made from there.

    Raises:
        IllegalMove: the table has no such move from the state in the database, which the object then shows, or
            another client just made the same move.
    """
    while True:
        seen = State(announcement.state)
        if to not in MOVES[seen]:
            raise IllegalMove(seen, to)
        if Announcement.objects.filter(pk=announcement.pk, state=seen).update(state=to):
            announcement.state = to
            return
        announcement.refresh_from_db(fields=["state"])
        if announcement.state == to:
            raise IllegalMove(to, to)
