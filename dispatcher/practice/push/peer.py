"""A push service (RFC 8030) whose subscribers live in the practice town: it can read what is pushed to them."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Sequence
from socket import socket
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from dispatcher.practice.http_peer import OUR_NAMES, HttpPeer, Setting, from_our_page
from dispatcher.practice.push.pages import PhonePages
from dispatcher.practice.push.phones import DELETED, ENDED, OFF, ON, PUSH, Phones
from dispatcher.practice.push.reading import NotTrusted, Unreadable, check_sender, decrypt
from dispatcher.practice.push.subscriptions import Subscriptions, base64url, keys_of
from dispatcher.practice.push.words import PRESETS

LONGEST = 4096  # octets of a message: what RFC 8030, 7.2 has every service take, and most take no more
LONGEST_TTL = 2_419_200  # seconds: four weeks; what asks for more is kept that long (RFC 8030, 5.2)
URGENCIES = frozenset({"very-low", "low", "normal", "high"})  # RFC 8030, 5.3
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")  # RFC 8030, 5.4
_MOST_NAMES = 5000
_LONGEST_NAME = 200


class Push(HttpPeer):
    """The push service.

    ``POST /subscriptions``: makes one, or with ``{"names": […]}`` one for each of these residents.
    ``POST /push/ID``: takes a message for a subscription. ``DELETE`` ends the subscription, or what ``Location`` named.
    ``GET /messages.json``: what was taken. ``/`` and ``/phone/ID``: what stands on the phones.

    The key on record is the message's Topic, the recipient the subscription's id.
    """

    name = "push"
    words = {"nl": ("Pushberichten", "De pushdienst"), "en": ("Push messages", "The push service")}
    presets = PRESETS

    def __init__(self, sockets: Sequence[socket], setting: Setting) -> None:
        super().__init__(sockets, setting)
        self.subscriptions = Subscriptions(setting.folder)
        self.phones = Phones(self.record.taken)
        self.pages = PhonePages(self)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.post("/subscriptions", self._subscribe),
            web.options("/subscriptions", self._may_ask),
            web.post("/push/{id}", self._push),
            web.delete("/push/{id}", self._unsubscribe),
            web.delete("/message/{id}", self._delete),
            web.get("/messages.json", self._messages),
            web.post("/phone/{id}", self._act),
            *self.pages.routes(),
        ]

    @property
    def origin(self) -> str:
        """How those who push name this service: the audience of their tokens."""
        return f"http://127.0.0.1:{self.port}"

    # subscriptions

    async def _may_ask(self, request: web.Request) -> web.Response:
        return web.Response(status=204, headers=_shared_with(request))

    async def _subscribe(self, request: web.Request) -> web.Response:
        headers = _shared_with(request)
        body = await request.read()
        try:
            wanted: Any = json.loads(body) if body.strip() else {}
        except ValueError:
            wanted = None
        names = wanted.get("names") if isinstance(wanted, dict) else 0
        key = wanted.get("applicationServerKey", "") if isinstance(wanted, dict) else ""
        if names is None:
            made = self._made([f"phone-{secrets.token_hex(4)}"], str(key))
            return web.json_response(made[0], status=201, headers=headers)
        if not isinstance(names, list) or len(names) > _MOST_NAMES or not all(_is_name(name) for name in names):
            sentence = f'Give at most {_MOST_NAMES} names: {{"names": ["resident-0001"]}}, or no body for one phone.'
            return web.json_response({"errors": [sentence]}, status=422, headers=headers)
        return web.json_response({"subscriptions": self._made(names, str(key))}, status=201, headers=headers)

    def _made(self, names: list[str], key: str) -> list[dict[str, Any]]:
        """Subscriptions as a browser writes them down, each with the name of whose it is."""
        made = []
        for name, identity in zip(names, self.subscriptions.make(names, key), strict=True):
            keys = keys_of(name)
            made.append(
                {
                    "name": name,
                    "endpoint": f"{self.origin}/push/{identity}",
                    "expirationTime": None,
                    "keys": {"p256dh": base64url(keys.point), "auth": base64url(keys.auth)},
                }
            )
        return made

    async def _unsubscribe(self, request: web.Request) -> web.Response:
        identity = request.match_info["id"]
        if self.subscriptions.name(identity) is None:
            return _refused(404, "There is no such subscription.")
        self._note(request, identity, ENDED)
        return web.Response(status=204)

    # messages

    async def _push(self, request: web.Request) -> web.Response:
        identity = request.match_info["id"]
        name = self.subscriptions.name(identity)
        if name is None:
            return _refused(404, "There is no such subscription.")
        if self.phones[identity].ended:
            return _refused(410, "This subscription has ended.")
        try:
            key = check_sender(request.headers.get("Authorization", ""), {self.origin, f"http://localhost:{self.port}"})
        except NotTrusted as error:
            return _refused(error.status, str(error))
        bound = self.subscriptions.bound_to(identity)
        if bound and bound.rstrip("=") != key.rstrip("="):
            return _refused(403, "This subscription was made for another public key.")
        if problem := _problem(request):
            return _refused(400, problem)
        body = await request.read()
        if len(body) > LONGEST:
            return _refused(413, f"A message may have {LONGEST} octets.")
        line = self.take(
            request,
            key=request.headers.get("Topic", ""),
            recipient=identity,
            what=PUSH,
            id=secrets.token_hex(16),
            name=name,
            topic=request.headers.get("Topic", ""),
            ttl=min(int(request.headers["TTL"]), LONGEST_TTL),
            urgency=request.headers.get("Urgency", "normal"),
            size=len(body),
            notification=_notification(body, name),
        )
        if self.setting.keep:
            self.phones.take(line)
        return web.Response(
            status=201, headers={"Location": f"{self.origin}/message/{line['id']}", "TTL": str(line["ttl"])}
        )

    async def _delete(self, request: web.Request) -> web.Response:
        message = request.match_info["id"]
        identity = self.phones.of_message(message)
        if identity is None:
            return _refused(404, "There is no such message.")
        self._note(request, identity, DELETED, id=message)
        return web.Response(status=204)

    async def _messages(self, request: web.Request) -> web.Response:
        """What was taken, oldest first: ``recipient``, ``name``, ``topic`` narrow it down, ``offset`` and ``limit``."""
        found = [
            {**line, "time": round(line["time"], 3)}
            for line in self.record.taken
            if line["what"] == PUSH
            and all(
                line[each] == request.query[each] for each in ("recipient", "name", "topic") if each in request.query
            )
        ]
        offset, limit = (_number(request, name, otherwise) for name, otherwise in (("offset", 0), ("limit", 1000)))
        return web.json_response({"found": len(found), "messages": found[offset : offset + limit]})

    # the resident

    async def _act(self, request: web.Request) -> web.Response:
        """A button on a phone's page: ``act`` is ``off``, ``on`` or ``ended``."""
        identity = request.match_info["id"]
        form = await request.post()
        act = str(form.get("act", ""))
        if not from_our_page(request) or act not in (OFF, ON, ENDED) or self.subscriptions.name(identity) is None:
            return _refused(403, "Use the buttons on the phone's own page.")
        self._note(request, identity, act)
        raise web.HTTPSeeOther(f"/phone/{identity}")

    def _note(self, request: web.Request, identity: str, what: str, **more: Any) -> None:
        self.phones.take(self.take(request, key="", recipient=identity, what=what, **more))


