"""What a published site holds: one entry for each announcement, language and address, kept in the folder itself."""

from __future__ import annotations

import re
import uuid
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels.contract import Fact
from channels.kit.files import PRIVATE, Folder

MANIFEST = f"{PRIVATE}/manifest.json"
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
_SLUG = re.compile(r"[a-z0-9-]{1,80}")
_EARLY = re.compile(r"early/[A-Za-z0-9_-]{8,200}/[a-z0-9-]{1,80}")


class ManifestUnreadable(Exception):
    """The manifest is damaged, or missing where there are pages. The message is a sentence with the remedy."""


class Entry(BaseModel):
    """One copy on the site: an announcement in one language at one address (``path``, without slash around it).

    ``keys`` are the delivery keys under which it was accepted; ``moved`` is an early address that now leads on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    language: str
    announcement: str
    slug: str
    revision: int
    state: Literal["live", "corrected", "withdrawn"]
    kind: str
    title: str
    summary: str
    facts: tuple[Fact, ...]
    reason: str
    url: str
    published: datetime
    published_words: str
    updated: datetime
    expires: datetime | None
    topics: tuple[str, ...]
    early: bool
    practice: bool
    moved: bool = False
    keys: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Where the page is in the folder."""
        return f"{self.path}/index.html"

    @property
    def acceptable(self) -> bool:
        """Whether the address is one of ours: ``nl/slug``, or ``early/token/slug``."""
        if not _SLUG.fullmatch(self.slug) or not LANGUAGE.fullmatch(self.language):
            return False
        if self.early:
            return bool(_EARLY.fullmatch(self.path)) and self.path.endswith(f"/{self.slug}")
        return self.path == f"{self.language}/{self.slug}"

    @property
    def rank(self) -> tuple[int, bool]:
        """What may replace what: a later revision an earlier one, a withdrawal the revision it withdraws."""
        return self.revision, self.state == "withdrawn"

    @property
    def feed_id(self) -> str:
        """Its permanent name in feeds (RFC 4287 section 4.2.6): not even a move of the site changes it."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self.announcement}/{self.language}").urn

    def current(self, now: datetime) -> bool:
        """Whether readers should find it: public, not withdrawn, not expired."""
        return not self.early and self.state != "withdrawn" and (self.expires is None or self.expires > now)


class Manifest(BaseModel):
    """Every entry by its path."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    entries: dict[str, Entry] = Field(default_factory=dict)

    @classmethod
    def read(cls, content: bytes) -> Manifest:
        """The manifest that ``content`` holds.

        Raises:
            ManifestUnreadable: if it is none.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError:
            raise ManifestUnreadable(
                "The site's manifest cannot be read, so nothing was written. Rebuild the site from the ledger."
            ) from None

    @classmethod
    def of(cls, folder: Folder) -> Manifest:
        """The manifest of the site in ``folder``; a new one where the folder is empty.

        Raises:
            ManifestUnreadable: if it is damaged, or if there are pages that it does not know.
        """
        content = folder.read(MANIFEST)
        if content is not None:
            return cls.read(content)
        if folder.read("index.html") is not None:
            raise ManifestUnreadable(
                "The site's folder has pages but no manifest, so nothing was written. "
                "Choose an empty folder, or rebuild the site from the ledger."
            )
        manifest = cls()
        folder.replace({MANIFEST: manifest.content()})
        return manifest

    def content(self) -> bytes:
        ordered = Manifest(entries=dict(sorted(self.entries.items())))
        return ordered.model_dump_json(indent=1).encode()

    def put(self, entry: Entry, key: str) -> Entry:
        """Stores ``entry``, with ``key`` and all keys that its address was accepted under before."""
        before = self.entries.get(entry.path)
        kept = entry.model_copy(update={"keys": tuple(sorted({*(before.keys if before else ()), *entry.keys, key}))})
        self.entries[entry.path] = kept
        return kept

    def by_key(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries.values() if key in entry.keys), None)

    def overtaken(self, announcement: str, language: str) -> list[tuple[Entry, Entry]]:
        """Early copies of an announcement whose public copy stands, each with that copy."""
        ours = [e for e in self.entries.values() if e.announcement == announcement and e.language == language]
        return [(early, public) for public in ours if not public.early for early in ours if early.early]

    def current(self, language: str, now: datetime) -> list[Entry]:
        """What readers of ``language`` should find, emergencies first, then the latest first."""
        found = [entry for entry in self.entries.values() if entry.language == language and entry.current(now)]
        return sorted(found, key=lambda e: (e.kind != "emergency", -e.published.timestamp(), e.slug))
