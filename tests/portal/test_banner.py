"""The banner on a plain page of another site, in a real browser: what it shows, and that it harms nothing."""

from __future__ import annotations

import functools
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from channels.contract import Act
from tests.support.bulletins import EN, NL
from tests.support.pages import Watch, browser, run
from tests.support.site import announcement, put
from tests.support.web import Edge, serving

HOST = """<!doctype html>
<html lang="{lang}"><meta charset="utf-8"><title>De stad</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'self';
script-src {base}; connect-src {base}">
{before}<script async src="{base}/banner.js" {data}></script>
<h1 id="title">Een gewone site</h1><div id="place"></div><p>Tekst van de site.</p></html>
"""
NOW = datetime.now(UTC)


@contextmanager
def host_site(folder: Path) -> Iterator[str]:
    """Another site, at another address; its own rules would spoil a banner that let them in."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            return None

    folder.mkdir(exist_ok=True)
    (folder / "favicon.ico").touch()
    (folder / "host.css").write_text(
        "section, div, p, button, a { margin: 99px; padding: 50px; font-size: 5px; color: lime; display: inline }"
    )
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """The town's announcements: one of every day, and an emergency."""
    folder = tmp_path_factory.mktemp("banner") / "site"
    (folder.parent / "built").mkdir()
    with serving(folder) as running:
        yield running


