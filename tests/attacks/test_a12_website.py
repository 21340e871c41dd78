"""A12 for the website: text that tries to become markup stays text, on every page, in the feed and in the banner."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from lxml import html
from playwright.sync_api import BrowserContext

from channels.contract import Act, Bulletin, Image, Link, Text
from channels.kit.page import clean
from dispatcher.announcements.text import ATTRIBUTES, SCHEMES, TAGS, TextRefused, body_html
from tests.support.bulletins import NL
from tests.support.pages import Watch, browser
from tests.support.payloads import links, texts
from tests.support.site import announcement, copy, website
from tests.support.web import Edge, serving

PAYLOADS = texts()
ACTS = (Act.ANNOUNCE, Act.UPDATE, Act.WITHDRAW)
SAFE = SCHEMES | {""}
# What we put around the body ourselves.
OURS = {"div": {"lang", "dir"}, "span": {"class"}}


def saying(payload: str) -> Bulletin:
    """An announcement that says ``payload`` wherever a writer can put plain text."""
    text = replace(
        NL,
        title=payload,
        summary=payload,
        contact=payload,
        change=payload,
        links=(Link(payload, "https://losser.example/a"), Link(payload, "https://losser.example/b")),
        image=Image("https://losser.example/i.png", payload),
        facts=(),
        body_facts=(),
        body_html="",
        url="https://losser.example/nl/x/",
    )
    return announcement("x", texts={"nl": text}, topics={"nl": (payload,)}, revision=2)


def skeleton(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Every element of a page with the names of its attributes, in order."""
    root = html.document_fromstring(page.encode(), parser=html.HTMLParser(encoding="utf-8"))
    return [
        (str(node.tag), tuple(sorted(str(name) for name in node.attrib)))
        for node in root.iter()
        if isinstance(node.tag, str)
    ]


def test_the_corpus_is_large_enough() -> None:
    assert len(PAYLOADS) >= 200
    assert len(set(PAYLOADS)) == len(PAYLOADS)


@pytest.mark.parametrize("act", ACTS)
def test_no_plain_text_changes_the_page_it_stands_in(act: Act, tmp_path: Path) -> None:
    site = website(tmp_path)
    harmless = skeleton(copy(site, saying("gewone tekst"), "nl", act).parts["page"])
    changed = [
        payload for payload in PAYLOADS if skeleton(copy(site, saying(payload), "nl", act).parts["page"]) != harmless
    ]
    assert changed == []


def test_what_was_written_is_what_is_read(tmp_path: Path) -> None:
    site = website(tmp_path)
    for payload in PAYLOADS:
        made = copy(site, saying(payload))
        wanted = " ".join(clean(payload).split())
        page: Any = html.document_fromstring(made.parts["page"].encode(), parser=html.HTMLParser(encoding="utf-8"))
        assert " ".join(str(page.findtext(".//h1")).split()) == wanted
        assert wanted in " ".join(made.text.split())
        linked = json.loads(page.xpath("string(//script[@type='application/ld+json'])"))
        assert linked["name"] == clean(payload)


def test_a_body_holds_only_what_the_list_allows(tmp_path: Path) -> None:
    site, kept = website(tmp_path), 0
    for payload in PAYLOADS:
        try:
            body = body_html(payload, "nl")
        except TextRefused:
            continue  # a picture in the text: refused before anything is stored
        kept += 1
        bulletin = announcement("x", texts={"nl": replace(NL, body_html=body)})
        page: Any = html.document_fromstring(copy(site, bulletin).parts["page"])
        for node in page.xpath("//div[contains(@class, 'prose')]//*"):
            assert node.tag in TAGS | set(OURS), payload
            assert set(node.attrib) <= ATTRIBUTES.get(node.tag, set()) | OURS.get(node.tag, set()), payload
        assert page.xpath("//script/@type") == ["application/ld+json"]
    assert kept >= 200


def test_no_link_leads_to_a_script(tmp_path: Path) -> None:
    site = website(tmp_path)
    for url in links():
        text = replace(NL, links=(Link("a", url), Link("b", url)), image=Image(url, "c"))
        made = copy(site, announcement("x", texts={"nl": text}))
        page: Any = html.document_fromstring(made.parts["page"])
        for target in page.xpath("//@href | //@src"):
            assert re.match(r"(?:https?|mailto|tel):|[/#]", str(target), re.I), (url, target)
            assert urlsplit(str(target)).scheme in SAFE, (url, target)
        assert all(urlsplit(each).scheme in SAFE for each in made.links)


def _pages(base_url: str) -> Iterator[Bulletin]:
    """Announcements that hold every payload somewhere, each field another."""
    for number, start in enumerate(range(0, len(PAYLOADS), 8)):
        p = [PAYLOADS[(start + offset) % len(PAYLOADS)] for offset in range(8)]
        try:
            body = body_html("\n\n".join([p[7], p[0], p[1]]), "nl")
        except TextRefused:
            body = body_html(f"`{number}`", "nl")
        text = Text(
            language="nl",
            title=p[0],
            summary=p[1],
            contact=p[2],
            change=p[3],
            links=(Link(p[4], "https://losser.example/a"), Link(p[4], links()[number % len(links())])),
            image=Image(f"{base_url}/assets/bell.svg", p[5]),
            body_html=body,
            body_text="",
            url=f"{base_url}/nl/x-{number}/",
        )
        slug = f"x-{number}"
        yield announcement(slug, texts={"nl": text}, topics={"nl": (p[6],)}, revision=2, base_url=base_url)


@pytest.mark.parametrize("guarded", [True, False])
def test_a_browser_runs_nothing_and_asks_nobody(tmp_path: Path, guarded: bool) -> None:
    """Once with the pages' own policy, which must have nothing to refuse, once without it."""
    (tmp_path / "built").mkdir()
    (tmp_path / "built/bell.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "built/omroeper-1.css").write_text("")
    with serving(tmp_path / "site") as edge:
        site = website(tmp_path / "site", base_url=edge.base_url, list_length=500, banner_length=20)
        bulletins = list(_pages(edge.base_url))

        copies = [(copy(site, bulletin, "nl", Act.UPDATE), bulletin.slug) for bulletin in bulletins]
        assert asyncio.run(site.rebuild(copies)) == len(bulletins)
        with browser() as chromium:
            _look(chromium.new_context(bypass_csp=not guarded), edge, bulletins)


def _look(context: BrowserContext, edge: Edge, bulletins: list[Bulletin]) -> None:
    watch = Watch(frozenset({f"localhost:{edge.port}"}))
    page = context.new_page()
    watch.follow(page)
    for path in ("/nl/", *(f"/nl/{bulletin.slug}/" for bulletin in bulletins)):
        page.goto(edge.base_url + path)
        scripts = page.evaluate("[...document.scripts].map(script => script.type)")
        assert set(scripts) <= {"application/ld+json"}, path
        found = page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
            ".filter(a => a.name.startsWith('on') || /^\\s*javascript:/i.test(a.value)).map(a => a.name)"
        )
        assert [name for name in found if name.startswith("on") or name in ("href", "src")] == [], path
    assert len(bulletins) >= 40
    assert watch.met == []