def _is_name(name: object) -> bool:
    return isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and name.isprintable()


def _problem(request: web.Request) -> str:
    """What is wrong with the headers of a message; empty where nothing is."""
    ttl, topic = request.headers.get("TTL", ""), request.headers.get("Topic")
    if not (ttl.isascii() and ttl.isdigit() and len(ttl) <= 10):
        return "Say in TTL for how many seconds the message is to be kept (RFC 8030, 5.2)."
    if request.headers.get("Urgency", "normal") not in URGENCIES:
        return f"Urgency is one of {', '.join(sorted(URGENCIES))} (RFC 8030, 5.3)."
    if topic is not None and not _TOPIC.fullmatch(topic):
        return "Topic has at most 32 characters of the base64url alphabet (RFC 8030, 5.4)."
    if request.headers.get("Content-Encoding", "") != "aes128gcm":
        return "Content-Encoding must be aes128gcm (RFC 8291, 4)."
    return ""


def _notification(body: bytes, name: str) -> dict[str, Any] | None:
    """What the phone shows of a message, ``None`` where it cannot read it."""
    try:
        found = json.loads(decrypt(body, keys_of(name)))
    except (Unreadable, ValueError, RecursionError):
        return None
    notification = found.get("notification") if isinstance(found, dict) else None
    if not isinstance(notification, dict) or not isinstance(notification.get("title"), str):
        return None
    return notification


def _shared_with(request: web.Request) -> dict[str, str]:
    """Lets a page of the product, on this machine, read the answer; nobody else's page may even ask.

    Raises:
        web.HTTPForbidden: the request comes from a page elsewhere.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return {}
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or parts.hostname not in OUR_NAMES:
        raise web.HTTPForbidden(text="Only pages on this machine may ask for a subscription.")
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Allow-Methods": "POST",
        "Vary": "Origin",
    }


def _refused(status: int, sentence: str) -> web.Response:
    return web.json_response({"errors": [sentence]}, status=status)


def _number(request: web.Request, name: str, otherwise: int) -> int:
    text = request.query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise
