"""The letter as a mail program reads it, with the standard library's parser and dkimpy as oracles."""

from __future__ import annotations

import base64
import email
import quopri
import re
from dataclasses import replace
from email import policy
from email.message import EmailMessage

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from channels.contract import (
    Act,
    Bulletin,
    Copy,
    Link,
    Outcome,
    Reason,
    Recipient,
    Sender,
    SettingsInvalid,
    Surroundings,
    Text,
)
from channels.email import Email
from channels.kit.egress import Egress
from channels.kit.facts import missing
from channels.kit.letter import envelope_address, key_token
from channels.kit.mime import quoted
from channels.kit.smtp import Mail
from tests.support.bulletins import EN, NL, bulletin, texts
from tests.support.mailing import SLOTS

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
EC_PEM = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    .decode()
)


def made(**values: object) -> Email:
    given_settings = {"host": "smtp.losser.example", "sender": "berichten@losser.example", **values}
    return Email(Email.read_settings(given_settings), Surroundings(Egress()))


def recipient(**values: object) -> Recipient:
    fields: dict[str, object] = {
        "address": "resident-0001@practice.invalid",
        "key": "a1b2",
        "thread": "t",
        "slots": SLOTS,
    }
    return Recipient(**(fields | values))  # type: ignore[arg-type]


def letter(
    source: Bulletin | None = None, act: Act = Act.ANNOUNCE, *, to: Recipient | None = None, **values: object
) -> EmailMessage:
    """The message, after checking what holds for each one on the wire."""
    channel = made(**values)
    copy = channel.compose(source or bulletin(), "nl", act, channel.limits)
    content = wire(channel, copy, to or recipient())
    return email.message_from_bytes(content, policy=policy.default)


def wire(channel: Email, copy: Copy, to: Recipient) -> bytes:
    mail = channel._letter(copy).made_out(to)
    assert isinstance(mail, Mail), mail
    lines = mail.content.split(b"\r\n")
    assert lines[-1] == b""
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail.content), "no bare CR or LF"
    assert mail.content.isascii()
    assert max(map(len, lines)) <= 998
    body = mail.content.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert max(map(len, body)) <= 76
    assert not [line for line in lines if line.startswith(b".")], "SMTP would take it for the end, or drop the dot"
    return mail.content


def alternatives(message: EmailMessage) -> tuple[str, str]:
    plain, page = message.iter_parts()
    assert plain.get_content_type() == "text/plain", "text first"
    assert page.get_content_type() == "text/html"
    return plain.get_content().replace("\r\n", "\n"), page.get_content()


def test_the_headers_of_an_announcement() -> None:
    message = letter(reply_to="vragen@losser.example", feedback_id="mailing:losser")
    found = {name: str(value) for name, value in message.items()}
    found["Content-Type"] = found["Content-Type"].partition(";")[0]
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [-+]0000", found.pop("Date"))
    assert found == {
        "Message-ID": "<a1b2@losser.example>",
        "To": "resident-0001@practice.invalid",
        "From": "Gemeente Losser <berichten@losser.example>",
        "Subject": "Gemeentehuis alleen open op afspraak door corona",
        "Auto-Submitted": "auto-generated",
        "Reply-To": "vragen@losser.example",
        "List-Id": "Gemeente Losser <berichten.losser.example>",
        "List-Unsubscribe": "<https://losser.example/stop/abc>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Feedback-ID": "mailing:losser",
        "X-Omroeper-Practice": "example",
        "Content-Language": "nl",
        "MIME-Version": "1.0",
        "Content-Type": "multipart/alternative",
    }
    assert message.defects == []


def test_a_real_sender_says_nothing_of_an_example() -> None:
    source = bulletin(sender=Sender(name={"nl": "Gemeente Losser"}, base_url="https://losser.example"))
    message = letter(source)
    assert message["X-Omroeper-Practice"] is None
    assert not any("oorbeeld" in part for part in alternatives(message))


