"""What our account does on a Mastodon server: post, edit, remove, read, and find what it posted before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from channels.kit.mastodon_api import Api, Gone, Post, Unclear

_CLOCKS = 300.0  # seconds that the server's clock and ours may differ
_PAGES, _PAGE = 5, 40  # how far back our own posts are looked through


class Account:
    """Acts through ``api``; new posts are seen by those whom ``visibility`` allows."""

    def __init__(self, api: Api, visibility: str) -> None:
        self._api = api
        self._visibility = visibility

    async def post(self, text: str, language: str, key: str, reply_to: str = "") -> Post:
        """Posts under ``key``: within an hour a repeat makes no second post."""
        body = {"status": text, "language": _iso639(language), "visibility": self._visibility}
        if reply_to:
            body["in_reply_to_id"] = reply_to
        return Post.read(await self._api.call("POST", "/api/v1/statuses", body, key=key))

    async def edit(self, identity: str, text: str, language: str) -> Post:
        body = {"status": text, "language": _iso639(language)}
        return Post.read(await self._api.call("PUT", f"/api/v1/statuses/{identity}", body))

    async def remove(self, identity: str) -> None:
        """Takes a post away, or finds that it is not there."""
        try:
            await self._api.call("DELETE", f"/api/v1/statuses/{identity}")
        except (Gone, Unclear):
            return

    async def read(self, identity: str) -> Post:
        """A post as a stranger gets it."""
        return Post.read(await self._api.call("GET", f"/api/v1/statuses/{identity}", anonymous=True))

    async def find(self, texts: tuple[str, ...], since: float) -> list[Post]:
        """Our own posts with exactly these texts, made ``since`` then (seconds since the epoch), in their order.

        It ends with the first text that no post has.

        Our texts hold the address of the announcement's page, so that an equal one is of the same announcement; where
        there are several, the oldest is taken.
        """
        recent = await self._recent(since - _CLOCKS)
        found = []
        for text in texts:
            post = await self._with(text, recent)
            if post is None:
                break
            found.append(post)
        return found

    async def _with(self, text: str, posts: Iterable[Post]) -> Post | None:
        for post in posts:
            try:
                source = await self._api.call("GET", f"/api/v1/statuses/{post.id}/source")
            except Gone:
                continue
            if isinstance(source, dict) and source.get("text") == text:
                return post
        return None

    async def _recent(self, since: float) -> list[Post]:
        """Our posts made after ``since``, oldest first, as far back as ``_PAGES`` pages reach.

        Raises:
            Unclear: there are more: what is not found then may still be there.
        """
        account = await self._api.call("GET", "/api/v1/accounts/verify_credentials")
        identity = account.get("id") if isinstance(account, dict) else None
        found: list[Post] = []
        older = ""
        for _ in range(_PAGES):
            page = await self._api.call("GET", f"/api/v1/accounts/{identity}/statuses?limit={_PAGE}{older}")
            posts = [Post.read(values) for values in page]
            new = [post for post in posts if _seconds(post.created_at) >= since]
            found += new
            if len(new) < _PAGE:
                return found[::-1]
            older = f"&max_id={posts[-1].id}"
        raise Unclear("there are too many posts to look through")


def _seconds(created_at: str) -> float:
    try:
        return datetime.fromisoformat(created_at).timestamp()
    except ValueError:
        raise Unclear("a post has no readable time") from None


def _iso639(language: str) -> str:
    return language.partition("-")[0]
