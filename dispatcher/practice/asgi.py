"""What the practice town's pages need of ASGI: a request read whole, a response, and who may ask."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

MAX_BODY = 256 * 1024
_OUR_NAMES = {"localhost", "127.0.0.1", "::1"}

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Refused(Exception):
    """The request is not answered as asked: a status and a sentence that says why."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Names of headers are in lower case; of a field given twice the last counts."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (pair.strip().partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs}

    def json(self) -> Any:  # JSON can be anything; ``read_faults`` judges it
        """The body.

        Raises:
            Refused: it is not JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {error}") from None

    def number(self, name: str, default: int, most: int) -> int:
        """A whole number from the query, between 0 and ``most``.

        Raises:
            Refused: it is not one.
        """
        text = self.query.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit()):
            raise Refused(HTTPStatus.BAD_REQUEST, f"{name} is '{text[:40]}', which is not a number.")
        return min(int(text[:12]), most)

    def check_origin(self) -> None:
        """Sees to it that only pages of this server and programs on this machine change anything here.

        A name that points to this machine (DNS rebinding) and a form on a strange page both come from elsewhere.

        Raises:
            Refused: they did.
        """
        host = self.headers.get("host", "")
        if (urlsplit(f"//{host}").hostname or "") not in _OUR_NAMES:
            raise Refused(HTTPStatus.FORBIDDEN, "This server is known as localhost only.")
        if self.method in {"GET", "HEAD"}:
            return
        origin = self.headers.get("origin")
        strange = origin is not None and origin != f"http://{host}"
        if strange or self.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            raise Refused(HTTPStatus.FORBIDDEN, "This came from another site's page.")


@dataclass(frozen=True, slots=True)
class Response:
    body: bytes
    content_type: str = "text/html; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(values: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(json.dumps(values, ensure_ascii=False).encode() + b"\n", "application/json", status)


def see_other(path: str) -> Response:
    return Response(b"", status=HTTPStatus.SEE_OTHER, headers={"location": path})


async def read_request(scope: Mapping[str, Any], receive: Receive) -> Request:
    """The whole request.

    Raises:
        Refused: its body is larger than ``MAX_BODY``.
    """
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large.")
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


async def send_response(response: Response, send: Send, *, head_only: bool) -> None:
    headers = {
        "content-type": response.content_type,
        "content-length": str(len(response.body)),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        **response.headers,
    }
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status.value, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if head_only else response.body})