def test_a_correction_answers_its_original_and_says_first_what_changed() -> None:
    source = bulletin(replace(NL, change="De balie is toch open op zaterdag."), revision=2)
    message = letter(source, Act.UPDATE, to=recipient(previous="<first@losser.example>"))
    assert message["Subject"] == "Gewijzigd: Gemeentehuis alleen open op afspraak door corona"
    assert message["In-Reply-To"] == message["References"] == "<first@losser.example>"
    plain, page = alternatives(message)
    assert plain.index("Dit bericht is gewijzigd.\nDe balie is toch open op zaterdag.") < plain.index(NL.title)
    assert page.index("De balie is toch open op zaterdag.") < page.index("<h1")


def test_a_withdrawal_says_that_it_no_longer_holds_and_why() -> None:
    source = bulletin(replace(NL, change="De regels zijn vervallen."), revision=2)
    message = letter(source, Act.WITHDRAW, to=recipient(previous="<first@losser.example>"))
    assert message["Subject"] == "Ingetrokken: Gemeentehuis alleen open op afspraak door corona"
    for part in alternatives(message):
        assert part.index("Dit bericht geldt niet meer.") < part.index("De regels zijn vervallen.")
        assert missing(NL.facts, re.sub(r"</?span[^>]*>", "", part)) == ()
        assert "De balie helpt u alleen op afspraak" not in part


@pytest.mark.parametrize("previous", ["", "nonsense", "<a b@c>", "<a@b>\r\nBcc: x@y", "<" + "a" * 300 + "@b>"])
def test_an_id_that_is_none_starts_no_thread(previous: str) -> None:
    message = letter(act=Act.UPDATE, to=recipient(previous=previous))
    assert message["In-Reply-To"] is None
    assert message["Bcc"] is None


def test_links_of_the_reader_stand_in_text_html_and_header() -> None:
    leave = "https://losser.example/stop?x=1&y=" + "a.b=" * 60
    message = letter(to=recipient(slots={**SLOTS, "leave_url": leave}))
    plain, page = alternatives(message)
    assert f"\n{leave}\n" in plain
    hrefs = [a.get("href") for a in html.document_fromstring(page).iter("a")]
    assert hrefs[-2:] == ["https://losser.example/keuze/abc", leave]
    assert message["List-Unsubscribe"] == f"<{leave}>"


def test_english_is_english_and_other_languages_have_their_direction() -> None:
    channel = made()
    arabic = Text(language="ar", title="البلدية", summary="مغلق", body_html="<p>مغلق</p>", body_text="مغلق", url=NL.url)
    copy = channel.compose(bulletin(EN), "en", Act.UPDATE, channel.limits)
    assert "Change your choice" in copy.text
    assert copy.parts["subject"].startswith("Changed: ")
    copy = channel.compose(bulletin(arabic), "ar", Act.ANNOUNCE, channel.limits)
    assert '<html lang="ar" dir="rtl">' in copy.parts["html"]
    message = email.message_from_bytes(wire(channel, copy, recipient()), policy=policy.default)
    assert message["Content-Language"] == "ar"
    assert message["Subject"] == "البلدية"


def test_the_sender_may_have_a_name_of_its_own_in_each_language() -> None:
    message = letter(sender_names={"nl": 'Losser, "uw" gemeente =?utf-8?q?x?='})
    assert message["From"].addresses[0].display_name == 'Losser, "uw" gemeente =?utf-8?q?x?='
    assert message["From"].addresses[0].addr_spec == "berichten@losser.example"


