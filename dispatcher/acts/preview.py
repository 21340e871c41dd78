"""Preview: every outlet's copy of a text that is not stored. The same ``compose``, so the same bytes."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.timezone import now

from channels.contract import Act
from dispatcher.announcements import revisions
from dispatcher.announcements.files import AnnouncementSource
from dispatcher.dispatching import bulletin
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.outlets import build


@dataclass(frozen=True)
class Preview:
    """One outlet's copy in one language: its plain text, what it is called, and whether the body was cut."""

    outlet: str
    label: str
    language: str
    text: str
    shortened: bool
    length: int


def preview(source: AnnouncementSource) -> list[Preview]:
    """The copies that ``source`` would make, outlet by outlet, in each language that the outlet carries."""
    with transaction.atomic():
        announcement = revisions.create_announcement(source, "preview")
        bulletin_of = bulletin.build(announcement, announcement.revisions.get(), at=announcement.publish_at or now())
        transaction.set_rollback(True)
    previews = []
    for outlet in Outlet.objects.filter(enabled=True):
        channel = build(outlet)
        for language in bulletin_of.texts:
            if outlet.languages and language not in outlet.languages:
                continue
            copy = channel.compose(bulletin_of, language, Act.ANNOUNCE, channel.limits)
            previews.append(Preview(outlet.name, outlet.label, language, copy.text, copy.shortened, len(copy.text)))
    return previews
