"""Submit: hand in an announcement, once."""

from __future__ import annotations

from django.db import transaction

from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.announcements import lifecycle, revisions
from dispatcher.announcements.files import AnnouncementSource
from dispatcher.announcements.models import Announcement, State


def submit(source: AnnouncementSource, *, by: By, request_key: str | None = None) -> tuple[Announcement, bool]:
    """The announcement, in review, and whether it is new: the same request key gives the first one again.

    Needs the database only: it answers while Redis, the workers and every outlet are down.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        dispatcher.announcements.revisions.KeyReused: the key was used for another text.
    """
    author = need(by, Right.SUBMIT, "announcement")
    with transaction.atomic():
        announcement = revisions.create_announcement(source, author, request_key=request_key)
        new = announcement.state == State.DRAFT
        if new:
            record(author, "submit", f"announcement {announcement.public_id}", slug=announcement.slug)
            lifecycle.move(announcement, State.IN_REVIEW)
    return announcement, new
