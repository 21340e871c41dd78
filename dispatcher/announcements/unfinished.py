"""Drafts: what a whole announcement must have may still be empty in them; what is there must be good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from dispatcher.announcements.models import Announcement, Group, Revision
from dispatcher.announcements.revisions import texts_by_language
from dispatcher.announcements.source import (
    AnnouncementSource,
    TextSource,
    checked_body,
    cleaned_lines,
    line,
    measured,
)
from dispatcher.announcements.text import BODY_LIMIT


class DraftText(TextSource):
    """The text of a draft in one language: a title, and what there is of the rest."""

    summary: Annotated[str, *line(500, required=False)] = ""
    body: Annotated[
        str,
        BeforeValidator(cleaned_lines),
        AfterValidator(measured(BODY_LIMIT, required=False)),
        AfterValidator(checked_body),
    ] = ""


class DraftSource(AnnouncementSource):
    """A draft. It may be for nobody yet."""

    audience: tuple[Group, ...] = ()
    texts: Annotated[Mapping[str, DraftText], Field(min_length=1)]


def values_of(announcement: Announcement, revision: Revision) -> dict[str, Any]:
    """What is stored, in the shape in which it was handed in: what ``AnnouncementSource`` or ``DraftSource`` reads."""
    return {
        "kind": announcement.kind,
        "audience": tuple(announcement.audience),
        "topics": tuple(announcement.topics),
        "districts": tuple(announcement.districts),
        "publish_at": announcement.publish_at,
        "expires_at": announcement.expires_at,
        "stages": dict(announcement.stages),
        "texts": {
            language: {
                "title": row.title,
                "summary": row.summary,
                "body": row.body,
                "links": tuple(row.links),
                "image": {"url": row.image_url, "alt": row.image_alt} if row.image_url else None,
                "contact": row.contact,
                "change": row.change,
            }
            for language, row in texts_by_language(revision).items()
        },
    }
