"""The drawn phones in a real browser: for everyone, on every screen, and live."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.practice.test_push import Service, device
from tests.support.practice import Practice

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def note(title: str, lang: str = "nl") -> bytes:
    said = {
        "title": title, "body": "Bel 053 000 00 00.\n" + "woord" * 40, "lang": lang, "dir": "ltr", "tag": "a",
        "navigate": "https://losser.example/nl/",
        "actions": [{"action": "preferences", "title": "Kies of stop", "navigate": "https://losser.example/p/x"}],
    }  # fmt: skip
    return json.dumps({"web_push": 8030, "notification": said}).encode()


@pytest.fixture
def service(practice: Practice) -> Iterator[Service]:
    made = Service(practice)
    yield made
    made.http.close()


@pytest.fixture(params=[{"width": 1280, "height": 900}, {"width": 360, "height": 740}], ids=["1280", "360"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    dark = request.param["width"] == 360
    context = browser.new_context(viewport=request.param, color_scheme="dark" if dark else "light")
    yield context.new_page()
    context.close()


def test_phones_are_for_everyone_on_every_screen(service: Service, page: Page) -> None:
    heard, off, ended = service.subscribe("screen-heard", "screen-off", "screen-ended")
    for address in (heard, off, ended):
        service.push(address, note("Gemeentehuis alleen open op afspraak"))
    service.push(heard, note("Van een ander", lang='"><svg onload=alert(3)>'))
    service.http.post(f"/phone/{device(off)}", data={"act": "off"})
    service.http.delete(ended.endpoint)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    paths = ["/", "/?lang=en", "/?q=nobody", *(f"/phone/{device(each)}" for each in (heard, off, ended))]
    for path in [*paths, "/phone/nobody"]:
        page.goto(f"http://{service.place}{path}")
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert not [line for line in said if "404" not in line]


def test_a_notification_appears_while_somebody_looks(service: Service, page: Page) -> None:
    width = page.evaluate("innerWidth")
    (address,) = service.subscribe(f"screen-live-{width}")
    page.goto(f"http://{service.place}/phone/{device(address)}")
    page.get_by_text("Geen meldingen").wait_for()
    service.push(address, note("Nu binnen"))
    page.get_by_role("link", name="Nu binnen").wait_for()
    service.push(address, note("Gewijzigd: Nu binnen"))
    page.get_by_role("link", name="Gewijzigd: Nu binnen").wait_for()
    assert page.locator(".notification").count() == 1
