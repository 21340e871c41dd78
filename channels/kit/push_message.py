"""What a push message holds: one JSON text that browsers show by themselves or hand to our service worker.

The shape is that of Declarative Web Push (``web_push`` 8030, ``notification`` with ``title`` and ``navigate``; W3C Push
API, section 3.3): Safari shows it without any script, and elsewhere our service worker shows the same members.

What is personal is a link. In a part a slot stands alone on its line, where JSON has a string: it is filled with the
value *as JSON*, so that no value can end the string it stands in. Texts of staff are JSON strings on one line and can
never look like a slot.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from channels.contract import Copy, Receipt, Recipient
from channels.kit.push_address import PushAddress, base64url
from channels.kit.push_crypto import LONGEST, encrypt
from channels.kit.push_job import Job
from channels.kit.vapid import Vapid

_MARKED = re.compile('"\ue000(\\w+)\ue001"')
_SLOT_LINE = re.compile(r"\n\{\{(\w+)\}\}\n")  # JSON has no other line ends


def slot(name: str) -> str:
    """A slot in a value that ``payload`` writes: characters that no text of staff can hold."""
    return f"\ue000{name}\ue001"


def payload(notification: Mapping[str, object]) -> str:
    """The JSON of a message, with each slot as ``{{name}}`` on a line of its own."""
    written = json.dumps({"web_push": 8030, "notification": notification}, ensure_ascii=False, separators=(",", ":"))
    return _MARKED.sub("\n{{\\1}}\n", written)


def tag(thread: str) -> str:
    """What makes one notification take the place of another on a device. Equal for all of one announcement."""
    return hashlib.blake2b(thread.encode(), digest_size=12).hexdigest()


def topic(thread: str) -> str:
    """The ``Topic`` of a recipient's thread: 32 characters (RFC 8030 section 5.4).

    It differs per recipient, so that a push service cannot tell from it who got the same announcement.
    """
    return base64url(hashlib.blake2b(thread.encode(), digest_size=24).digest())


@dataclass(frozen=True, slots=True)
class Terms:
    """What is the same for every message of an outlet. ``ttl`` is in seconds, for what has no expiry of its own."""

    vapid: Vapid
    ttl: int
    longest_ttl: int
    extra_hosts: tuple[str, ...]


class Message:
    """A copy, ready to be made out to recipients."""

    def __init__(self, copy: Copy, terms: Terms) -> None:
        self._terms = terms
        self._whole = _SLOT_LINE.split(copy.parts["payload"])
        self._small = _SLOT_LINE.split(copy.parts["small"])
        self._fixed = (
            f"Urgency: {copy.parts['urgency']}\r\nContent-Encoding: aes128gcm\r\n"
            "Content-Type: application/octet-stream\r\n"
        )
        self._expires = float(copy.parts["expires"]) if copy.parts["expires"] else None

    def made_out(self, recipient: Recipient, tell: Callable[[Receipt], None]) -> tuple[str, Job]:
        """The origin of the recipient's push service, and the job for it.

        Raises:
            channels.kit.push_address.PushAddressInvalid: if the address is none that we push to.
            KeyError: if a slot has no value.
        """
        address = PushAddress.read(recipient.address, extra_hosts=self._terms.extra_hosts)
        whole, alone = _filled(self._whole, recipient.slots), False
        if len(whole) > LONGEST:
            whole, alone = _filled(self._small, recipient.slots), True
        authorization = self._terms.vapid.authorization(address.origin)
        path = address.endpoint[len(address.origin) :]
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {address.origin.partition('//')[2]}\r\n"
            f"Authorization: {authorization}\r\nTTL: {self._ttl()}\r\nTopic: {topic(recipient.thread)}\r\n"
            f"{self._fixed}Content-Length: "
        )

        def request(text: bytes) -> bytes:
            body = encrypt(text, address)
            return f"{head}{len(body)}\r\n\r\n".encode("ascii") + body

        return address.origin, Job(
            key=recipient.key,
            request=request(whole),
            smaller=None if alone else lambda: request(_filled(self._small, recipient.slots)),
            secrets=(address.endpoint, path, path.rpartition("/")[2] or path, authorization),
            tell=tell,
        )

    def _ttl(self) -> int:
        """Seconds that the push service may keep it: what is over needs no telling."""
        if self._expires is None:
            return self._terms.ttl
        return max(0, min(int(self._expires - time.time()), self._terms.longest_ttl))


def _filled(pieces: list[str], slots: Mapping[str, str]) -> bytes:
    """``pieces`` are text and slot names by turns."""
    if len(pieces) == 1:
        return pieces[0].encode()
    return "".join(json.dumps(slots[piece]) if index % 2 else piece for index, piece in enumerate(pieces)).encode()
