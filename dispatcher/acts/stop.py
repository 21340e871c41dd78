"""Stop: undo an approval or a correction while the grace lasts."""

from __future__ import annotations

from django.db import connection, transaction

from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.announcements import lifecycle
from dispatcher.announcements.models import Announcement, State
from dispatcher.dispatching import clock, holders
from dispatcher.dispatching.models import Dispatch, DispatchAct


class TooLate(Exception):
    """The first message has left: withdraw or correct instead."""


def stop(dispatch: Dispatch, *, by: By) -> None:
    """Stops a dispatch of which nothing has left.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        TooLate: the grace is over.
    """
    assert dispatch.announcement is not None, "a notice is not stopped"
    author = need(by, Right.STOP, f"announcement {dispatch.announcement.public_id}")
    with transaction.atomic():
        # Announcement, dispatch, batches: the order in which everybody locks them. With the batches locked, nobody can
        # take one between our look and our end.
        announcement = Announcement.objects.select_for_update().get(pk=dispatch.announcement.pk)
        locked = Dispatch.objects.select_for_update().get(pk=dispatch.pk)
        if locked.ended_at is not None:
            return
        if locked.act not in {DispatchAct.ANNOUNCE, DispatchAct.UPDATE} or _begun(locked):
            raise TooLate("The grace is over and it is going out. Correct or withdraw it instead.")
        holders.end("= %s", [locked.pk], "stopped")
        lifecycle.move(announcement, _state_before(announcement, locked))
        record(author, "stop", f"announcement {announcement.public_id}", dispatch=locked.key)


def _begun(dispatch: Dispatch) -> bool:
    """Whether its time has come, by the database's clock, or a worker has had a part of it."""
    if any(batch.lease_token for batch in dispatch.batches.select_for_update().order_by("pk")):
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM dispatching_dispatch WHERE id = %s AND start_at <= {clock.wall()}", [dispatch.pk]
        )
        return cursor.fetchone() is not None


def _state_before(announcement: Announcement, dispatch: Dispatch) -> State:
    if dispatch.act == DispatchAct.ANNOUNCE:
        return State.IN_REVIEW
    corrected = announcement.dispatches.filter(act=DispatchAct.UPDATE, pk__lt=dispatch.pk).exclude(ended_why="stopped")
    return State.CORRECTED if corrected.exists() else State.LIVE
