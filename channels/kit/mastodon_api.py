"""Mastodon's API over HTTP, and what each answer means (docs.joinmastodon.org, version 4.x).

Only a failed connection is certainly unsent, and only a status line is an answer. All that changes something is
harmless to repeat: a post under its Idempotency-Key for an hour, an edit and a deletion for ever.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from channels.contract import OutletDown, Reason
from channels.kit.http import Answer, Http, NoAnswer, NotSent
from channels.kit.waiting import wait_until_reset

_GONE = frozenset({404, 410})
_LATER = frozenset({408, 425, 429, 503})
_KEYS = frozenset({401, 403})


class Gone(Exception):
    """There is no such post (any more)."""


class Refused(Exception):
    """A clear no to this request: the same one must not be sent again."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Unclear(Exception):
    """The server took it and said yes, in words that we cannot read."""


@dataclass(frozen=True, slots=True)
class Post:
    """A post as the server gives it."""

    id: str
    url: str
    content: str
    created_at: str

    @classmethod
    def read(cls, values: object) -> Post:
        """Raises:
        Unclear: it is not a post.
        """
        if not isinstance(values, dict) or not isinstance(values.get("id"), str) or not values["id"]:
            raise Unclear("the answer is no post")
        url = values.get("url") or values.get("uri") or ""
        return cls(values["id"], str(url), str(values.get("content") or ""), str(values.get("created_at") or ""))


class Api:
    """Calls the server at ``base`` with ``token``, which stands in no message and no ``repr``."""

    def __init__(self, http: Http, base: str, token: str) -> None:
        self._http = http
        self._base = base
        self._token = token

    async def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, key: str = "", anonymous: bool = False
    ) -> Any:
        """The JSON that the server answers.

        Raises:
            OutletDown: nothing can go out now; ``doubtful`` where this may have arrived.
            Gone, Refused, Unclear: what the server said.
        """
        headers = {"Accept": "application/json"}
        if not anonymous:
            headers["Authorization"] = f"Bearer {self._token}"
        if key:
            headers["Idempotency-Key"] = key
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = json.dumps(body, ensure_ascii=False).encode() if body is not None else None
        try:
            answer = await self._http.send(method, f"{self._base}{path}", headers=headers, content=content)
        except NotSent as error:
            raise OutletDown(str(error), needs_person=not error.allowed) from None
        except NoAnswer as error:
            raise OutletDown(str(error), doubtful=True) from None
        return self._meaning(answer)

    def _meaning(self, answer: Answer) -> Any:
        status, said = answer.status, self._said(answer)
        if 200 <= status < 300:
            if not answer.whole:
                raise Unclear("the answer broke off")
            try:
                return json.loads(answer.body)
            except ValueError:
                raise Unclear("the answer is not JSON") from None
        if status in _GONE:
            raise Gone(said)
        if status in _KEYS:
            raise OutletDown(f"The server does not let us post ({said}). Give a new token.", needs_person=True)
        if status in _LATER:
            wait = wait_until_reset(answer.headers, datetime.now(UTC))
            raise OutletDown(f"The server asks us to wait ({said}).", retry_after=wait)
        if 300 <= status < 400:
            raise OutletDown(f"The server has moved ({status}). Correct its address.", needs_person=True)
        if status >= 500:
            # A gateway may say so of a post that the server behind it took.
            raise OutletDown(f"The server has a problem ({said}).", doubtful=True)
        raise Refused(Reason.TOO_LARGE if status == 413 else Reason.CONTENT_REFUSED, said)

    def _said(self, answer: Answer) -> str:
        """The server's own words: its status and error, without our token, at most 160 characters."""
        try:
            error = json.loads(answer.body).get("error", "")
        except (ValueError, AttributeError):
            error = ""
        said = f"{answer.status} {error if isinstance(error, str) else ''}".strip()
        return said.replace(self._token, "…")[:160]
