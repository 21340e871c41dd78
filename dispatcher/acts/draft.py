"""Draft: keep what is written so far, without asking anything of anybody."""

from __future__ import annotations

from django.db import transaction

from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.announcements import revisions
from dispatcher.announcements.models import Announcement
from dispatcher.announcements.unfinished import DraftSource


def draft(source: DraftSource, *, by: By, request_key: str | None = None) -> Announcement:
    """The new draft. The same request key gives the first one again.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        dispatcher.announcements.revisions.KeyReused: the key was used for another text.
    """
    author = need(by, Right.DRAFT, "announcement")
    with transaction.atomic():
        before = request_key is not None and Announcement.objects.filter(request_key=request_key).exists()
        announcement = revisions.create_announcement(source, author, request_key=request_key)
        if not before:
            record(author, "draft", f"announcement {announcement.public_id}", slug=announcement.slug)
    return announcement
