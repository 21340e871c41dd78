"""The e-mail channel in the contract suite: a scripted SMTP server at the level of bytes."""

from __future__ import annotations

import email
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import policy
from pathlib import Path
from typing import cast

from lxml import html

from channels.contract import Copy, Outcome, Reason
from channels.kit.egress import Egress
from tests.contract.case import DirectCase, Expected, Taken
from tests.support.smtp_far import CLOSE, RESET, SECURE_EXTENSIONS, SILENCE, TRICKLE, SmtpFarSide, at, far_side
from tests.support.tls import authority

D, R, G, U = Outcome.DEFERRED, Outcome.REJECTED, Outcome.GONE, Outcome.UNKNOWN


def down(outcome: Outcome, reason: Reason, *, needs_person: bool = False) -> Expected:
    return Expected(outcome, reason, down=True, needs_person=needs_person)


GARBAGE = "HTTP/1.1 400 Bad Request"

# moment, what the server does there, what must come of it
MOMENTS: tuple[tuple[str, str, Expected], ...] = (
    ("connect", CLOSE, down(D, Reason.CONNECTION_LOST)),
    ("connect", RESET, down(D, Reason.CONNECTION_LOST)),
    ("connect", SILENCE, down(D, Reason.NO_ANSWER)),
    ("connect", TRICKLE, down(D, Reason.NO_ANSWER)),
    ("connect", GARBAGE, down(D, Reason.CONNECTION_LOST)),
    ("connect", "421 4.3.2 come back later", down(D, Reason.BUSY)),
    ("connect", "554 5.7.1 no service for you", down(D, Reason.POLICY, needs_person=True)),
    ("EHLO", CLOSE, down(D, Reason.CONNECTION_LOST)),
    ("EHLO", SILENCE, down(D, Reason.NO_ANSWER)),
    ("EHLO", TRICKLE, down(D, Reason.NO_ANSWER)),
    ("EHLO", "421 4.7.0 slow down", down(D, Reason.THROTTLED)),
    ("EHLO", "550 5.7.1 who are you", down(D, Reason.POLICY, needs_person=True)),
    ("MAIL", CLOSE, down(D, Reason.CONNECTION_LOST)),
    ("MAIL", RESET, down(D, Reason.CONNECTION_LOST)),
    ("MAIL", SILENCE, down(D, Reason.NO_ANSWER)),
    ("MAIL", GARBAGE, down(D, Reason.NOT_UNDERSTOOD)),
    ("MAIL", "354 not now", down(D, Reason.NOT_UNDERSTOOD)),
    ("MAIL", "421 4.3.2 closing", down(D, Reason.BUSY)),
    ("MAIL", "451 4.3.0 try later", Expected(D, Reason.BUSY)),
    ("MAIL", "452 4.3.1 disk full", Expected(D, Reason.STORAGE)),
    ("MAIL", "530 5.7.0 log in first", down(D, Reason.POLICY, needs_person=True)),
    ("MAIL", "550 5.7.1 sender refused", down(D, Reason.POLICY, needs_person=True)),
    ("MAIL", "553 5.1.8 sender domain unknown", down(D, Reason.POLICY, needs_person=True)),
    ("MAIL", "552 5.3.4 too large", Expected(R, Reason.TOO_LARGE)),
    ("RCPT", CLOSE, down(D, Reason.CONNECTION_LOST)),
    ("RCPT", SILENCE, down(D, Reason.NO_ANSWER)),
    ("RCPT", GARBAGE, down(D, Reason.NOT_UNDERSTOOD)),
    ("RCPT", "421 4.3.2 closing", down(D, Reason.BUSY)),
    ("RCPT", "450 4.2.1 too much for this mailbox", Expected(D, Reason.THROTTLED)),
    ("RCPT", "451 4.7.1 greylisted", Expected(D, Reason.GREYLISTED)),
    ("RCPT", "452 4.2.2 mailbox full", Expected(D, Reason.MAILBOX_FULL)),
    ("RCPT", "450 5.1.1 codes disagree", Expected(D, Reason.BUSY)),
    ("RCPT", "550 5.1.1 no such user", Expected(G, Reason.NO_SUCH_ADDRESS)),
    ("RCPT", "550-5.1.2 no such\r\n550 5.1.2 domain", Expected(G, Reason.NO_SUCH_ADDRESS)),
    ("RCPT", "550 5.2.1 disabled", Expected(R, Reason.ADDRESS_DISABLED)),
    ("RCPT", "552 5.2.2 full and not used", Expected(R, Reason.MAILBOX_FULL)),
    ("RCPT", "550 4.2.2 codes disagree", Expected(R, Reason.NO_SUCH_ADDRESS)),
    ("RCPT", "550 no reason given", Expected(R, Reason.NO_SUCH_ADDRESS)),
    ("RCPT", "550 5.7.1 policy", down(D, Reason.POLICY, needs_person=True)),
    ("RCPT", "550 5.4.5 limit of the day", down(D, Reason.THROTTLED)),
    ("DATA", CLOSE, down(D, Reason.CONNECTION_LOST)),
    ("DATA", SILENCE, down(D, Reason.NO_ANSWER)),
    ("DATA", TRICKLE, down(D, Reason.NO_ANSWER)),
    ("DATA", GARBAGE, down(D, Reason.NOT_UNDERSTOOD)),
    ("DATA", "250 taken already", down(D, Reason.NOT_UNDERSTOOD)),
    ("DATA", "421 4.3.2 closing", down(D, Reason.BUSY)),
    ("DATA", "451 4.3.0 not now", Expected(D, Reason.BUSY)),
    ("DATA", "554 5.6.0 no", Expected(R, Reason.CONTENT_REFUSED)),
    # The dot is in the same write as the text: a server that goes while it reads may have read it.
    ("text", CLOSE, down(U, Reason.CONNECTION_LOST)),
    ("dot", CLOSE, down(U, Reason.CONNECTION_LOST)),
    ("dot", RESET, down(U, Reason.CONNECTION_LOST)),
    ("dot", SILENCE, down(U, Reason.NO_ANSWER)),
    ("dot", TRICKLE, down(U, Reason.NO_ANSWER)),
    ("dot", GARBAGE, down(U, Reason.NOT_UNDERSTOOD)),
    ("dot", "354 more", down(U, Reason.NOT_UNDERSTOOD)),
    ("dot", "421 4.7.28 too fast", down(D, Reason.THROTTLED)),
    ("dot", "451 4.3.0 not now", Expected(D, Reason.BUSY)),
    ("dot", "452 no room", Expected(D, Reason.STORAGE)),
    ("dot", "550 5.1.1 no such user after all", Expected(G, Reason.NO_SUCH_ADDRESS)),
    ("dot", "550 5.7.1 content is blocked", down(D, Reason.POLICY, needs_person=True)),
    ("dot", "552 5.3.4 too large", Expected(R, Reason.TOO_LARGE)),
    ("dot", "554 5.6.0 malformed", Expected(R, Reason.CONTENT_REFUSED)),
    ("dot", "554 no", Expected(R, Reason.CONTENT_REFUSED)),
    ("dot", "250 2.0.0 taken", Expected(Outcome.ACCEPTED, Reason.OK)),
)
REFUSED = "no server there"
FAULTS = {f"{moment}: {answer}": (moment, answer) for moment, answer, _ in MOMENTS}

