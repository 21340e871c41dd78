"""The timeline's public pages in a real browser: for everyone, on every screen, and tampering by keyboard."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from dispatcher.practice.timeline.api import TOKEN
from tests.support.practice import Practice

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A timeline with a post that was edited, and what a long word and a long link do."""
    with Practice(tmp_path_factory.mktemp("timeline")) as practice:
        base = f"http://localhost:{practice.ports['timeline']}"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
            text = f"{'Gemeentewerkzaamhedencoördinatie' * 4}\n\nLees meer: https://losser.example/{'lang/' * 30}"
            made = client.post("/api/v1/statuses", json={"status": text}).json()
            client.put(f"/api/v1/statuses/{made['id']}", json={"status": f"Gewijzigd. {text}"})
        yield f"{base}/@losser/{made['id']}"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_the_timeline_is_for_everyone_and_fits_the_screen(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    with browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme) as context:  # type: ignore[arg-type] # one of the two
        page = context.new_page()
        for path in (address, address.rpartition("/")[0], f"{address}0"):
            for language in ("nl", "en"):
                page.goto(f"{path}?lang={language}")
                _assert_fine(page, width)


def _assert_fine(page: Page, width: int) -> None:
    result = Axe().run(page, options={"runOnly": WCAG})
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in result.response["violations"]] == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def test_a_stranger_needs_no_mouse(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}?lang=en")
        page.get_by_role("button", name="Change the text").focus()
        page.keyboard.press("Enter")
        page.get_by_text("A stranger changed this post.").wait_for()
        assert page.url == address
