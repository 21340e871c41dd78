"""What the pages on which is written show beside their fields: previews, who hears it, and where languages differ."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.utils.timezone import now

from dispatcher.acts.preview import Preview, preview
from dispatcher.acts.reach import Reached, addresses, reach
from dispatcher.announcements import comparing
from dispatcher.announcements import text as markdown
from dispatcher.announcements.models import Announcement, Group, Kind
from dispatcher.announcements.source import AnnouncementSource
from dispatcher.announcements.unfinished import DraftSource
from dispatcher.audience.models import District, Topic
from dispatcher.console.form import STAGES, Form, FormProblems, read
from dispatcher.town.reading import town
from dispatcher.web import languages

_SLOT = re.compile(r"\{\{\w+\}\}")


@dataclass(frozen=True)
class OutletPreview:
    """One outlet with its copies, one a language."""

    label: str
    channel: str
    copies: Sequence[Preview]


def aside(form: Form, announcement: Announcement | None = None, *, aimed: bool = True) -> dict[str, Any]:
    """What is shown of ``form`` as it stands. A text that cannot be shown yet says what it waits for."""
    try:
        source: AnnouncementSource = read(form, DraftSource, now=now(), aimed=aimed)
    except FormProblems as wrong:
        return {"previews": [], "waits_for": wrong.problems, "reached": None, "addresses": 0, "tips": []}
    reached = reach(source) if aimed else None
    return {
        "previews": _by_outlet(preview(source, announcement)),
        "waits_for": [],
        "reached": reached,
        "addresses": addresses(reached) if reached else 0,
        "tips": tips(source),
    }


def choices() -> dict[str, Any]:
    """What can be chosen in the form, with labels in the page's language."""
    spoken = languages.spoken()
    return {
        "text_languages": town().languages,
        "kinds": list(Kind),
        "groups": list(Group),
        "stage_groups": STAGES,
        "topics": [
            (topic.slug, topic.names.get(spoken) or next(iter(topic.names.values()))) for topic in Topic.objects.all()
        ],
        "districts": [(district.slug, district.name) for district in District.objects.all()],
    }


def tips(source: AnnouncementSource) -> list[str]:
    """Where the languages tell different facts, in the page's language."""
    if len(source.texts) < 2:
        return []
    plain = {
        language: "\n".join((text.title, text.summary, markdown.plain_text(text.body)))
        for language, text in source.texts.items()
    }
    return [difference.sentence(languages.spoken()) for difference in comparing.differences(plain)]


def heard_by(reached: Sequence[Reached]) -> dict[str, Any]:
    """Who that is, for a page that asks whether to go on."""
    return {"reached": [each for each in reached if each.count], "addresses": addresses(list(reached))}


def _by_outlet(previews: list[Preview]) -> list[OutletPreview]:
    shown = [replace(each, text=_SLOT.sub("…", each.text)) for each in previews]
    return [
        OutletPreview(copies[0].label, copies[0].channel, copies)
        for copies in (list(group) for _, group in groupby(shown, key=lambda each: each.outlet))
    ]
