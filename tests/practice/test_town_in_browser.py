"""The town in a real browser: for everyone, on every screen, live without taking anything from who reads it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from channels.contract import Act
from dispatcher.practice.rendering import TEMPLATES
from tests.practice.test_pages_in_browser import WCAG
from tests.support.side_by_side import PLACES, SideBySide

STATES = ("empty", "same", "differs", "gone", "part", "withdrawn", "early")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SideBySide]:
    with SideBySide(tmp_path_factory.mktemp("empty-town")) as town:
        yield town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SideBySide]:
    """A town with an announcement in each state, by its name."""
    with SideBySide(tmp_path_factory.mktemp("town")) as town:
        for name in STATES[1:]:
            bulletin = town.revision(name, early=name == "early")
            if name != "early":
                town.publish(bulletin)
            town.send(bulletin, *(("mail",) if name == "part" else PLACES[1:]))
        town.practice.post("/town/tamper", slug="differs", language="nl", do="fact")
        town.practice.post("/town/tamper", slug="gone", language="nl", do="delete")
        town.publish(town.revision("withdrawn", act=Act.WITHDRAW), Act.WITHDRAW)
        yield town


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(**getattr(request, "param", {}))
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize(
    "page",
    [
        {"viewport": {"width": 1280, "height": 900}},
        {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
    ],
    indirect=True,
    ids=["desk", "phone in the dark"],
)
def test_the_town_is_for_everyone_and_fits_the_screen(
    town: SideBySide, empty: SideBySide, page: Page, state: str, language: str
) -> None:
    town.practice.switch("unknown-address")
    where = empty.practice.url if state == "empty" else f"{town.practice.url}/?on={state}&all=1"
    page.goto(f"{where}{'&' if '?' in where else '/?'}lang={language}")

    result = Axe().run(page, options={"runOnly": [*WCAG, "best-practice"]})
    found = [(violation["id"], violation["nodes"][0]["html"][:200]) for violation in result.response["violations"]]
    assert found == []
    width = (page.viewport_size or {"width": 0})["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_happens_appears_by_itself_and_the_focus_stays(town: SideBySide, page: Page) -> None:
    page.clock.install()
    bulletin = town.revision("live")
    town.publish(bulletin)
    page.goto(f"{town.practice.url}/?on=live")
    expect(page.locator("#column-mail-head .state")).to_have_text("Nog niet hier")
    page.locator("#tamper-fact").focus()
    page.locator("#how summary").click()
    page.locator("#tamper-fact").focus()

    town.send(bulletin)
    page.clock.run_for(2_000)
    expect(page.locator("#column-mail-head .state")).to_have_text("Zelfde gegevens")
    expect(page.locator("#verdict")).to_contain_text("Alle 5 zeggen hetzelfde.")
    assert page.evaluate("document.activeElement.id") == "tamper-fact"
    assert page.locator("#how").get_attribute("open") is not None

    page.keyboard.press("Enter")  # a stranger changes the post
    expect(page.locator("#column-timeline-head .state")).to_have_text("Wijkt af")
    expect(page.locator("#verdict")).to_contain_text("053 000 00 01")


def test_a_town_that_stops_answering_says_so(town: SideBySide, page: Page) -> None:
    page.clock.install()
    page.goto(f"{town.practice.url}/?on=same")
    page.route("**/*", lambda route: route.abort())

    page.clock.run_for(2_000)

    expect(page.locator("#stale")).to_be_visible()


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_script_all_of_it_works(town: SideBySide, page: Page) -> None:
    page.goto(f"{town.practice.url}/?on=same")
    assert page.locator("noscript meta[http-equiv=refresh], head meta[http-equiv=refresh]").count() == 1

    page.locator("#fault-mail-busy").click()
    expect(page.locator("#fault-mail-busy")).to_have_attribute("aria-pressed", "true")
    page.locator("#calm").click()
    expect(page.locator("#fault-mail-busy")).to_have_attribute("aria-pressed", "false")
    assert page.url == f"{town.practice.url}/?on=same"


def test_the_way_to_each_copy_is_there(town: SideBySide, page: Page) -> None:
    for place in PLACES:
        page.goto(f"{town.practice.url}/?on=same")
        page.locator(f"#open-{place}").click()
        expect(page.locator("body")).to_contain_text("Gemeentehuis alleen open op afspraak")


def test_every_practice_page_says_that_it_is_practice() -> None:
    whole = [path for path in TEMPLATES.glob("*.html") if "<html" in path.read_text("utf-8")]
    assert [path.name for path in whole] == ["base.html"]
    assert 'class="practice"' in whole[0].read_text("utf-8")
