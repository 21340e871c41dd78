"""Mastodon: a post for each language, corrected in place, withdrawn by a notice in its place or taken away.

A post is made under its delivery key, which the server remembers for an hour: a repeat gives the first post. Older
than that, it is looked for among our own posts, by the text that was noted before it was sent. What the server may
have taken without saying so is never called unsent. docs/channels/mastodon.md has the table of outcomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from channels.contract import (
    Abilities,
    Act,
    Broadcast,
    Bulletin,
    ChannelSettings,
    Copy,
    Finding,
    Limits,
    Outcome,
    OutletDown,
    Published,
    Reason,
    Receipt,
    Seen,
    SeenState,
    Surroundings,
    Unit,
)
from channels.kit.brief import fitted
from channels.kit.http import Http
from channels.kit.mastodon_account import Account
from channels.kit.mastodon_api import Api, Gone, Post, Refused, Unclear
from channels.kit.mastodon_check import findings
from channels.kit.pagetext import page_text
from channels.kit.plain_post import without_tags
from channels.kit.sent_notes import Memory, Note, Notes
from channels.kit.templates import render
from channels.kit.thread import split

KEY_SECONDS = 50 * 60
"""How long we count on the server to know a key: an hour by its documentation, less what clocks may differ."""
MOST_POSTS = 12  # of a thread: their ids stand together in one receipt
_SECONDS = 12.0


class MastodonSettings(ChannelSettings):
    """The account and how it speaks. ``length`` is what the server allows: 500 unless it says otherwise.

    ``thread`` posts the whole text as replies to the first post. ``withdrawn``: ``replace`` puts the notice in the
    place of the post, ``delete`` takes it away.
    """

    url: str = Field(max_length=200)
    token: SecretStr = Field(min_length=1)
    visibility: Literal["public", "unlisted"] = "public"
    withdrawn: Literal["replace", "delete"] = "replace"
    thread: bool = False
    length: int = Field(default=500, ge=200, le=100_000)
    url_length: int = Field(default=23, ge=1, le=200)

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        plain = parts.path in ("", "/") and not (parts.query or parts.fragment or "@" in url or "\\" in url)
        local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not plain or not parts.hostname or not (parts.scheme == "https" or local):
            raise ValueError("give the server's address alone, such as https://social.example")
        return url.rstrip("/")


class Mastodon(Broadcast):
    """``remote_id`` is the id of the post; of a thread, the ids of its posts in order with commas between them."""

    name = "mastodon"
    limits = Limits(length=500, unit=Unit.GRAPHEMES, url_length=23)
    can: ClassVar[Abilities] = Abilities(edit=True, withdraw=True, read_back=True, look_up=True, keyed=True)
    Settings: ClassVar[type[ChannelSettings]] = MastodonSettings

    def __init__(self, settings: ChannelSettings, surroundings: Surroundings) -> None:
        assert isinstance(settings, MastodonSettings)
        super().__init__(settings, surroundings)
        self.place = settings
        self.limits = Limits(length=settings.length, unit=Unit.GRAPHEMES, url_length=settings.url_length)
        self._notes = Notes(surroundings.vault or Memory())
        self._http: Http | None = None

    async def __aenter__(self) -> Self:
        self._http = await Http(self.surroundings.egress, seconds=_SECONDS).__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.__aexit__(kind, error, traceback)
            self._http = None

    @property
    def _api(self) -> Api:
        assert self._http is not None, "the channel has not been entered"
        return Api(self._http, self.place.url, self.place.token.get_secret_value())

    def compose(self, bulletin: Bulletin, language: str, act: Act, limits: Limits) -> Copy:
        """Title, summary and link as one post; with ``thread`` the text follows. The parts ``1``, ``2``, … are posts.

        Raises:
            ValueError: the facts of title and summary do not fit.
        """
        text = bulletin.text_for(language)
        plain = replace(
            text,
            title=without_tags(text.title),
            summary=without_tags(text.summary),
            change=without_tags(text.change),
        )

        def post(title: str, summary: str, change: str) -> str:
            return render(
                "mastodon/post.txt",
                act=act.value,
                language=text.language,
                practice=bulletin.sender.practice,
                title=title,
                summary=summary,
                change=change,
                url=text.url,
            ).strip()

        posts, whole = [fitted(plain, limits, post)], not text.body_text.strip()
        if self.place.thread and act is not Act.WITHDRAW:
            following, whole = split(without_tags(text.body_text), limits, MOST_POSTS - 1)
            posts += following
        return Copy(
            language=text.language,
            act=act,
            text="\n\n".join(posts),
            parts={str(number): part for number, part in enumerate(posts, start=1)},
            links=(text.url,),
            shortened=not whole,
        )

    async def publish(self, copy: Copy, key: str) -> Receipt:
        try:
            return await self._publish(copy, key)
        except (Refused, Unclear, Gone) as error:
            return _no(key, error)

    async def amend(self, copy: Copy, previous: Published, key: str) -> Receipt:
        """Edits the post. Where somebody took it away, or nobody knows where it is, the text is posted anew."""
        try:
            ids = await self._ids(copy, previous)
            if not ids:
                return await self._publish(copy, key)
            return await self._replace(copy, ids, previous.url, key)
        except Gone:
            return await self.publish(copy, key)
        except (Refused, Unclear) as error:
            return _no(key, error)

    async def withdraw(self, notice: Copy, previous: Published, key: str) -> Receipt:
        try:
            ids = await self._ids(notice, previous)
            if ids and self.place.withdrawn == "replace":
                try:
                    return await self._replace(notice, ids, previous.url, key)
                except Gone:
                    ids = ids[1:]  # somebody took the first post away: so goes what followed it
            await self._remove(ids)
        except (Refused, Unclear, Gone) as error:
            return _no(key, error)
        said = "It was taken away." if ids else "Nothing of it was there."
        return Receipt(key=key, outcome=Outcome.ACCEPTED, detail=said, remote_id=previous.remote_id, url=previous.url)

    async def read_back(self, previous: Published) -> Seen:
        """The posts as a stranger gets them, as plain text: a link is followed by where it leads where that differs."""
        texts = []
        try:
            for identity in previous.remote_id.split(","):
                post = await self._account.read(identity)
                texts.append(page_text(f'<div id="post">{post.content}</div>', "post") or "")
        except Gone as error:
            return Seen(SeenState.MISSING, detail=str(error)[:200])
        except OutletDown as down:
            return Seen(SeenState.UNREACHABLE, detail=down.reason[:200])
        except (Refused, Unclear) as error:
            return Seen(SeenState.UNREACHABLE, detail=str(error)[:200])
        return Seen(SeenState.FOUND, "\n\n".join(texts))

    async def look_up(self, key: str) -> Receipt | None:
        """What was posted under ``key``. Where the server still knows the key, a repeat finds out; that is ``None``.

        Raises:
            OutletDown: our own posts cannot be looked through now.
        """
        note = await self._notes.get(key)
        if note is not None and not note.complete and note.age > KEY_SECONDS:
            try:
                note = await self._find(note)
            except (Refused, Unclear, Gone) as error:
                raise OutletDown(f"Our own posts cannot be looked through ({error}).", needs_person=True) from None
        return _yes(note) if note is not None and note.complete else None

    async def check(self) -> list[Finding]:
        async with Http(self.surroundings.egress, seconds=10) as http:
            api = Api(http, self.place.url, self.place.token.get_secret_value())
            return await findings(api, self.place.length, self.place.url_length)

    @property
    def _account(self) -> Account:
        return Account(self._api, self.place.visibility)

    async def _publish(self, copy: Copy, key: str) -> Receipt:
        texts = _posts(copy)
        note = await self._notes.begin(key, texts, copy.links[0])
        for number in range(len(note.ids), len(texts)):
            reply_to = note.ids[-1] if note.ids else ""
            post = await self._account.post(texts[number], copy.language, _key(key, number), reply_to)
            note = note.answered((*note.ids, post.id), note.url or post.url)
            await self._notes.keep(note)
        return _yes(note)

    async def _replace(self, copy: Copy, ids: tuple[str, ...], url: str, key: str) -> Receipt:
        """Edits the posts there are, posts what there is more, and takes away what there is too much."""
        texts = _posts(copy)
        posts: list[Post] = []
        for number, text in enumerate(texts):
            try:
                if number >= len(ids):
                    raise Gone
                posts.append(await self._account.edit(ids[number], text, copy.language))
            except Gone:
                if not posts:
                    raise
                posts.append(await self._account.post(text, copy.language, _key(key, number), posts[-1].id))
        await self._remove(ids[len(texts) :])
        made = tuple(post.id for post in posts)
        return _yes(Note(key, texts, 0, made, posts[0].url or url))

    async def _remove(self, ids: Sequence[str]) -> None:
        for identity in reversed(ids):
            await self._account.remove(identity)

    async def _ids(self, copy: Copy, previous: Published) -> tuple[str, ...]:
        """The posts of an earlier dispatch; where it had no answer, those that are found by what was noted of it."""
        if previous.remote_id:
            return tuple(previous.remote_id.split(","))
        note = await self._notes.about(copy.links[0])
        if note is not None and not note.complete:
            note = await self._find(note)
        return note.ids if note is not None else ()

    async def _find(self, note: Note) -> Note:
        """The note with those of its posts that stand among our own; it is kept so."""
        found = await self._account.find(note.texts, note.at)
        note = note.answered(tuple(post.id for post in found), found[0].url if found else "")
        await self._notes.keep(note)
        return note


def _posts(copy: Copy) -> tuple[str, ...]:
    return tuple(copy.parts[str(number)] for number in range(1, len(copy.parts) + 1))


def _key(key: str, number: int) -> str:
    return f"{key}.{number}" if number else key


def _yes(note: Note) -> Receipt:
    return Receipt(key=note.key, outcome=Outcome.ACCEPTED, remote_id=",".join(note.ids), url=note.url)


def _no(key: str, error: Exception) -> Receipt:
    detail = str(error)[:200]
    if isinstance(error, Refused):
        return Receipt(key=key, outcome=Outcome.REJECTED, reason=error.reason, detail=detail)
    if isinstance(error, Gone):  # a server that knows no such address is none of ours
        raise OutletDown(f"The server has no place for posts ({detail}). Correct its address.", needs_person=True)
    return Receipt(key=key, outcome=Outcome.UNKNOWN, reason=Reason.NOT_UNDERSTOOD, detail=detail)
