"""A09: whatever stands in a text, the bytes on the wire are one message per delivery and nothing else."""

from __future__ import annotations

import asyncio
import email
import re
from dataclasses import replace
from email import policy
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.contract import Surroundings, Text
from channels.email import Email
from channels.kit.egress import Egress
from tests.support.bulletins import NL, bulletin
from tests.support.mailing import announcement, channel_to, mail, people
from tests.support.smtp_far import SmtpFarSide, far_side

SMUGGLED = "MAIL FROM:<>\r\nRCPT TO:<victim@practice.invalid>\r\nDATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n"
ENDINGS = [
    "\n.\n",
    "\r.\r\n",
    "\r\n.\r",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\r",
    "\r\n.\r\n",
    "\n\n.\r\n",
    "\r\n\x00.\r\n",
    ".",
    "\n.",
]
BODIES = [
    *(ending + SMUGGLED for ending in ENDINGS),
    "a\rb\r\rc",
    "a\nb\n\nc",
    "a\x00b",
    "x" * 10_000,
    "é" * 10_000,
    "=" * 3_000,
    ".\n.\n..\n...\n.x\n",
    "x" * 75 + ".\n" + "x" * 76 + ".\n" + "x" * 77 + ".",
    "From someone\nFrom: someone",
    "MAIL FROM:<>\nQUIT\n",
    "==leave_url.text==\n--=_0123\n",
]


def with_body(body: str) -> Text:
    escaped = body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return replace(NL, summary=f"Kort {body}", body_text=body, body_html=f"<p>{escaped}</p><pre>{escaped}</pre>")


def deliver(text: Text, count: int = 3) -> SmtpFarSide:
    async def run() -> SmtpFarSide:
        async with far_side() as far, channel_to(far, connections=1) as channel:
            mailing = await mail(channel, people(count), announcement(channel, source=bulletin(text)))
            assert mailing.outcomes() == ["accepted"] * count
            return far

    return asyncio.run(run())


def assert_clean(far: SmtpFarSide, count: int = 3) -> None:
    assert len(far.messages) == count
    assert [m.recipient for m in far.messages] == [person.address for person in people(count)]
    assert {m.sender for m in far.messages} == {"berichten@losser.example"}
    (session,) = far.sessions
    raw = bytes(session.raw)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw), "no bare CR or LF in the whole conversation"
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", raw), "nothing but printable ASCII"
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.count(b"\r\n.\r\n") == count, "one end of a message per message"
    for message in far.messages:
        assert not [line for line in message.raw.split(b"\r\n") if re.match(rb"\.(?!\.)", line)]
    said = [line.split(":")[0].split()[0] for line in session.said]
    assert said == ["EHLO", *["MAIL", "RCPT", "DATA"] * count, "QUIT"]


def read(content: bytes) -> str:
    parts = list(email.message_from_bytes(content, policy=policy.default).iter_parts())
    return str(parts[0].get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("body", BODIES)
def test_a_body_ends_no_message_and_begins_none(body: str) -> None:
    far = deliver(with_body(body))
    assert_clean(far)
    shown = body.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", " ").strip("\n")
    for message in far.messages:
        assert shown in read(message.content), "it is text, and arrives as such"


@given(body=st.text(alphabet=st.sampled_from(list("\r\n.=x \t\0é-")), max_size=400))
@settings(max_examples=60, deadline=None)
def test_no_mixture_of_line_ends_and_dots_does(body: str) -> None:
    assert_clean(deliver(with_body(body), 2), 2)


def test_another_server_sees_the_same_messages() -> None:
    """aiosmtpd as the oracle: another parser of the same bytes, without PIPELINING."""
    received: list[tuple[list[str], bytes]] = []

    class Handler:
        async def handle_DATA(self, *arguments: Any) -> str:  # noqa: N802 - aiosmtpd's name
            envelope = arguments[2]
            received.append((envelope.rcpt_tos, envelope.content))
            return "250 OK"

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Handler(), loop=loop), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        values = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "berichten@losser.example"}
        channel = Email(Email.read_settings(values), Surroundings(Egress({("127.0.0.1", port)})))
        async with server, channel:
            for number, body in enumerate(BODIES):
                copy = announcement(channel, source=bulletin(with_body(body)))
                mailing = await mail(channel, people(2, f"b{number}"), copy)
                assert mailing.outcomes() == ["accepted"] * 2

    asyncio.run(run())
    assert len(received) == 2 * len(BODIES)
    assert all(len(to) == 1 for to, _ in received)
    assert "victim@practice.invalid" not in {address for to, _ in received for address in to}
    for number, body in enumerate(BODIES):
        shown = body.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", " ").strip("\n")
        assert shown in read(received[2 * number][1])
