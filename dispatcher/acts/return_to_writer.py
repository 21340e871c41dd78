"""Return: it is not good yet; back to who writes it, with what to change."""

from __future__ import annotations

from django.db import transaction

from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.announcements import lifecycle
from dispatcher.announcements.models import Announcement, State

REASON_LIMIT = 500


class ReasonMissing(ValueError):
    """Whoever must change it has to know what."""

    def __init__(self) -> None:
        super().__init__("Say what has to change.")


def return_to_writer(announcement: Announcement, *, by: By, reason: str) -> None:
    """What was in review is a draft again; ``reason`` (at most 500 characters) stands in its history.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        ReasonMissing: ``reason`` is empty.
        dispatcher.announcements.lifecycle.IllegalMove: it is not in review (any more).
    """
    author = need(by, Right.RETURN, f"announcement {announcement.public_id}")
    reason = reason.strip()[:REASON_LIMIT]
    if not reason:
        raise ReasonMissing
    with transaction.atomic():
        lifecycle.move(announcement, State.DRAFT)
        record(author, "return", f"announcement {announcement.public_id}", reason=reason)
