"""Which revision the public knows: the newest one that was sent, or is on its way."""

from __future__ import annotations

from dispatcher.announcements.models import Announcement, Revision
from dispatcher.dispatching.models import DispatchAct


def newest_sent(announcement: Announcement) -> Revision | None:
    """The revision of the newest dispatch that was not stopped; ``None`` where nothing was ordered to go out."""
    dispatch = (
        announcement.dispatches.filter(act__in=[DispatchAct.ANNOUNCE, DispatchAct.UPDATE])
        .exclude(ended_why="stopped")
        .select_related("revision")
        .order_by("-pk")
        .first()
    )
    return dispatch.revision if dispatch is not None else None
