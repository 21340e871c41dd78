"""A08: no text, address, name, key or link can add a header to a mail, or a line to the conversation."""

from __future__ import annotations

import asyncio
import email
import re
from dataclasses import replace
from email import policy

import pytest

from channels.contract import Act, Bulletin, Outcome, Reason, Recipient, Sender, SettingsInvalid
from channels.email import Email
from tests.support.bulletins import NL, bulletin
from tests.support.mailing import SLOTS, Mailing, announcement, channel_to, mail
from tests.support.smtp_far import SmtpFarSide, far_side

PAYLOADS = [
    "\r\nBcc: victim@practice.invalid",
    "\nBcc: victim@practice.invalid",
    "\rBcc: victim@practice.invalid",
    "\r\n\r\n<script>alert(1)</script>",
    "\x00Bcc: victim@practice.invalid",
    "\x0b\x0c\x1c\x1d\x1e\x1fBcc: victim@practice.invalid",
    "\x85Bcc: victim@practice.invalid",
    "\u2028Bcc: victim@practice.invalid",
    "\u2029Bcc: victim@practice.invalid",
    "%0d%0aBcc: victim@practice.invalid",
    "=?utf-8?q?=0D=0ABcc:_victim=40practice.invalid?=",
    "=?utf-8?b?DQpCY2M6IHZpY3RpbUBwcmFjdGljZS5pbnZhbGlk?=",
    "\ud800\udfff",
    "\r\n.\r\nMAIL FROM:<x@practice.invalid>",
    "x" * 2000,
    "é" * 2000,
    "\r\n " * 200,
    "> <victim@practice.invalid>, ",
    '", "',
    "\\",
]
GOLDEN = [
    *("Date", "Message-ID", "To", "In-Reply-To", "References", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("From", "Subject", "Auto-Submitted", "List-Id", "X-Omroeper-Practice", "Content-Language"),
    *("Content-Type", "MIME-Version"),
]


def sent(source: Bulletin, to: Recipient, **settings: object) -> tuple[Mailing, SmtpFarSide]:
    async def run() -> tuple[Mailing, SmtpFarSide]:
        async with far_side() as far, channel_to(far, connections=1, **settings) as channel:
            return await mail(channel, [to], announcement(channel, Act.UPDATE, source)), far

    return asyncio.run(run())


def reader(**values: object) -> Recipient:
    fields: dict[str, object] = {
        **{"address": "resident-0001@practice.invalid", "key": "k1", "thread": "t1", "slots": SLOTS},
        **{"previous": "<first@losser.example>", **values},
    }
    return Recipient(**fields)  # type: ignore[arg-type]


def assert_golden(far: SmtpFarSide, headers: list[str] | None = None) -> bytes:
    """One message to one reader, with exactly the headers of a mail without any attack."""
    (message,) = far.messages
    assert message.recipient == "resident-0001@practice.invalid"
    head, _, body = message.raw.partition(b"\r\n\r\n")
    lines = re.sub(rb"\r\n[ \t]", b" ", head).split(b"\r\n")
    assert [line.partition(b":")[0].decode() for line in lines] == (headers or GOLDEN)
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", head)
    assert max(map(len, head.split(b"\r\n"))) <= 998
    parsed = email.message_from_bytes(message.raw, policy=policy.default)
    assert parsed["Bcc"] is None
    assert len(parsed["To"].addresses) == len(parsed["From"].addresses) == 1
    verbs = [line.split(":")[0].split()[0] for line in far.sessions[0].said]
    assert verbs == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    return body


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("field", ["title", "summary", "contact", "change"])
def test_a_text_adds_no_header(field: str, payload: str) -> None:
    said = f"Voor {payload} na"
    texts = {
        "title": replace(NL, title=said),
        "summary": replace(NL, summary=said),
        "contact": replace(NL, contact=said),
        "change": replace(NL, change=said),
    }
    mailing, far = sent(bulletin(texts[field]), reader())
    assert mailing.outcomes() == ["accepted"]
    assert_golden(far)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_name_adds_no_header(payload: str) -> None:
    sender = Sender(name={"nl": f"Gemeente {payload}"}, base_url="https://losser.example", practice=True)
    for settings in ({}, {"sender_names": {"nl": f"Losser {payload}"}}):
        mailing, far = sent(bulletin(sender=sender), reader(), **settings)
        assert mailing.outcomes() == ["accepted"]
        assert_golden(far)


# An encoded word may stand in a local part, where it means nothing (RFC 2047 section 5).
@pytest.mark.parametrize("payload", [p for p in PAYLOADS if not p.startswith("=?")])
def test_an_address_with_more_in_it_than_an_address_is_not_even_said(payload: str) -> None:
    for address in (f"resident{payload}@practice.invalid", f"resident@practice{payload}.invalid"):
        mailing, far = sent(bulletin(), reader(address=address))
        (receipt,) = mailing.receipts.values()
        assert (receipt.outcome, receipt.reason) == (Outcome.REJECTED, Reason.ADDRESS_NOT_SUPPORTED)
        assert far.messages == []
        assert not [line for s in far.sessions for line in s.said if line.startswith(("MAIL", "RCPT"))]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_link_that_is_more_than_a_link_is_refused(payload: str) -> None:
    mailing, far = sent(bulletin(), reader(slots={**SLOTS, "leave_url": f"https://losser.example/{payload}"}))
    if mailing.outcomes() == ["accepted"]:
        assert payload.isascii()
        assert payload.isprintable()
        assert_golden(far)
    else:
        assert mailing.outcomes() == ["rejected"]
        assert far.messages == []


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_key_an_earlier_id_and_a_language_add_no_header(payload: str) -> None:
    mailing, far = sent(bulletin(), reader(key=f"k{payload}"), bounce_address="terug+{key}@losser.example")
    assert mailing.outcomes() == ["accepted"]
    assert_golden(far)

    mailing, far = sent(bulletin(), reader(previous=f"<first{payload}@losser.example>"))
    assert mailing.outcomes() == ["accepted"]
    threaded = b"In-Reply-To" in far.messages[0].raw
    assert_golden(far, GOLDEN if threaded else [name for name in GOLDEN if name not in ("In-Reply-To", "References")])

    mailing, far = sent(bulletin(replace(NL, language=f"nl{payload}")), reader())
    assert mailing.outcomes() == ["accepted"]
    assert_golden(far, [name for name in GOLDEN if name != "Content-Language"])


@pytest.mark.parametrize("payload", [p for p in PAYLOADS if not (p.isascii() and p.isprintable())])
def test_settings_with_line_ends_or_control_characters_are_refused(payload: str) -> None:
    wrong = ("sender", "reply_to", "list_id", "feedback_id", "hello", "bounce_address", "host", "username")
    values = dict.fromkeys(wrong, f"berichten@losser.example{payload}")
    with pytest.raises(SettingsInvalid) as caught:
        Email.read_settings({"host": "smtp.losser.example", "sender": "berichten@losser.example", **values})
    assert set(wrong) <= set(caught.value.problems)
