"""E-mail: one message per subscriber, text and HTML from one copy, over SMTP with pipelining.

The message is built once per copy and made out to each recipient by joining bytes; connections live as long as the
channel is open. Mail cannot be edited or taken back: a correction or a withdrawal is a new message that answers the
one it is about.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import replace
from typing import cast

import css_inline
from markupsafe import Markup

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
    Receipt,
    Recipient,
    Surroundings,
    Text,
    Unit,
)
from channels.kit.dkim import Signer
from channels.kit.email_settings import EmailSettings
from channels.kit.languages import direction
from channels.kit.letter import Letter, Stationery
from channels.kit.mime import body_text, header_text
from channels.kit.smtp_open import Endpoint, NotOpened
from channels.kit.smtp_outcomes import Moment
from channels.kit.smtp_pool import Pool
from channels.kit.smtp_run import Run
from channels.kit.templates import render

SLOTS: tuple[str, ...] = ("preferences_url", "leave_url")
NOTICE_SLOT = "action_url"
_ACTION = "{{action_url}}"  # as the text of a notice writes it, on a line of its own
_ACTION_IN_HTML = re.compile(r"(?:<p>\s*)?\{\{action_url\}\}(?:\s*</p>)?")
_NAMES = "|".join((*SLOTS, NOTICE_SLOT))
_TYPED = re.compile(r"\{\{(" + _NAMES + r")\}\}")
_MARKED = re.compile("\ue000(" + _NAMES + ")\ue001")
_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
_LETTERS = 32  # compiled letters kept: a dispatch has one per language and act


class Email(Direct):
    """See the module. The remote id of a receipt is the Message-ID, which is the same in every repeat of a delivery."""

    name = "email"
    # 102 kB is where large mail programs cut a message off; 998 octets a line is RFC 5322 section 2.1.1.
    limits = Limits(length=100_000, unit=Unit.BYTES, lines=998)
    can = Abilities()
    Settings = EmailSettings

    def __init__(self, settings: ChannelSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        own = self._own = cast(EmailSettings, settings)
        endpoint = Endpoint(
            host=own.host,
            port=own.port,
            security=own.security,
            username=own.username,
            password=own.password.get_secret_value(),
            hello=own.hello,
            ca_file=own.ca_file,
            opening=own.opening_seconds,
            reply=own.reply_seconds,
            attempt=own.attempt_seconds,
        )
        self._pool = Pool(
            endpoint,
            surroundings.egress,
            limit=own.connections,
            messages=own.messages_per_connection,
            idle_seconds=own.idle_seconds,
        )
        key = own.dkim_key.get_secret_value()
        self._stationery = Stationery(
            sender=own.sender,
            sender_names=own.sender_names,
            reply_to=own.reply_to,
            list_id=own.list_id or "berichten." + own.sender.rpartition("@")[2],
            bounce=own.bounce_address,
            feedback_id=own.feedback_id,
            signer=Signer(own.dkim_domain, own.dkim_selector, key) if key else None,
        )
        self._letters: dict[str, Letter] = {}

    def compose(self, bulletin: Bulletin, language: str, act: Act, limits: Limits) -> Copy:
        """See ``Common.compose``. Where the HTML would pass the limit, the body is left to the link.

        The button of a notice stands where its body has the line ``{{action_url}}``; its label is that of the link to
        the same. A body without that line has the button before it, and ``contact`` is its label.
        """
        text = bulletin.text_for(language)
        copy = self._composed(bulletin, text, act, with_body=act is not Act.WITHDRAW)
        if limits.length is not None and len(copy.parts["html"].encode()) > limits.length:
            copy = self._composed(bulletin, text, act, with_body=False)
        return copy

    def _composed(self, bulletin: Bulletin, text: Text, act: Act, *, with_body: bool) -> Copy:
        text = _cleaned(text)
        sender = header_text(bulletin.sender.name_in(text.language))
        html, plain = (text.body_html, text.body_text) if with_body else ("", "")
        notice = act is Act.NOTICE
        values: dict[str, object] = {
            "act": act.value,
            "language": text.language,
            "direction": direction(text.language),
            "text": text,
            "sender": sender,
            "practice": bulletin.sender.practice,
            "links": [link for link in text.links if link.url != _ACTION],
            "slot": _slot,
            "action": text.contact if notice and _ACTION not in plain else "",
        }
        subject = _with_slots(header_text(render("email/subject.txt", **values).strip()))
        values["subject"] = subject
        slots = SLOTS
        if notice:
            slots = (NOTICE_SLOT,) if values["action"] or _ACTION in plain else ()
            label = next((link.label for link in text.links if link.url == _ACTION), "")
            button = render("email/action.html", **values, label=label)
            html = _ACTION_IN_HTML.sub(lambda _: button, html)
            plain = plain.replace(_ACTION, _slot(NOTICE_SLOT))
        page = render("email/body.html", **values, body_html=Markup(html))  # noqa: S704 - sanitised, see Text
        return Copy(
            language=text.language,
            act=act,
            text=_with_slots(render("email/body.txt", **values, body_text=plain)),
            parts={
                "subject": subject,
                "html": _with_slots(_INLINER.inline(page)),
                "sender": sender,
                "practice": "example" if bulletin.sender.practice else "",
            },
            links=() if act is Act.NOTICE else (text.url, *(link.url for link in text.links)),
            slots=slots,
            shortened=bool(text.body_text.strip()) and not with_body,
        )

    def deliver(
        self,
        act: Act,  # noqa: ARG002 - the copy carries it
        copy: Copy,
        recipients: AsyncIterable[Recipient],
    ) -> AsyncIterator[Receipt]:
        """See ``Direct.deliver``."""
        return Run(self._pool, recipients, self._letter(copy).made_out).receipts()

    def _letter(self, copy: Copy) -> Letter:
        digest = copy.digest
        if digest not in self._letters:
            if len(self._letters) >= _LETTERS:
                del self._letters[next(iter(self._letters))]
            self._letters[digest] = Letter(copy, self._stationery)
        return self._letters[digest]

    async def check(self) -> list[Finding]:
        """Connects, says hello, logs in, says NOOP and leaves. Sends nothing to anyone."""
        try:
            connection = await self._pool.open()
        except NotOpened as problem:
            return [Finding(Level.FAULT, str(problem), _REMEDIES.get(problem.moment, ""))]
        try:
            reply = await connection.say(Moment.NOOP, "NOOP")
            words = f"{self._own.host}:{self._own.port} answers {reply.code} {reply.text}".strip()
            findings = [Finding(Level.FINE if reply.code == "250" else Level.WARNING, words[:200])]
        except ConnectionError as error:
            return [Finding(Level.FAULT, f"{self._own.host} closed the connection: {error}"[:200])]
        finally:
            await connection.quit()
        offered = connection.extensions
        if "PIPELINING" in offered:
            findings.append(Finding(Level.FINE, "It offers PIPELINING: about one round trip per message"))
        else:
            remedy = "Switch PIPELINING on at the mail server, or use another relay."
            findings.append(
                Finding(Level.WARNING, "It does not offer PIPELINING: sending is about four times slower", remedy)
            )
        if "SMTPUTF8" not in offered:
            findings.append(Finding(Level.WARNING, "It does not offer SMTPUTF8: addresses outside ASCII are rejected"))
        size = offered.get("SIZE", "")
        findings.append(Finding(Level.FINE, f"It takes messages up to {size or 'an unnamed number of'} octets"))
        if self._own.security == "none":
            findings.append(
                Finding(
                    Level.WARNING,
                    "Mail travels to it in clear text",
                    "Set security to starttls, unless it is on this machine.",
                )
            )
        return findings

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()


_REMEDIES = {
    Moment.CONNECT: "Check host, port and security, and whether the mail server runs and lets this machine in.",
    Moment.HELLO: "Check whether the mail server lets this machine in; some want a name in the setting hello.",
    Moment.STARTTLS: "Check the server's certificate and name; for an authority of your own, set ca_file.",
    Moment.AUTH: "Check username and password.",
}


def _slot(name: str) -> Markup:
    """A slot as templates write it: between characters that no text of staff can hold, so that only ours are filled."""
    return Markup(f"\ue000{name}\ue001")  # noqa: S704 - a fixed name


def _with_slots(rendered: str) -> str:
    """``rendered`` with our slots as ``{{name}}``. One that staff typed gets spaces: it is shown, not filled."""
    return _MARKED.sub(r"{{\1}}", _TYPED.sub(r"{{ \1 }}", rendered))


def _cleaned(text: Text) -> Text:
    """``text`` without characters that mail cannot carry."""
    return replace(
        text,
        language=header_text(text.language),
        url=header_text(text.url),
        image=text.image and replace(text.image, url=header_text(text.image.url), alt=header_text(text.image.alt)),
        title=header_text(text.title),
        summary=body_text(text.summary),
        body_html=body_text(text.body_html),
        body_text=body_text(text.body_text).strip("\n"),
        links=tuple(replace(link, label=header_text(link.label), url=header_text(link.url)) for link in text.links),
        contact=body_text(text.contact),
        change=body_text(text.change),
    )
