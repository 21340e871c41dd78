"""A letter: the e-mail of one copy, compiled once, and made out to each recipient by joining bytes."""

from __future__ import annotations

import hashlib
import html
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate

import idna

from channels.contract import Act, Copy, Outcome, Reason, Receipt, Recipient
from channels.kit.dkim import Signer
from channels.kit.mime import alternatives, encoded, mailbox, quoted
from channels.kit.smtp import Mail

_SPECIAL = r"!#$%&'*+/=?^_`{|}~-"
_ASCII_ADDRESS = re.compile(rf"[A-Za-z0-9.{_SPECIAL}]{{1,64}}@[A-Za-z0-9](?:[A-Za-z0-9.-]{{0,252}}[A-Za-z0-9])?")
_LOCAL = re.compile(rf"[\w.{_SPECIAL}]{{1,64}}")
_ADDRESS_OCTETS = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
_SLOT_VALUE = re.compile(r"[\x21-\x7e]{1,800}")
_HTML_SPECIAL = re.compile(r"[&<>\"']")
_LANGUAGE = re.compile(r"[A-Za-z0-9]{1,8}(?:-[A-Za-z0-9]{1,8})*")  # BCP 47
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,240}>")
_ATOMS = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_LONGEST_ID = 120  # characters of a Message-ID's left side
_LONGEST_EXTENSION = 40  # characters of a sender's extension: a whole local part has 64 (RFC 5321 section 4.5.3.1.1)


@dataclass(frozen=True, slots=True)
class Stationery:
    """What is the same on every letter of an outlet. ``bounce`` may hold ``{key}``: a sender per delivery (VERP)."""

    sender: str
    sender_names: Mapping[str, str]
    reply_to: str
    list_id: str
    bounce: str
    feedback_id: str
    signer: Signer | None

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]


def envelope_address(address: str) -> tuple[str, bool] | None:
    """``address`` as it goes on the wire, and whether it needs SMTPUTF8 (RFC 6531); ``None`` if it cannot go there.

    A domain outside ASCII is written as A-labels. Quoted local parts are not supported.
    """
    if _ASCII_ADDRESS.fullmatch(address):
        return (address, False) if len(address) <= _ADDRESS_OCTETS else None
    local, _, domain = address.rpartition("@")
    if not _LOCAL.fullmatch(local):
        return None
    try:
        wire = f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return None
    return (wire, not local.isascii()) if len(wire.encode()) <= _ADDRESS_OCTETS else None


def key_token(key: str, longest: int) -> str:
    """A delivery key as it stands in an address or a Message-ID: itself, or its hash where it does not fit."""
    if len(key) <= longest and _ATOMS.fullmatch(key):
        return key
    return hashlib.sha256(key.encode(errors="backslashreplace")).hexdigest()[:40]


class Letter:
    """The letter of ``copy`` on ``stationery``. ``made_out`` is called once per recipient and is meant to be fast."""

    def __init__(self, copy: Copy, stationery: Stationery) -> None:
        self._stationery = stationery
        self._domain = stationery.domain
        self._listed = copy.act is not Act.NOTICE
        self._names = copy.slots
        boundary = f"=_{copy.digest[:32]}"  # encoded text never holds this
        pieces = alternatives(self._head(copy), boundary, copy.text, copy.parts["html"], copy.slots)
        self._pieces = [b"", *(piece if isinstance(piece, bytes) else b"" for piece in pieces)]
        self._places = [(i, piece) for i, piece in enumerate(pieces, start=1) if isinstance(piece, tuple)]
        self._dated = (0, b"")

    def _head(self, copy: Copy) -> dict[str, str]:
        """The headers that all recipients share, encoded."""
        own = self._stationery
        name = own.sender_names.get(copy.language) or copy.parts["sender"]
        head = {
            "From": mailbox(name, own.sender, "From"),
            "Subject": encoded(copy.parts["subject"], "Subject"),
            "Auto-Submitted": "auto-generated",  # RFC 3834
        }
        if own.reply_to:
            head["Reply-To"] = f"<{own.reply_to}>"
        if self._listed:
            head["List-Id"] = mailbox(name, own.list_id, "List-Id")  # RFC 2919
            if own.feedback_id:
                head["Feedback-ID"] = own.feedback_id
        if copy.parts.get("practice"):
            head["X-Omroeper-Practice"] = "example"
        if _LANGUAGE.fullmatch(copy.language):
            head["Content-Language"] = copy.language
        return head

    def made_out(self, recipient: Recipient) -> Mail | Receipt:
        """The letter to ``recipient``, or the receipt that says why there can be none."""
        found = envelope_address(recipient.address)
        if found is None:
            return _refusal(recipient, Reason.ADDRESS_NOT_SUPPORTED, "this is no address that mail servers take")
        address, utf8 = found
        filled: dict[tuple[str, str], bytes] = {}
        for name in self._names:
            value = recipient.slots.get(name, "")
            if not _SLOT_VALUE.fullmatch(value):
                return _refusal(recipient, Reason.FAULT, f"the slot {name} is not filled with a plain link")
            filled[name, "text"] = filled[name, "html"] = quoted(value)
            if _HTML_SPECIAL.search(value):
                filled[name, "html"] = quoted(html.escape(value))
        message_id = f"<{key_token(recipient.key, _LONGEST_ID)}@{self._domain}>"
        pieces = self._pieces.copy()
        pieces[0] = self._personal_head(recipient, address, message_id)
        for index, place in self._places:
            pieces[index] = filled[place]
        content = b"".join(pieces)
        own = self._stationery
        if own.signer is not None:
            content = own.signer.signature(content) + content
        sender = own.bounce or own.sender
        if "{key}" in sender:
            sender = sender.replace("{key}", key_token(recipient.key, _LONGEST_EXTENSION))
        return Mail(recipient, message_id, sender.encode(), address.encode(), content, utf8=utf8)

    def _personal_head(self, recipient: Recipient, address: str, message_id: str) -> bytes:
        head = f"Message-ID: {message_id}\r\nTo: <{address}>\r\n"
        if _MESSAGE_ID.fullmatch(recipient.previous):
            head += f"In-Reply-To: {recipient.previous}\r\nReferences: {recipient.previous}\r\n"
        if self._listed:  # RFC 8058
            leave = recipient.slots["leave_url"]
            head += f"List-Unsubscribe: <{leave}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
        return self._date() + head.encode()

    def _date(self) -> bytes:
        now = int(time.time())
        if now != self._dated[0]:
            self._dated = (now, f"Date: {formatdate(now)}\r\n".encode())
        return self._dated[1]


def _refusal(recipient: Recipient, reason: Reason, detail: str) -> Receipt:
    return Receipt(key=recipient.key, outcome=Outcome.REJECTED, reason=reason, detail=detail)