def test_a_notice_is_no_list_mail_and_carries_its_button() -> None:
    notice = Text(
        language="nl",
        title="Bevestig uw aanmelding",
        summary="",
        body_html="<p>Wilt u onze berichten?</p>\n<p>{{action_url}}</p>\n",
        body_text="Wilt u onze berichten?\n\n{{action_url}}\n",
        url="https://losser.example/",
        links=(Link("Ja, ik wil berichten", "{{action_url}}"),),
    )
    url = "https://losser.example/bevestig/abc"
    message = letter(bulletin(notice), Act.NOTICE, to=recipient(slots={"action_url": url}))
    assert [name for name in message if name.startswith("List-")] == []
    assert message["Auto-Submitted"] == "auto-generated"
    plain, page = alternatives(message)
    assert f"\n{url}\n" in plain
    assert "afmeld" not in plain.lower() + page.lower()
    button = html.document_fromstring(page).find(".//a")
    assert button is not None
    assert (button.get("href"), button.text) == (url, "Ja, ik wil berichten")
    assert page.count(url) == 2, "the button, and the link to copy"


@pytest.mark.parametrize("value", ["", "https://x/\r\nBcc: y", "https://x/ y", "https://x/\u2028", "h" * 900])
def test_a_slot_that_is_no_plain_link_is_refused(value: str) -> None:
    channel = made()
    copy = channel.compose(bulletin(), "nl", Act.ANNOUNCE, channel.limits)
    receipt = channel._letter(copy).made_out(recipient(slots={**SLOTS, "leave_url": value}))
    assert not isinstance(receipt, Mail)
    assert (receipt.outcome, receipt.reason) == (Outcome.REJECTED, Reason.FAULT)
    assert "leave_url" in receipt.detail


@given(text=texts(), act=st.sampled_from([Act.ANNOUNCE, Act.UPDATE, Act.WITHDRAW]))
@settings(max_examples=60, deadline=None)
def test_whatever_people_write_arrives_as_they_wrote_it(text: Text, act: Act) -> None:
    channel = made()
    copy = channel.compose(bulletin(text), "nl", act, channel.limits)
    message = email.message_from_bytes(wire(channel, copy, recipient()), policy=policy.default)
    assert message["Subject"] == copy.parts["subject"]
    plain, page = alternatives(message)
    filled = copy.text.replace("{{leave_url}}", SLOTS["leave_url"])
    assert plain == filled.replace("{{preferences_url}}", SLOTS["preferences_url"])
    assert text.title in plain
    assert html.document_fromstring(page).findtext(".//h1") is not None
    assert message.defects == []


def test_the_html_is_small_and_needs_nothing_from_elsewhere() -> None:
    channel = made()
    copy = channel.compose(bulletin(replace(NL, image=None)), "nl", Act.ANNOUNCE, channel.limits)
    page = copy.parts["html"]
    assert len(page) < 12_000
    assert not re.search(r"<(script|link|img|table|iframe|form)\b|url\(|@import", page)
    assert "prefers-color-scheme: dark" in page
    assert '<span class="fact"' in page


def test_our_own_signature_is_valid_and_covers_what_it_must() -> None:
    channel = made(dkim_domain="losser.example", dkim_selector="o2026", dkim_key=PEM)
    public = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    copy = channel.compose(bulletin(replace(NL, body_text="x\n.\n..\n   \nzoë")), "nl", Act.ANNOUNCE, channel.limits)

    def valid(content: bytes) -> bool:
        return bool(dkim.verify(content, dnsfunc=lambda *_, **__: record))

    for number in range(3):
        content = wire(channel, copy, recipient(key=f"k{number}", previous="<first@losser.example>"))
        assert valid(content)
        assert not valid(content.replace(b"Subject: ", b"Subject: x"))
        assert not valid(b"Subject: added\r\n" + content)
        assert not valid(content.replace(b"afspraak", b"afspraax"))
        signed = email.message_from_bytes(content, policy=policy.default)["DKIM-Signature"]
        for name in ("list-unsubscribe", "list-unsubscribe-post", "message-id", "to", "date", "references"):
            assert f":{name}" in re.sub(r"\s", "", signed)


