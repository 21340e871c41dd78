"""A15: what staff type is text. It is shown as typed in every copy, and no engine ever reads it."""

from __future__ import annotations

import asyncio
import email
from dataclasses import replace
from email import policy

import pytest
from lxml import html

from channels.contract import Act, Image, Link, Sender, Text
from tests.support.bulletins import NL, bulletin
from tests.support.mailing import SLOTS, announcement, channel_to, mail, people
from tests.support.smtp_far import far_side

PAYLOADS = [
    "{{7*7}}",
    "{{ 7*7 }}",
    "{% import os %}",
    "{% raw %}x{% endraw %}",
    "{# comment #}",
    "{{cycler.__init__.__globals__}}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{% for x in (1,2,3) %}x{% endfor %}",
    "#{7*7}",
    "${7*7}",
    "%(x)s",
    "%s %d",
    "{0.__class__}",
    "{}",
    "\\1 \\g<0>",
    "==leave_url.html==",
    "{{slot('leave_url')}}",
    "{{words}}",
]
SLOT_NAMES = ["leave_url", "preferences_url", "action_url"]


def everywhere(payload: str) -> tuple[Text, Sender]:
    escaped = payload.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = replace(
        NL,
        title=f"titel {payload}",
        summary=f"kort {payload}",
        body_html=f"<p>tekst {escaped}</p>\n{escaped}\n",
        body_text=f"tekst {payload}\n{payload}\n",
        contact=f"contact {payload}",
        change=f"anders {payload}",
        links=(Link(f"link {payload}", "https://losser.example/x"),),
        image=Image("https://losser.example/x.jpg", f"plaatje {payload}"),
    )
    return text, Sender(name={"nl": f"Losser {payload}"}, base_url="https://losser.example", practice=True)


def received(text: Text, sender: Sender, act: Act) -> tuple[str, str, str]:
    """Subject, text, and what is seen of the HTML, as they arrive."""

    async def run() -> bytes:
        async with far_side() as far, channel_to(far) as channel:
            source = bulletin(text, sender=sender)
            mailing = await mail(channel, people(1), announcement(channel, act, source))
            assert mailing.outcomes() == ["accepted"]
            return far.taken[0].content

    message = email.message_from_bytes(asyncio.run(run()), policy=policy.default)
    plain, page = (part.get_content() for part in message.iter_parts())
    tree = html.document_fromstring(page)
    seen = str(tree.xpath("string(body)")) + " ".join(image.get("alt", "") for image in tree.iter("img"))
    return str(message["Subject"]), plain, seen


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("act", [Act.ANNOUNCE, Act.UPDATE, Act.WITHDRAW])
def test_what_staff_type_is_shown_as_typed(payload: str, act: Act) -> None:
    text, sender = everywhere(payload)
    subject, plain, seen = received(text, sender, act)
    assert subject.endswith(f"titel {payload}")
    fields = ["titel", "kort", "contact", "Losser"]
    fields += [] if act is Act.ANNOUNCE else ["anders"]
    fields += [] if act is Act.WITHDRAW else ["tekst", "link", "plaatje"]
    for field in fields:
        assert f"{field} {payload}" in seen
        assert f"{field} {payload}" in plain
    assert "49" not in subject + plain + seen


@pytest.mark.parametrize("name", SLOT_NAMES)
def test_a_slot_that_staff_type_is_shown_and_never_filled(name: str) -> None:
    """The reader's own link to leave must not stand in a sentence that someone else wrote."""
    typed = f"{{{{{name}}}}}"
    text, sender = everywhere(typed)
    text = replace(text, body_html=text.body_html + f"<p>&#123;&#123;{name}&#125;&#125;</p>")
    subject, plain, seen = received(text, sender, Act.UPDATE)
    assert subject == f"Gewijzigd: titel {{{{ {name} }}}}"
    for field in ("titel", "kort", "contact", "anders", "tekst", "link", "plaatje"):
        assert f"{field} {{{{ {name} }}}}" in plain
        assert f"{field} {{{{ {name} }}}}" in seen
    assert plain.count(SLOTS["leave_url"]) == plain.count(SLOTS["preferences_url"]) == 1
    assert SLOTS["leave_url"] not in seen
