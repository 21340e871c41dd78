"""A13 for the website: no text breaks out of the feed, the structured data, the banner or the map of the site."""

from __future__ import annotations

import asyncio
import json
import re
import xml.etree.ElementTree as Strict
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree, html

from channels.contract import Act
from channels.kit.page import clean
from channels.kit.site import data
from tests.support.bulletins import NL
from tests.support.payloads import texts
from tests.support.site import announcement, copy, public_files, put, website
from tests.support.web import serving

CONTROLS = "".join(chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, 0xD800, 0xFFFE, 0xFFFF))
BREAKERS = [
    *texts(),
    f"a{CONTROLS}b",
    "]]>",
    "&",
    "&amp;",
    "<!--",
    "-->",
    "\ud800\udc00 \udfff",
    "a\u2028b\u2029c",
    "\\u003c",
]
UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with an announcement for each breaker, a third of them withdrawn."""
    made = tmp_path_factory.mktemp("a13")
    site = website(made, list_length=500, banner_length=20, titles={"nl": "Titel ]]> </title> & <b>"})

    given = []
    for number, payload in enumerate(BREAKERS):
        act = Act.WITHDRAW if number % 3 == 0 else Act.ANNOUNCE
        text = replace(NL, title=payload, summary=payload, change=payload, facts=())
        bulletin = announcement(f"b-{number}", act=act, texts={"nl": text}, topics={"nl": (payload,)})
        given.append((copy(site, bulletin, "nl", act), f"k{number}"))
    asyncio.run(site.rebuild(given))
    return made


def test_the_feed_is_strict_xml_that_says_what_was_written(folder: Path) -> None:
    content = (folder / "nl/feed.atom").read_bytes()
    root = Strict.fromstring(content)  # noqa: S314 - our own file; expat refuses what is not well-formed
    etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    titles = {entry.findtext(f"{ATOM}title") for entry in root.iter(f"{ATOM}entry")}
    wanted = {normal(payload) for number, payload in enumerate(BREAKERS) if number % 3}
    assert {normal(str(title)) for title in titles} == wanted
    assert root.findtext(f"{ATOM}title") == "Titel ]]> </title> & <b>"
    assert len(list(root.iter("{http://purl.org/atompub/tombstones/1.0}deleted-entry"))) == (len(BREAKERS) + 2) // 3


def normal(text: str) -> str:
    """What XML makes of line ends and what we make of control characters."""
    return clean(text).replace("\r\n", "\n").replace("\r", "\n")


def test_the_map_is_strict_xml(folder: Path) -> None:
    root = Strict.fromstring((folder / "sitemap.xml").read_bytes())  # noqa: S314
    assert len(root) == sum(1 for number in range(len(BREAKERS)) if number % 3)


def test_the_banner_is_data_and_nothing_else(folder: Path) -> None:
    content = (folder / "banner.json").read_text("utf-8")
    assert not set("<>&\u2028\u2029") & set(content)
    shown = json.loads(content)["languages"]["nl"]["announcements"]
    assert len(shown) == 20
    assert {item["title"] for item in shown} <= {clean(payload) for payload in BREAKERS}


def test_structured_data_cannot_end_its_element(folder: Path) -> None:
    for number, payload in enumerate(BREAKERS):
        page = (folder / f"nl/b-{number}/index.html").read_text("utf-8")
        parts = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
        if number % 3 == 0:
            assert parts == [], "a withdrawn announcement is no news"
            continue
        assert len(parts) == 1
        assert not set("<>&\u2028\u2029") & set(parts[0])
        assert json.loads(parts[0])["name"] == clean(payload)


def test_data_is_escaped_by_itself() -> None:
    for payload in BREAKERS:
        made = data({"text": clean(payload)})
        assert not set("<>&\u2028\u2029") & set(made)
        assert json.loads(made) == {"text": clean(payload)}


def test_control_characters_are_nowhere(folder: Path) -> None:
    for name, content in public_files(folder).items():
        if name.endswith((".woff2", ".txt", ".css", ".png")):
            continue
        assert UNWANTED.search(content.decode("utf-8")) is None, name
    number = BREAKERS.index(f"a{CONTROLS}b")
    page = html.parse(str(folder / f"nl/b-{number}/index.html")).getroot()
    assert " ".join(str(page.findtext(".//h1")).split()).removeprefix("Ingetrokken: ") == "a b"


def test_each_comes_with_its_type_and_is_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "built").mkdir()
    with serving(tmp_path / "site") as edge:
        asyncio.run(put(edge.site, announcement(base_url=edge.base_url)))
        for path, kind in (
            ("/banner.json", "application/json"),
            ("/nl/feed.atom", "application/atom+xml; charset=utf-8"),
        ):
            answer = edge.ask(path)
            assert answer.headers["content-type"] == kind
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