@pytest.fixture
def fresh(edge: Edge) -> Edge:
    """The same server with nothing published."""
    for path in sorted(edge.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return edge


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests here; each looks through a context of its own."""
    with browser() as started:
        yield started


@dataclass
class Reader:
    """Someone who opens the other site's page."""

    browser: Browser
    edge: Edge
    folder: Path

    @contextmanager
    def at_the_door(self, *, lang: str = "nl", data: str = "", before: str = "") -> Iterator[tuple[Page, Watch, str]]:
        """A page that is not opened yet, what it does, and the address to open."""
        with host_site(self.folder / "host") as base, self.browser.new_context() as context:
            text = HOST.format(lang=lang, data=data, before=before, base=self.edge.base_url)
            (self.folder / "host" / "index.html").write_text(text)
            page = context.new_page()
            watch = Watch(frozenset({f"localhost:{self.edge.port}", base.removeprefix("http://")}))
            watch.follow(page)
            yield page, watch, f"{base}/index.html"

    @contextmanager
    def reading(self, **how: str) -> Iterator[tuple[Page, Watch]]:
        """The page, opened."""
        with self.at_the_door(**how) as (page, watch, address):
            page.goto(address)
            yield page, watch


@pytest.fixture
def reader(chromium: Browser, fresh: Edge, tmp_path: Path) -> Reader:
    return Reader(chromium, fresh, tmp_path)


def publish(edge: Edge, *slugs: str, **more: object) -> None:
    for slug in slugs:
        run(put(edge.site, announcement(slug, base_url=edge.base_url, **more)))  # type: ignore[arg-type]


def test_it_shows_what_is_current_and_leads_to_it(fresh: Edge, reader: Reader) -> None:
    publish(fresh, "corona")
    with reader.reading() as (page, watch):
        block = page.locator("[role=status] .one")
        block.wait_for()
        assert NL.summary in block.inner_text()
        assert "Voorbeeld, niet van de gemeente" in block.inner_text()
        assert block.locator("a").get_attribute("href") == f"{fresh.base_url}/nl/corona/"
        assert block.locator(".fact").all_inner_texts() == ["maandag 16 maart", "053 000 00 00"]
        assert page.locator("body > :first-child").get_attribute("lang") == "nl"
        assert page.locator("body > :first-child").get_attribute("aria-label") == "Berichten van de gemeente"
        assert page.locator("[role=alert] .one").count() == 0
        assert watch.met == [], "not even with a strict policy of the page itself"


def test_an_emergency_is_an_alert_and_stands_first(fresh: Edge, reader: Reader) -> None:
    publish(fresh, "corona")
    publish(fresh, "fire", kind="emergency")
    with reader.reading() as (page, _):
        page.locator("[role=alert] .one").wait_for()
        links = page.locator(".one a").evaluate_all("each => each.map(a => a.pathname)")
        assert links == ["/nl/fire/", "/nl/corona/"]


def test_it_speaks_the_language_that_is_asked_for(fresh: Edge, reader: Reader) -> None:
    publish(fresh, "corona")
    for lang, data, wanted in (
        ("nl", 'data-language="en"', EN.summary),
        ("en-GB", "", EN.summary),
        ("fr", "", NL.summary),
        ("nl", 'data-language="constructor"', NL.summary),
    ):
        with reader.reading(lang=lang, data=data) as (page, _):
            page.locator(".one").wait_for()
            assert wanted in page.locator(".one").inner_text()


def test_what_a_reader_hides_stays_hidden_until_it_is_corrected(fresh: Edge, reader: Reader) -> None:
    publish(fresh, "corona", "other")
    with reader.reading() as (page, _):
        page.route("**/banner.json", lambda route: route.continue_())  # past the browser's cache of 20 seconds
        page.locator(".one").nth(1).wait_for()
        page.get_by_role("button", name="Verberg dit bericht").first.click()
        assert page.locator(".one").count() == 1
        page.reload()
        page.locator(".one").first.wait_for()
        assert page.locator(".one a").evaluate_all("each => each.map(a => a.pathname)") == ["/nl/other/"]
        run(put(fresh.site, announcement("corona", revision=2, base_url=fresh.base_url), Act.UPDATE))
        page.reload()
        page.locator(".one").nth(1).wait_for()
        for _ in range(2):
            page.get_by_role("button", name="Verberg dit bericht").first.click()
        assert page.locator("body > section").count() == 0, "an empty banner takes no room"


def test_it_goes_when_the_announcement_expires(fresh: Edge, reader: Reader) -> None:
    publish(fresh, "corona", expires_at=NOW + timedelta(hours=2))
    with reader.at_the_door() as (page, _, address):
        page.clock.install(time=NOW)
        page.goto(address)
        page.clock.run_for(1000)
        page.locator(".one").wait_for()
        page.clock.fast_forward("01:59:00")
        assert page.locator(".one").count() == 1
        page.clock.fast_forward("02:00")
        assert page.locator("section").count() == 0
        page.reload()
        page.wait_for_load_state("networkidle")
        page.clock.run_for(1000)
        assert page.locator("section").count() == 0, "its file may be old: the script looks at the clock itself"


def test_the_page_around_it_stays_as_it_was(fresh: Edge, reader: Reader) -> None:
    publish(fresh, "corona")
    with reader.reading(before='<link rel="stylesheet" href="/host.css">') as (page, _):
        page.locator(".one").wait_for()
        look = "e => [getComputedStyle(e).fontSize, getComputedStyle(e).color, getComputedStyle(e).margin]"
        assert page.locator(".one button").evaluate(look)[1] != "rgb(0, 255, 0)"
        assert page.locator(".one p").nth(1).evaluate(look) == ["18px", "rgb(43, 28, 0)", "0px"]
        assert page.locator("body > p").evaluate(look) == ["5px", "rgb(0, 255, 0)", "99px"]
        box = page.locator("body > section").bounding_box()
        assert box is not None
        assert box["height"] < 300


def test_it_fills_the_place_that_is_kept_for_it(fresh: Edge, reader: Reader) -> None:
    publish(fresh, "corona")
    with reader.reading(data='data-target="#place"') as (page, _):
        page.locator("#place .one").wait_for()
        assert page.locator("body > section").count() == 0


@pytest.mark.parametrize(
    "content",
    [
        *(
            "",
            "{",
            "[]",
            "null",
            '{"version": 2, "languages": {}}',
            '{"version": 1, "languages": {}}',
            "<h1>not json</h1>",
        ),
        json.dumps({"version": 1, "languages": {"nl": {"announcements": [{"title": None}]}}}),
    ],
)
def test_data_that_is_not_as_it_should_be_shows_nothing(fresh: Edge, reader: Reader, content: str) -> None:
    publish(fresh, "corona")
    (fresh.folder / "banner.json").write_text(content)
    with reader.reading() as (page, watch):
        page.wait_for_load_state("networkidle")
        assert page.locator("section").count() == 0
        assert page.locator("#title").is_visible()
        assert watch.met == []


def test_a_banner_that_does_not_answer_is_given_up_and_delays_nothing(fresh: Edge, reader: Reader) -> None:
    publish(fresh, "corona")
    with reader.at_the_door() as (page, _, address):
        waiting: list[Route] = []
        page.route("**/banner.json", lambda route: waiting.append(route))  # noqa: PLW0108 - it marks what it gets
        page.clock.install(time=NOW)
        with page.expect_request("**/banner.json"):
            page.goto(address)
        assert page.evaluate("document.readyState") == "complete", "the page does not wait for the banner"
        with page.expect_event("requestfailed"):
            page.clock.run_for(4000)
        assert page.locator("section").count() == 0
        assert len(waiting) == 1


def test_text_stays_text(fresh: Edge, reader: Reader) -> None:
    payload = "<img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}"
    publish(fresh, "corona")
    data = json.loads((fresh.folder / "banner.json").read_text())
    for item in data["languages"]["nl"]["announcements"]:
        item |= {
            "title": payload,
            "summary": payload,
            "mark": payload,
            "url": "javascript:alert(3)",
            "facts": ["", "7*7"],
        }
    (fresh.folder / "banner.json").write_text(json.dumps(data))
    with reader.reading() as (page, watch):
        page.locator(".one").wait_for()
        assert page.locator(".one").inner_text().count(payload) == 3
        assert page.locator(".one img, .one script, .one a").count() == 0
        assert watch.met == []