PASSWORD = "kanarie-wachtwoord"
SETTINGS: Mapping[str, object] = {
    "host": "smtp.losser.example",
    "security": "starttls",
    "username": "omroeper",
    "password": PASSWORD,
    "sender": "berichten@losser.example",
}


@dataclass
class _FarSide:
    recorder: SmtpFarSide
    settings: Mapping[str, object]
    egress: Egress

    @property
    def taken(self) -> list[Taken]:
        return [_taken(message.recipient, message.content) for message in self.recorder.taken]

    @property
    def connections(self) -> int:
        return self.recorder.connections


def _taken(recipient: str, content: bytes) -> Taken:
    message = email.message_from_bytes(content, policy=policy.default)
    parts = [part.get_content() for part in message.iter_parts()]
    identity = str(message["Message-ID"])
    return Taken(recipient, identity, (parts[0].replace("\r\n", "\n"), page_text(parts[1])), identity)


def page_text(page: str) -> str:
    """What a reader sees of a page, and where its links lead."""
    tree = html.document_fromstring(page)
    for element in tree.iter():
        if element.tag == "a":
            element.tail = f" [{element.get('href', '').strip()}] " + (element.tail or "")
        elif element.tag in ("p", "li", "h1", "h2", "h3", "br", "div"):
            element.tail = "\n" + (element.tail or "")
    return " ".join(str(tree.xpath("string(body)")).split())


def readable(copy: Copy) -> tuple[str, ...]:
    return copy.text, page_text(copy.parts["html"])


@asynccontextmanager
async def _far_side(folder: Path, fault: str) -> AsyncIterator[_FarSide]:
    """The server wants TLS and a log-in, so that the secrets of the settings really travel."""
    moment, answer = FAULTS.get(fault, ("", ""))
    ca_file, tls = authority(folder)
    async with far_side(at(moment, answer), extensions=SECURE_EXTENSIONS, tls=tls) as recorder:
        port = _closed_port() if fault == REFUSED else recorder.port
        quiet = answer in (SILENCE, TRICKLE)
        early = moment in ("connect", "EHLO")
        settings = {
            **SETTINGS,
            **{"host": "localhost", "port": port, "ca_file": ca_file, "connections": 2},
            **{"opening_seconds": 0.5 if quiet and early else 10, "reply_seconds": 0.5 if quiet else 10},
        }
        yield _FarSide(recorder, settings, Egress({("localhost", port)}))


def _closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return cast(int, probe.getsockname()[1])


CASE = DirectCase(
    name="email",
    settings=SETTINGS,
    secrets=(PASSWORD,),
    wrong=(
        ({}, frozenset({"host", "sender"})),
        (
            {
                **{"host": "a b", "port": 0, "security": "none", "username": "omroeper", "password": PASSWORD},
                **{"sender": "x@\r\nBcc: y", "list_id": "a\nb", "connections": 0, "unheard_of": 1, "dkim_domain": "x"},
                **{"dkim_key": "none", "reply_to": "nobody", "reply_seconds": -1},
            },
            frozenset(
                {"host", "port", "password", "sender", "list_id", "connections", "unheard_of", "dkim_key", "reply_to"}
                | {"reply_seconds"}
            ),
        ),
    ),
    moments={f"{moment}: {answer}": expected for moment, answer, expected in MOMENTS}
    | {REFUSED: down(D, Reason.CONNECTION_LOST)},
    far_side=_far_side,
    readable=readable,
    addresses=lambda n: [f"resident-{i:04d}@practice.invalid" for i in range(1, n + 1)],
    slots={
        "leave_url": "https://losser.example/stop/Zm9vYmFy?a=1&b=2",
        "preferences_url": "https://losser.example/keuze/Zm9vYmFy",
    },
)
