"""The board: one announcement, what the public sees of it, and each copy beside it, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from dispatcher.practice.town.facts import Compared, compare
from dispatcher.practice.town.heard import Copy, Heard, Source
from dispatcher.practice.town.site import PublicPage, Site, Stands

PLACES = ("website", "mail", "timeline", "push", "colleagues")
LANGUAGES = ("nl", "en")  # of whose lists the site's feeds are read
_LATER = 1.0  # seconds by which a page may say that it changed later than a copy that came with it


class State(StrEnum):
    """How a place stands: ``YARDSTICK`` is what others are compared with, ``ALONE`` cannot be compared."""

    YARDSTICK = "yardstick"
    SAME = "same"
    DIFFERS = "differs"
    OLDER = "older"
    GONE = "gone"
    NOTHING = "nothing"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One to choose. ``at``: when it was first heard of (seconds since the epoch)."""

    slug: str
    title: str
    at: float


@dataclass(frozen=True, slots=True)
class Column:
    """A place of the town. ``copy`` is the copy shown, ``None`` where nothing came; ``facts`` those of its language."""

    place: str
    state: State
    copy: Copy | None = None
    heard: Heard | None = None
    compared: Compared | None = None
    facts: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """Everything at one announcement. ``page`` is the website's; ``None`` where the town was given no site."""

    announcement: Announcement
    language: str
    page: PublicPage | None
    columns: Sequence[Column] = field(default_factory=tuple)

    @property
    def facts(self) -> list[str]:
        return self.page.told.facts if self.page and self.page.told else []

    def standing(self, *states: State) -> list[Column]:
        """The columns in one of these states."""
        return [column for column in self.columns if column.state in states]


class Boards:
    """Makes boards of what ``sources`` followed and what ``site`` shows."""

    def __init__(self, sources: Mapping[str, Source], site: Site | None) -> None:
        self._sources = sources
        self._site = site

    async def announcements(self, language: str) -> list[Announcement]:
        """All that the town knows of, the newest first."""
        found: dict[str, Announcement] = {}
        for each in (language, *(other for other in LANGUAGES if other != language)):
            for listed in await self._site.listed(each) if self._site else ():
                found.setdefault(listed.slug, Announcement(listed.slug, listed.title, listed.at))
        for source in self._sources.values():
            await source.look()
            for slug, heard in source.by_slug.items():
                known = found.get(slug)
                title = known.title if known else self._titled(source, heard, language)
                at = min(heard.since, known.at) if known else heard.since
                if not known or at < known.at:
                    found[slug] = Announcement(slug, title or slug.replace("-", " ").capitalize(), at)
        return sorted(found.values(), key=lambda each: (-each.at, each.slug))

    async def board(self, announcement: Announcement, language: str) -> Board:
        """The board of an announcement, in a language where it was heard in it."""
        pages = {language: await self._page(announcement.slug, language)}
        if (page := pages[language]) is None or page.told is None:
            for other in LANGUAGES:
                pages.setdefault(other, await self._page(announcement.slug, other))
        shown = next((each for each, page in pages.items() if page and page.told), language)
        columns = [_website(pages[shown], shown)]
        for place in PLACES[1:]:
            source = self._sources.get(place)
            heard = source.by_slug.get(announcement.slug) if source else None
            if source is None or heard is None:
                columns.append(Column(place, State.NOTHING))
                continue
            spoken = heard.language(shown)
            at, what = heard.latest[spoken]
            copy = source.copy(what, spoken, at)
            if not spoken:  # neither it nor its link says its language
                for other in LANGUAGES:
                    pages.setdefault(other, await self._page(announcement.slug, other))
                copy = replace(copy, language=_language_of(copy, pages) or shown)
            elif spoken not in pages:
                pages[spoken] = await self._page(announcement.slug, spoken)
            columns.append(self._column(place, copy, heard, pages[copy.language]))
        return Board(announcement, shown, pages[shown], columns)

    def _column(self, place: str, copy: Copy, heard: Heard, page: PublicPage | None) -> Column:
        if copy.gone:
            return Column(place, State.GONE, copy, heard)
        if page is None or page.told is None:
            return Column(place, State.ALONE, copy, heard)
        ours = (page.url, self._site.base if self._site else page.url)
        compared = compare(copy.whole, page.told, ours)
        not_told = not compared.withdrawn and replace(compared, withdrawn=True).same  # as it was before the withdrawal
        older = copy.at < page.since - _LATER if page.stands is Stands.HERE else not_told
        state = State.OLDER if older else State.SAME if compared.same else State.DIFFERS
        return Column(place, state, copy, heard, compared, page.told.facts)

    async def _page(self, slug: str, language: str) -> PublicPage | None:
        return await self._site.page(slug, language) if self._site else None

    def _titled(self, source: Source, heard: Heard, language: str) -> str:
        spoken = heard.language(language)
        at, what = heard.latest[spoken]
        return source.copy(what, spoken, at).title


def _language_of(copy: Copy, pages: Mapping[str, PublicPage | None]) -> str:
    """The language whose title the copy bears."""
    titles = {language: page.told.title for language, page in pages.items() if page and page.told}
    return next((language for language, title in titles.items() if title.casefold() in copy.whole.casefold()), "")


def _website(page: PublicPage | None, language: str) -> Column:
    if page is None or page.stands is Stands.UNREADABLE:
        return Column("website", State.ALONE)
    if page.told is None:
        return Column("website", State.NOTHING)
    whole = Copy(language, page.at, page.told.heading, page.told.summary, page.url)
    return Column("website", State.YARDSTICK, whole, facts=page.told.facts)
