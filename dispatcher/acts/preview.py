"""Preview: every outlet's copy of a text, without storing it. The same ``compose``, so the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

from channels.contract import Act, Bulletin
from channels.kit.shorten import measure
from dispatcher.announcements import revisions
from dispatcher.announcements.models import Announcement, State
from dispatcher.announcements.slugs import free_slug
from dispatcher.announcements.source import AnnouncementSource
from dispatcher.dispatching import bulletin, copies
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.outlets import build

_OUT = frozenset({State.GOING_OUT, State.LIVE, State.CORRECTED})


@dataclass(frozen=True)
class Preview:
    """One outlet's copy in one language: its plain text, what it is called, and whether the body was cut.

    ``length`` is in what the outlet counts (``unit``), ``most`` how much it takes, if it has an end. ``parts`` are the
    channel's own, as in ``Copy``. Where no copy can be made, ``problem`` says why and the text is empty.
    """

    outlet: str
    label: str
    language: str
    text: str
    shortened: bool
    length: int
    channel: str = ""
    most: int | None = None
    parts: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def preview(source: AnnouncementSource, announcement: Announcement | None = None) -> list[Preview]:
    """The copies that ``source`` would make, outlet by outlet, in each language that the outlet carries.

    With an ``announcement`` that is out: those of its correction; with one that is not: of its next version. One
    outlet's fault hides no other's copy.
    """
    act = Act.UPDATE if announcement is not None and announcement.state in _OUT else Act.ANNOUNCE
    if announcement is None:
        announcement = Announcement(slug=free_slug(source.texts[source.language].title))
    if act == Act.ANNOUNCE:
        revisions.aim(announcement, source)
    composed = bulletin.of_unstored(announcement, *revisions.unstored(announcement, source))
    return [each for outlet in Outlet.objects.filter(enabled=True) for each in _of_outlet(outlet, composed, act)]


def _of_outlet(outlet: Outlet, composed: Bulletin, act: Act) -> list[Preview]:
    languages = [code for code in composed.texts if not outlet.languages or code in outlet.languages]
    try:
        channel = build(outlet)
    except Exception as error:
        return [_failed(outlet, language, error) for language in languages]
    if not channel.limits.languages:
        languages = languages[:1]
    found = []
    for language in languages:
        try:
            copy = channel.compose(composed, language, act, channel.limits)
        except Exception as error:
            found.append(_failed(outlet, language, error))
            continue
        found.append(
            Preview(
                outlet=outlet.name,
                label=outlet.label,
                language=language,
                text=copy.text,
                shortened=copy.shortened,
                length=measure(copy.text, channel.limits.unit, channel.limits.url_length),
                channel=outlet.channel,
                most=channel.limits.length,
                parts=dict(copy.parts),
            )
        )
    return found


def _failed(outlet: Outlet, language: str, error: Exception) -> Preview:
    problem = copies.cause(error).removeprefix("ValueError: ")
    return Preview(outlet.name, outlet.label, language, "", False, 0, channel=outlet.channel, problem=problem)
