"""Stop: undo an approval or a correction while the grace lasts."""

from __future__ import annotations

from django.db import transaction
from django.utils.timezone import now

from dispatcher.acts.audit import record
from dispatcher.announcements import lifecycle
from dispatcher.announcements.models import State
from dispatcher.dispatching import holders
from dispatcher.dispatching.models import Dispatch, DispatchAct


class TooLate(Exception):
    """The first message has left: withdraw or correct instead."""


def stop(dispatch: Dispatch, *, by: str) -> None:
    """Stops a dispatch of which nothing has left.

    Raises:
        TooLate: the grace is over.
    """
    with transaction.atomic():
        locked = Dispatch.objects.select_for_update().get(pk=dispatch.pk)
        if locked.ended_at is not None:
            return
        if locked.start_at <= now() or locked.act not in {DispatchAct.ANNOUNCE, DispatchAct.UPDATE}:
            raise TooLate("The grace is over and it is going out. Correct or withdraw it instead.")
        holders.end("= %s", [locked.pk], "stopped")
        announcement = locked.announcement
        assert announcement is not None
        if locked.act == DispatchAct.ANNOUNCE:
            lifecycle.move(announcement, State.IN_REVIEW)
        else:
            lifecycle.move(announcement, State.LIVE)
        record(by, "stop", f"announcement {announcement.public_id}", dispatch=locked.key)
