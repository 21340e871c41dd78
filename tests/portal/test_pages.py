"""The public pages in a real browser: readable for everyone, at any width, by day and by night, without script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from assets import build
from channels.contract import Act
from tests.support.bulletins import NL
from tests.support.pages import Watch, browser, run
from tests.support.site import announcement, put
from tests.support.web import Edge, serving

PAGES = {
    "list": "/nl/",
    "English list": "/en/",
    "announcement": "/nl/corona/",
    "in English": "/en/corona/",
    "emergency": "/nl/fire/",
    "withdrawn": "/nl/gone/",
    "early": "/early/token-soon-nl/soon/",
    "not there": "/nothing/",
}
LONG = "Hottentottententententoonstelling" * 2


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A site with a page of every sort, in its real style."""
    if not (build.BUILT / build.STYLE).is_file():
        build.main()
    folder = tmp_path_factory.mktemp("pages") / "site"
    with serving(folder, EDGE_ASSETS=str(build.BUILT)) as running:
        base = running.base_url
        wide = replace(
            NL, title=f"Titel met {LONG}", summary=f"{NL.summary} {LONG}", url=f"{base}/nl/wide/", image=None
        )
        body = NL.body_html + (
            "<table><tr><th>Dag<th>Open<th>Waar<th>Wie<th>Hoe</tr><tr><td>maandag<td>9.00 tot 12.00 uur<td>Raadhuis"
            f"<td>de balie<td>{LONG}</tr></table><pre>{LONG * 3}</pre><blockquote><p>Een citaat.</p></blockquote>"
        )
        plain = {"nl": replace(NL, body_html=body, image=None, url=f"{base}/nl/corona/", change="De balie is open.")}
        for bulletin, act in (
            (announcement("corona", revision=2, base_url=base, texts=plain | _english(base)), Act.UPDATE),
            (announcement("fire", kind="emergency", base_url=base, texts={"nl": wide}), Act.ANNOUNCE),
            (announcement("gone", act=Act.WITHDRAW, base_url=base), Act.WITHDRAW),
            (announcement("soon", early=True, base_url=base), Act.ANNOUNCE),
        ):
            run(put(running.site, bulletin, act))
        yield running


def _english(base: str) -> dict[str, object]:
    return {"en": announcement("corona", revision=2, base_url=base).texts["en"]}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests here; each looks through a context of its own."""
    with browser() as started:
        yield started


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_barrier(edge: Edge, chromium: Browser, scheme: Literal["light", "dark"]) -> None:
    with chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900}, bypass_csp=True) as context:
        page = context.new_page()
        found = {}
        for name, path in PAGES.items():
            page.goto(edge.base_url + path)
            result = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
            if result.violations_count:
                found[name] = result.generate_report()
        assert found == {}


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_runs_off_the_page(edge: Edge, chromium: Browser, width: int) -> None:
    with chromium.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        for name, path in PAGES.items():
            page.goto(edge.base_url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_targets_are_large_enough_to_touch(edge: Edge, chromium: Browser) -> None:
    """Links that stand by themselves and buttons; those inside a sentence are exempt (WCAG 2.2, 2.5.8)."""
    with chromium.new_context(viewport={"width": 360, "height": 800}) as context:
        page = context.new_page()
        page.goto(f"{edge.base_url}/nl/corona/")
        small = page.locator(".bar a, a.utrecht-button, summary").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect()).filter(r => r.height < 44).length"
        )
        assert small == 0


def test_the_pages_need_no_script_and_break_no_rule_of_their_own(edge: Edge, chromium: Browser) -> None:
    with chromium.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{edge.base_url}/nl/corona/")
        assert NL.summary in page.locator("#announcement").inner_text()
        page.get_by_role("link", name="Read this in English").click()
        assert page.locator("h1").inner_text().startswith("Town hall")
    with chromium.new_context() as context:
        page = context.new_page()
        watch = Watch(frozenset({f"localhost:{edge.port}"}))
        watch.follow(page)
        for path in PAGES.values():
            page.goto(edge.base_url + path)
            if path != "/nothing/":
                assert watch.met == [], path
        assert page.evaluate("document.fonts.check('1rem \"Source Sans 3\"')")


def test_the_keyboard_reaches_the_content_first(edge: Edge, chromium: Browser) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{edge.base_url}/nl/corona/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
        box = page.locator("a[href='#content']").bounding_box()
        assert box is not None
        assert box["y"] >= 0, "the link shows itself when it has the focus"


def test_an_early_address_takes_its_reader_to_the_public_page(edge: Edge, chromium: Browser) -> None:
    run(put(edge.site, announcement("moving", early=True, base_url=edge.base_url)))
    run(put(edge.site, announcement("moving", base_url=edge.base_url)))
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{edge.base_url}/early/token-moving-nl/moving/")
        page.wait_for_url(f"{edge.base_url}/nl/moving/")
        assert NL.summary in page.locator("#announcement").inner_text()