@pytest.mark.parametrize(
    ("address", "wire_form"),
    [
        ("resident-0001@practice.invalid", ("resident-0001@practice.invalid", False)),
        ("a.b+c@x.example", ("a.b+c@x.example", False)),
        ("-oX@x.example", ("-oX@x.example", False)),
        ("zoë@x.example", ("zoë@x.example", True)),
        ("a@straße.example", ("a@xn--strae-oqa.example", False)),
        ("", None),
        ("a", None),
        ("@x.example", None),
        ("a@", None),
        ('"a b"@x.example', None),
        ("a b@x.example", None),
        ("a@x.example\r\nRCPT TO:<b@x.example>", None),
        ("a@x.example>\r\n", None),
        ("<a@x.example>", None),
        ("a@x.example,b@x.example", None),
        ("a@b@x.example", None),
        ("a@[127.0.0.1]", None),
        ("a\x00@x.example", None),
        ("a\u2028b@x.example", None),
        ("a" * 65 + "@x.example", None),
        ("a@" + "x." * 130 + "nl", None),
        ("a@x\u202e.example", None),
    ],
)
def test_what_may_stand_in_an_envelope(address: str, wire_form: tuple[str, bool] | None) -> None:
    assert envelope_address(address) == wire_form


def test_a_key_that_does_not_fit_an_address_is_hashed() -> None:
    key = "0f5a9d2c7b8e4d61a3c0b9e8f7d6c5b4.a3c0b9e8f7d6c5b40f5a9d2c7b8e4d61"
    assert key_token(key, 120) == key
    for odd in (key, "a:b/c", "x" * 41, "a@b", "a\r\nb", ".a", "a..b", "a.", ""):
        assert re.fullmatch(r"[0-9a-f]{40}", key_token(odd, 40))
    assert key_token("a:b", 40) != key_token("a:c", 40)


def test_a_notice_without_a_place_for_its_button_has_it_before_the_body() -> None:
    notice = Text(
        language="nl",
        title="Klopt uw aanmelding?",
        summary="Klik op de knop.",
        body_html="<p>Hebt u dit niet gevraagd?</p>",
        body_text="Hebt u dit niet gevraagd?",
        url="https://losser.example/",
        contact="Ja, stuur mij berichten",
    )
    url = "https://losser.example/bevestig/abc"
    plain, page = alternatives(letter(bulletin(notice), Act.NOTICE, to=recipient(slots={"action_url": url})))
    assert f"Ja, stuur mij berichten:\n{url}\n" in plain
    assert page.index("Klik op de knop.") < page.index(url) < page.index("Hebt u dit niet gevraagd?")
    assert "Hebt u een vraag?" not in plain + page


@given(text=st.text(alphabet=st.sampled_from(list("ab=.é \t\n€")), max_size=400))
@settings(max_examples=300, deadline=None)
def test_quoted_text_has_room_for_the_soft_break_at_a_slot(text: str) -> None:
    lines = quoted(text).split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert len(lines[-1]) <= 75
    assert quopri.decodestring(b"\r\n".join(lines)).decode().replace("\r\n", "\n") == text


@pytest.mark.parametrize(
    ("given_key", "field"),
    [
        ({"dkim_domain": "losser.example"}, "dkim_key"),
        ({"dkim_key": PEM}, "dkim_key"),
        ({"dkim_domain": "losser.example", "dkim_selector": "o", "dkim_key": "no key"}, "dkim_key"),
        ({"dkim_domain": "losser.example", "dkim_selector": "o", "dkim_key": EC_PEM}, "dkim_key"),
        ({"password": "alone"}, "password"),
        ({"username": "alone"}, "password"),
        ({"username": "omroeper", "password": "x", "security": "none"}, "password"),
    ],
)
def test_keys_and_passwords_that_cannot_work_are_refused_and_not_shown(given_key: dict[str, str], field: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        made(**given_key)
    assert set(caught.value.problems) == {field}
    assert "PRIVATE KEY" not in str(caught.value)
