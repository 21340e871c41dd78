"""The website: static files that any web server or CDN can serve, and that stay up when everything else is down.

Promises: a reader never sees half a page; a link never leads to a page that is not there yet; an older revision never
overwrites a newer one; a repeat under the same key changes nothing. The manifest is written last, so what it says is
on the site. What it cannot promise: a CDN may show an older page for as long as it was told to keep it.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from channels.contract import (
    Abilities,
    Act,
    Broadcast,
    Bulletin,
    ChannelSettings,
    Copy,
    Finding,
    Level,
    Limits,
    Outcome,
    OutletDown,
    Published,
    Reason,
    Receipt,
    Seen,
    SeenState,
    Surroundings,
)
from channels.kit import site
from channels.kit.files import Busy, Folder, PathRefused, held
from channels.kit.http import Http, NoAnswer, NotSent
from channels.kit.manifest import LANGUAGE, MANIFEST, Entry, Manifest, ManifestUnreadable
from channels.kit.page import compose
from channels.kit.pagetext import link_target, page_text
from channels.kit.site import Shape

BUILT_ASSETS = Path(__file__).resolve().parents[1] / "dispatcher" / "assets" / "built"

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_TOGETHER = 100  # pages of a rebuild that are on their way at once

T = TypeVar("T")


class WebsiteSettings(ChannelSettings):
    """Where the site goes and what it is called. ``titles`` by language; ``wait`` is seconds for another writer."""

    folder: Path
    base_url: str
    languages: tuple[str, ...] = Field(min_length=1)
    titles: dict[str, Annotated[str, Field(min_length=1, max_length=120)]] = Field(default_factory=dict)
    list_length: int = Field(default=50, ge=1, le=500)
    banner_length: int = Field(default=3, ge=0, le=20)
    banner_days: int = Field(default=14, ge=1, le=366)
    assets: Path = BUILT_ASSETS
    wait: float = Field(default=10, gt=0, le=60)

    @field_validator("folder", "assets")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        if not folder.is_absolute():
            raise ValueError("give the whole path, from / on")
        return folder

    @field_validator("base_url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in url or parts.query or parts.fragment:
            raise ValueError("give a plain web address, such as https://berichten.example")
        return url.rstrip("/")

    @field_validator("languages")
    @classmethod
    def _known_form(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [language for language in languages if not LANGUAGE.fullmatch(language)]
        if wrong or len(set(languages)) < len(languages):
            raise ValueError("give each language once, in small letters, such as nl or en")
        return languages


class Website(Broadcast):
    """Publishes to a folder. ``remote_id`` is the path of the page in it, ``url`` what the public opens."""

    name = "website"
    limits = Limits()
    can: ClassVar[Abilities] = Abilities(edit=True, withdraw=True, read_back=True, look_up=True, keyed=True)
    Settings: ClassVar[type[ChannelSettings]] = WebsiteSettings

    def __init__(self, settings: ChannelSettings, surroundings: Surroundings) -> None:
        assert isinstance(settings, WebsiteSettings)
        super().__init__(settings, surroundings)
        self.site = settings
        self.shape = Shape(
            base_url=settings.base_url,
            languages=settings.languages,
            titles=settings.titles,
            list_length=settings.list_length,
            banner_length=settings.banner_length,
            banner_days=settings.banner_days,
        )

    def compose(self, bulletin: Bulletin, language: str, act: Act, limits: Limits) -> Copy:  # noqa: ARG002
        """The whole page as ``page``, and as ``entry`` what the manifest needs of it.

        Raises:
            ValueError: if slug or language cannot be part of an address.
        """
        copy, entry = compose(bulletin, language, act, self.shape)
        if not entry.acceptable:
            raise ValueError(f"{entry.path[:120]!r} cannot be the address of a page")
        return copy

    async def publish(self, copy: Copy, key: str) -> Receipt:
        return await self._held(lambda folder: self._place(folder, copy, key))

    async def amend(self, copy: Copy, previous: Published, key: str) -> Receipt:  # noqa: ARG002 - the page is its own
        return await self.publish(copy, key)

    async def withdraw(self, notice: Copy, previous: Published, key: str) -> Receipt:  # noqa: ARG002
        return await self.publish(notice, key)

    async def look_up(self, key: str) -> Receipt | None:
        entry = await self._held(lambda folder: Manifest.of(folder).by_key(key))
        return None if entry is None else _receipt(entry, key)

    async def refresh(self, now: datetime) -> None:
        """Takes what has expired since out of lists, feeds and banner, and brings the style up to date.

        Raises:
            OutletDown: if the folder cannot be written.
        """
        await self._held(lambda folder: folder.replace(self._follows(Manifest.of(folder), now)))

    async def rebuild(self, copies: Iterable[tuple[Copy, str]], now: datetime | None = None) -> int:
        """Writes the site anew from copies and the keys they were accepted under; says how many pages it has.

        The order of the copies does not matter: the highest revision stands. For a folder that was lost, or whose
        manifest cannot be read.

        Raises:
            OutletDown: if the folder cannot be written.
        """
        return await self._held(lambda folder: self._rebuild(folder, list(copies), now or datetime.now(UTC)))

    async def read_back(self, previous: Published) -> Seen:
        try:
            async with Http(self.surroundings.egress) as http:
                answer = await http.read(previous.url)
                onward = self._onward(answer.body)
                if onward:
                    answer = await http.read(onward)
        except (NotSent, NoAnswer) as error:
            return Seen(SeenState.UNREACHABLE, detail=str(error)[:200])
        if answer.status in (404, 410):
            return Seen(SeenState.MISSING, detail=f"the page gives status {answer.status}")
        if answer.status != 200 or not answer.whole:
            return Seen(SeenState.UNREACHABLE, detail=f"the page gives status {answer.status}")
        text = page_text(answer.body, "announcement")
        return Seen(SeenState.FOUND, text or "", "" if text is not None else "the page holds no announcement")

    async def check(self) -> list[Finding]:
        findings = []
        try:
            count = await self._held(lambda folder: len(Manifest.of(folder).entries))
            findings.append(Finding(Level.FINE, f"The folder can be written and holds {count} pages."))
        except OutletDown as down:
            findings.append(Finding(Level.FAULT, down.reason, "Mend the folder or its rights, then check again."))
        if not (self.site.assets / site.STYLE).is_file():
            findings.append(Finding(Level.WARNING, "There is no style: pages look bare.", "Run: make assets"))
        try:
            async with Http(self.surroundings.egress, seconds=10) as http:
                answer = await http.read(f"{self.site.base_url}/")
            if answer.status >= 400:
                findings.append(
                    Finding(
                        Level.WARNING, f"The site gives status {answer.status}.", "Does a web server serve the folder?"
                    )
                )
        except (NotSent, NoAnswer) as error:
            findings.append(
                Finding(Level.WARNING, f"The site cannot be read back: {error}.", "Check the base address.")
            )
        return findings

    async def _held(self, work: Callable[[Folder], T]) -> T:
        """What ``work`` gives with the folder held, off the loop.

        Raises:
            OutletDown: if the folder cannot be held or written, with a sentence on why.
        """
        try:
            return await asyncio.to_thread(self._in_folder, work)
        except Busy as error:
            raise OutletDown(f"The site's folder is in use: {error}.", retry_after=5) from None
        except ManifestUnreadable as error:
            raise OutletDown(str(error), needs_person=True) from None
        except PathRefused as error:
            raise OutletDown(
                f"The site's folder holds something that is not ours: {error}.", needs_person=True
            ) from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            full = error.errno in _NO_ROOM
            raise OutletDown(f"The site's folder cannot be written: {why}.", needs_person=not full) from None

    def _in_folder(self, work: Callable[[Folder], T]) -> T:
        with held(self.site.folder, self.site.wait) as folder:
            return work(folder)

    def _place(self, folder: Folder, copy: Copy, key: str) -> Receipt:
        entry = Entry.model_validate_json(copy.parts["entry"])
        manifest = Manifest.of(folder)
        before = manifest.entries.get(entry.path)
        if not entry.acceptable:
            return _refused(key, "the copy names no address of this site")
        if before is not None and before.announcement != entry.announcement:
            return _refused(key, "another announcement has this address")
        if before is not None and before.rank > entry.rank:
            kept, detail = manifest.put(before, key), f"revision {before.revision} stands there and is newer"
            files = {MANIFEST: manifest.content()}
        else:
            kept, detail = entry, ""
            files = self._files(manifest, entry, copy.parts["page"], key)
        try:
            folder.replace(files)
        except PathRefused as error:
            return _refused(key, str(error))
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            said = "There is no room in the site's folder. Nothing was changed."
            return Receipt(key=key, outcome=Outcome.DEFERRED, reason=Reason.STORAGE, detail=said)
        return _receipt(kept, key, detail)

    def _files(self, manifest: Manifest, entry: Entry, page: str, key: str) -> dict[str, bytes]:
        """What changes when ``entry`` takes its place, in the order in which readers may see it change."""
        manifest.put(entry, key)
        changed = {entry.file: page.encode()} | self._lead_on(manifest, entry)
        return changed | self._follows(manifest, datetime.now(UTC)) | {MANIFEST: manifest.content()}

    def _lead_on(self, manifest: Manifest, entry: Entry) -> dict[str, bytes]:
        """The early pages of an announcement that is public now: they become pages that lead there."""
        changed = {}
        for early, public in manifest.overtaken(entry.announcement, entry.language):
            manifest.entries[early.path] = early.model_copy(update={"moved": True})
            changed[early.file] = site.moved(early, self.shape, public.url)
        return changed

    def _follows(self, manifest: Manifest, now: datetime) -> dict[str, bytes]:
        """Style, lists, feeds, banner and sitemap."""
        built = self.site.assets
        style = {f"assets/{each.name}": each.read_bytes() for each in sorted(built.glob("*")) if each.is_file()}
        return style | site.pages(manifest, self.shape, now)

    def _rebuild(self, folder: Folder, copies: Sequence[tuple[Copy, str]], now: datetime) -> int:
        manifest = Manifest()
        pages: dict[str, bytes] = {}
        for copy, key in copies:
            entry = Entry.model_validate_json(copy.parts["entry"])
            before = manifest.entries.get(entry.path)
            if not entry.acceptable:
                continue
            if before is not None and before.rank > entry.rank:
                manifest.put(before, key)
            else:
                pages[entry.file] = copy.parts["page"].encode()
                manifest.put(entry, key)
        for entry in list(manifest.entries.values()):
            pages |= self._lead_on(manifest, entry)
        waiting = list(pages.items())
        for start in range(0, len(waiting), _TOGETHER):
            folder.replace(dict(waiting[start : start + _TOGETHER]))
        folder.replace(self._follows(manifest, now) | {MANIFEST: manifest.content()})
        return len(pages)

    def _onward(self, page: bytes) -> str:
        """Where a page that replaced an early one leads: to an address of this site, or nowhere."""
        leads_to = link_target(page, "moved") or ""
        return leads_to if leads_to.startswith(f"{self.site.base_url}/") else ""


def _receipt(entry: Entry, key: str, detail: str = "") -> Receipt:
    return Receipt(key=key, outcome=Outcome.ACCEPTED, detail=detail, remote_id=entry.path, url=entry.url)


def _refused(key: str, why: str) -> Receipt:
    return Receipt(key=key, outcome=Outcome.REJECTED, reason=Reason.POLICY, detail=f"path refused: {why}"[:200])
