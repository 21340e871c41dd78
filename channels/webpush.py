"""Push messages to browsers and phones: RFC 8030, encrypted for one device by RFC 8291, signed by RFC 8292.

One message per device, over the push service of its browser. The message holds all that a notification shows, so that
it can be read without opening anything. A correction takes the place of its original: in the push service while that
still keeps it (``Topic``), and on the device after that (``tag``). What was shown cannot be taken back; a withdrawal
takes its place and says so.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import replace
from typing import cast

import httpx

from channels.contract import (
    Abilities,
    Act,
    Bulletin,
    ChannelSettings,
    Copy,
    Direct,
    Finding,
    Level,
    Limits,
    Outcome,
    Reason,
    Receipt,
    Recipient,
    Surroundings,
    Text,
    Unit,
)
from channels.kit.egress import AddressNotAllowed
from channels.kit.languages import direction
from channels.kit.mime import body_text, header_text
from channels.kit.push_address import LOOPBACK, PushAddressInvalid
from channels.kit.push_crypto import LONGEST
from channels.kit.push_job import Job, Manner
from channels.kit.push_message import Message, Terms, payload, slot, tag
from channels.kit.push_run import Run, Services
from channels.kit.push_settings import LONGEST_TTL, WebPushSettings
from channels.kit.shorten import shorten
from channels.kit.templates import render
from channels.kit.vapid import Vapid

PREFERENCES, ACTION = "preferences_url", "action_url"
_ROOM = 300  # octets kept free for the one link that is filled in per recipient
_MESSAGES = 32  # compiled copies kept: a dispatch has one per language and act
# Where each browser's service answers; asked for no more than whether we can connect.
_KNOWN = (
    ("Chrome, Edge on Android", "fcm.googleapis.com"),
    ("Firefox", "updates.push.services.mozilla.com"),
    ("Safari", "web.push.apple.com"),
)


class WebPush(Direct):
    """See the module. The remote id of a receipt is the ``Location`` of the message, where the service gives one.

    A repeat is not harmless (``can.keyed`` is false): ``Topic`` drops the twin only while the service still keeps the
    first, and ``tag`` only while the first still stands on the screen. Who has put it away hears it again.
    """

    name = "webpush"
    limits = Limits(length=LONGEST, unit=Unit.BYTES)
    can = Abilities()
    Settings = WebPushSettings

    def __init__(self, settings: ChannelSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        own = self._own = cast(WebPushSettings, settings)
        vapid = Vapid(own.vapid_key.get_secret_value(), own.contact)
        self._terms = Terms(vapid, own.ttl, LONGEST_TTL, own.extra_hosts)
        self._messages: dict[str, Message] = {}
        self._services: Services | None = None

    def compose(self, bulletin: Bulletin, language: str, act: Act, limits: Limits) -> Copy:
        """See ``Common.compose``. The notification holds title, change and summary; the body is left to the link.

        ``parts``: ``payload`` is the message, ``small`` the same without its button, ``urgency`` and ``expires`` (Unix
        time, empty where it does not expire) are for the headers.
        """
        text = _cleaned(bulletin.text_for(language))
        notice = act is Act.NOTICE
        values: dict[str, object] = {
            "act": act.value,
            "language": text.language,
            "text": text,
            "practice": bulletin.sender.practice,
        }
        title = render("webpush/title.txt", **values).strip()
        body = render("webpush/body.txt", **values).strip()
        button = header_text(render("webpush/button.txt", **values).strip())
        name = ACTION if notice else PREFERENCES
        notification: dict[str, object] = {
            "title": title,
            "lang": text.language,
            "dir": direction(text.language),
            "body": body,
            "navigate": slot(ACTION) if notice else text.url,
            "tag": tag(bulletin.announcement or bulletin.slug),
            "timestamp": int(bulletin.updated_at.timestamp() * 1000),
            # With the same tag a correction would come in without a sound.
            "renotify": act in (Act.UPDATE, Act.WITHDRAW),
            "requireInteraction": bulletin.emergency,
            "data": {"act": act.value, "kind": bulletin.kind, "revision": bulletin.revision},
        }
        most = (limits.length or LONGEST) - _ROOM
        actions = [{"action": "confirm" if notice else "preferences", "title": button, "navigate": slot(name)}]
        excess = len(payload({**notification, "actions": actions}).encode()) - most
        if excess > 0:
            # As JSON a quotation mark or line end takes two octets; what is left of the body is never more than it was.
            body = shorten(body, max(1, len(body.encode()) - excess), Unit.BYTES).text
            notification["body"] = body
        shown = {**values, "title": title, "body": body, "url": text.url, "button": button}
        return Copy(
            language=text.language,
            act=act,
            text=render("webpush/text.txt", **shown, slot=f"{{{{{name}}}}}"),
            parts={
                "payload": payload({**notification, "actions": actions}),
                "small": payload(notification),
                "urgency": "high" if bulletin.emergency else "normal",
                "expires": str(int(bulletin.expires_at.timestamp())) if bulletin.expires_at and not notice else "",
            },
            links=() if notice else (text.url,),
            slots=(name,),
            shortened=excess > 0 or bool(text.body_text.strip()),
        )

    def deliver(
        self,
        act: Act,  # noqa: ARG002 - the copy carries it
        copy: Copy,
        recipients: AsyncIterable[Recipient],
    ) -> AsyncIterator[Receipt]:
        """See ``Direct.deliver``. A push service that is down, slow or full is nobody's business but its own."""
        message = self._message(copy)

        def prepare(recipient: Recipient, tell: Callable[[Receipt], None]) -> tuple[str, Job] | Receipt:
            try:
                return message.made_out(recipient, tell)
            except PushAddressInvalid as wrong:
                return Receipt(
                    key=recipient.key,
                    outcome=Outcome.REJECTED,
                    reason=Reason.ADDRESS_NOT_SUPPORTED,
                    detail=str(wrong)[:200],
                )

        return Run(self._reached(), recipients, prepare).receipts()

    def _message(self, copy: Copy) -> Message:
        digest = copy.digest
        if digest not in self._messages:
            if len(self._messages) >= _MESSAGES:
                del self._messages[next(iter(self._messages))]
            self._messages[digest] = Message(copy, self._terms)
        return self._messages[digest]

    def _reached(self) -> Services:
        if self._services is None:
            own = self._own
            self._services = Services(
                Manner(
                    egress=self.surroundings.egress,
                    tls=ssl.create_default_context(cafile=own.ca_file) if own.ca_file else httpx.create_ssl_context(),
                    connections=own.concurrency,
                    opening=own.opening_seconds,
                    reply=own.reply_seconds,
                    idle=own.idle_seconds,
                ),
                self.surroundings.vault,
            )
        return self._services

    async def check(self) -> list[Finding]:
        """Whether the push services may be and can be connected to. Sends nothing to anyone."""
        places = [(place, self._origin(place)) for place in self._own.extra_hosts]
        known = [(f"{host} ({browsers})", f"https://{host}") for browsers, host in _KNOWN]
        findings = [Finding(Level.FINE, f"Our public key is {self._terms.vapid.public}")]
        for words, origin in places or known:
            try:
                await self._reached().at(origin).reach()
            except AddressNotAllowed as refused:
                findings.append(Finding(Level.FAULT, str(refused), "Let this machine connect to it, if it is yours."))
            except OSError as error:
                remedy = "Check the firewall, and whether the service runs."
                findings.append(
                    Finding(Level.FAULT, f"{words} cannot be reached ({type(error).__name__})"[:200], remedy)
                )
            else:
                findings.append(Finding(Level.FINE, f"{words} can be reached"))
        return findings

    @staticmethod
    def _origin(place: str) -> str:
        host, _, port = place.rpartition(":")
        scheme = "http" if host in LOOPBACK else "https"
        return f"{scheme}://{host}" if port == "443" else f"{scheme}://{place}"

    async def __aexit__(self, *_: object) -> None:
        if self._services is not None:
            await self._services.close()
            self._services = None


def _cleaned(text: Text) -> Text:
    """``text`` without characters that a notification cannot show, and with no slot that staff typed."""
    return replace(
        text,
        language=header_text(text.language),
        title=_inert(header_text(text.title)),
        summary=_inert(body_text(text.summary)).strip(),
        change=_inert(body_text(text.change)).strip(),
        contact=_inert(header_text(text.contact)),
    )


def _inert(text: str) -> str:
    for name in (PREFERENCES, ACTION):
        text = text.replace(f"{{{{{name}}}}}", f"{{{{ {name} }}}}")
    return text
