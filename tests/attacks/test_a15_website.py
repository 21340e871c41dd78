"""A15 for the website: what looks like a template stands there as it was written."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from lxml import html

from channels.contract import Act, Image, Link
from dispatcher.announcements.text import body_html
from tests.support.bulletins import NL, SENDER
from tests.support.payloads import TEMPLATES
from tests.support.site import announcement, copy, website

ATOM = "{http://www.w3.org/2005/Atom}"


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("payload", TEMPLATES)
def test_a_template_in_any_field_is_read_literally(payload: str, tmp_path: Path) -> None:
    text = replace(
        NL,
        title=payload,
        summary=f"{payload} summary",
        body_html=body_html(f"{payload} body", "nl"),
        contact=f"{payload} contact",
        change=f"{payload} change",
        links=(Link(f"{payload} link", "https://losser.example/a"),),
        image=Image("https://losser.example/i.png", f"{payload} alt"),
        facts=(),
        body_facts=(),
    )
    sender = replace(SENDER, name={"nl": payload}, practice=False)
    site = website(tmp_path, titles={"nl": f"{payload} site"})
    for act in (Act.ANNOUNCE, Act.UPDATE, Act.WITHDRAW):
        bulletin = announcement("x", texts={"nl": text}, topics={"nl": (payload,)}, sender=sender)
        made = copy(site, bulletin, "nl", act)
        page = html.document_fromstring(made.parts["page"])
        read = words(str(page.xpath("string(//body)")))
        shown = {"summary", "body"} | ({"change"} if act is not Act.ANNOUNCE else set())
        shown |= {"contact", "link"} if act is not Act.WITHDRAW else set()
        for field in shown - {"body"}:
            assert words(f"{payload} {field}") in read
        assert words(html.fragment_fromstring(text.body_html).text_content()) in read, "as Markdown reads it"
        assert words(f"{payload} site") in words(str(page.xpath("string(//title)")))
    made = copy(site, announcement("x", texts={"nl": text}, topics={"nl": (payload,)}, sender=sender))
    page = html.document_fromstring(made.parts["page"])
    assert page.xpath("string(//img/@alt)") == f"{payload} alt"
    linked = json.loads(str(page.xpath("string(//script)")))
    assert (linked["name"], linked["publisher"]["name"]) == (payload, payload)
    asyncio.run(site.publish(made, "k"))
    feed = ElementTree.fromstring((tmp_path / "nl/feed.atom").read_bytes())  # noqa: S314 - our own file
    assert feed.findtext(f"{ATOM}entry/{ATOM}title") == payload
    assert feed.findtext(f"{ATOM}title") == f"{payload} site"
    banner = json.loads((tmp_path / "banner.json").read_text())["languages"]["nl"]
    assert banner["announcements"][0]["title"] == payload
    assert payload in words(str(html.parse(str(tmp_path / "nl/index.html")).getroot().xpath("string(//main)")))
