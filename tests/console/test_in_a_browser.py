"""The pages of staff and residents in a real browser: live, without script, at any width, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dispatcher.audience.tokens import Purpose, make
from tests.support.pages import Watch, browser
from tests.support.residents import move_in, web_town
from tests.support.standing import written
from tests.support.town import Town

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Those that change an outlet for all come last.
ORDER = ("grace", "sending", "unknown", "finished", "stopped", "nobody", "paused", "down")


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with web_town("browser") as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(params=[True, False], ids=["with script", "without script"])
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(java_script_enabled=request.param, locale="nl-NL") as context:
        yield context.new_page()


def _site(town: Town) -> str:
    return f"http://localhost:{town.ports['web']}"


def _link(town: Town, purpose: Purpose, public_id: str) -> str:
    return f"{_site(town)}/{purpose}/{make(purpose, public_id, 0)}"


def _state(town: Town, public_id: str) -> str:
    return str(town.rows("SELECT state FROM audience_address WHERE public_id = %s", public_id)[0]["state"])


def _watched(context: BrowserContext, town: Town) -> tuple[Page, Watch]:
    opened = context.new_page()
    watch = Watch(frozenset({f"localhost:{town.ports['web']}"}))
    watch.follow(opened)
    return opened, watch


def test_leaving_and_thinking_better_of_it(town: Town, page: Page) -> None:
    public_id = move_in(town)
    page.goto(_link(town, Purpose.LEAVE, public_id))
    assert _state(town, public_id) == "active", "looking alone does nothing"
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Stop alle berichten").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("U krijgt geen berichten meer")
    assert _state(town, public_id) == "left"
    page.get_by_role("button", name="Toch berichten blijven krijgen").click()
    expect(page.get_by_role("status")).to_contain_text("U blijft berichten krijgen.")
    assert _state(town, public_id) == "active"


def test_confirming_and_choosing(town: Town, page: Page) -> None:
    public_id = move_in(town, "pending")
    page.goto(_link(town, Purpose.CONFIRM, public_id))
    assert _state(town, public_id) == "pending"
    page.get_by_role("button", name="Ja, stuur mij berichten").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("U krijgt onze berichten")
    assert _state(town, public_id) == "active"
    page.goto(_link(town, Purpose.PREFERENCES, public_id))
    page.get_by_label("English").check()
    page.get_by_role("button", name="Bewaar mijn keuze").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    page.get_by_role("link", name="Nederlands").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Uw berichten")


def test_stopping_in_the_grace(town: Town, page: Page) -> None:
    key = written(town, "grace")["grace"]
    page.goto(f"{_site(town)}/console/follow/{key}/")
    page.get_by_role("button", name="Stop, nog niet sturen").click()
    expect(page.locator("#ended")).to_contain_text("Gestopt. Er is niets verstuurd.")
    found = town.rows("SELECT ended_why FROM dispatching_dispatch WHERE key = %s", key)
    assert found[0]["ended_why"] == "stopped"


def test_the_follow_page_keeps_up_and_speaks_seldom(town: Town, chromium: Browser) -> None:
    key = written(town, "sending")["sending"]
    with chromium.new_context(locale="nl-NL") as context:
        page, watch = _watched(context, town)
        page.clock.install()
        page.goto(f"{_site(town)}/console/follow/{key}/")
        page.evaluate("window.sameDocument = true")
        link = page.get_by_role("link", name="Open de tekst op Website en banner")
        link.focus()
        first = page.get_by_role("status").first.inner_text()
        figure = page.locator(".figure__number")
        for accepted in (1200, 1210):
            town.rows(
                """UPDATE dispatching_batch SET accepted = %s WHERE size > 1 AND dispatch_id =
                (SELECT id FROM dispatching_dispatch WHERE key = %s)""",
                accepted,
                key,
            )
            page.clock.run_for(2100)
            expect(figure).to_have_text(f"{accepted + 2:,}".replace(",", "."))
            assert page.locator("#sentence").inner_text() == first, "not so soon after the sentence before"
        page.clock.run_for(10_000)
        expect(page.locator("#sentence")).to_have_text("1.212 van 1.263 keer aangenomen.")
        assert link.evaluate("it => it === document.activeElement"), "what has the focus keeps it"
        assert page.evaluate("window.sameDocument")
        assert watch.met == []


def test_the_follow_page_says_when_it_gets_no_answer(town: Town, chromium: Browser) -> None:
    key = written(town, "sending")["sending"]
    with chromium.new_context(locale="nl-NL") as context:
        page = context.new_page()
        page.goto(f"{_site(town)}/console/follow/{key}/")
        stale = page.locator("#stale")
        expect(stale).to_be_hidden()
        context.set_offline(True)
        expect(stale).to_be_visible(timeout=20_000)
        context.set_offline(False)
        expect(stale).to_be_hidden(timeout=20_000)


def test_the_button_to_stop_keeps_the_focus_while_seconds_pass(town: Town, chromium: Browser) -> None:
    key = written(town, "grace")["grace"]
    with chromium.new_context(locale="nl-NL") as context:
        page, watch = _watched(context, town)
        page.goto(f"{_site(town)}/console/follow/{key}/")
        button = page.get_by_role("button", name="Stop, nog niet sturen")
        button.focus()
        seconds = page.locator("#grace-count").inner_text()
        expect(page.locator("#grace-count")).not_to_have_text(seconds, timeout=20_000)
        assert button.evaluate("it => it === document.activeElement")
        page.keyboard.press("Enter")
        expect(page.locator("#ended")).to_contain_text("Er is niets verstuurd", timeout=20_000)
        assert watch.met == []


@pytest.fixture(scope="module")
def every_page(town: Town) -> dict[str, str]:
    """One page of each sort."""
    active, pending, left = move_in(town), move_in(town, "pending"), move_in(town)
    pages = {
        "leave": _link(town, Purpose.LEAVE, active),
        "preferences": _link(town, Purpose.PREFERENCES, active),
        "confirm": _link(town, Purpose.CONFIRM, pending),
        "refused": f"{_site(town)}/leave/nonsense",
        "left": _link(town, Purpose.LEAVE, left),
    }
    town.rows("UPDATE audience_address SET state = 'left' WHERE public_id = %s", left)
    pages |= {scene: f"{_site(town)}/console/follow/{key}/" for scene, key in written(town, *ORDER).items()}
    return pages | {"list": f"{_site(town)}/console/"}


@pytest.mark.parametrize(("scheme", "language"), [("light", "nl"), ("dark", "en")])
def test_no_page_has_a_barrier(
    chromium: Browser, every_page: dict[str, str], scheme: Literal["light", "dark"], language: str
) -> None:
    found = {}
    with chromium.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        for name, url in every_page.items():
            page.goto(f"{url}?lang={language}")
            result = Axe().run(page, options={"runOnly": RULES})
            if result.violations_count:
                found[name] = result.generate_report()
    assert found == {}


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_runs_off_the_page(chromium: Browser, every_page: dict[str, str], width: int) -> None:
    with chromium.new_context(viewport={"width": width, "height": 800}) as context:
        page = context.new_page()
        for name, url in every_page.items():
            page.goto(url)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def test_targets_are_large_enough_to_touch(chromium: Browser, every_page: dict[str, str]) -> None:
    with chromium.new_context(viewport={"width": 360, "height": 800}) as context:
        page = context.new_page()
        for name, url in every_page.items():
            page.goto(url)
            small = page.locator(".bar a, button, .choice, .outlet__open").evaluate_all(
                "all => all.map(e => e.getBoundingClientRect()).filter(r => r.height < 44 || r.width < 44).length"
            )
            assert small == 0, name


def test_no_page_breaks_its_own_rules_or_asks_anything_of_others(
    town: Town, chromium: Browser, every_page: dict[str, str]
) -> None:
    with chromium.new_context() as context:
        page, watch = _watched(context, town)
        for name, url in every_page.items():
            watch.met.clear()
            page.goto(url)
            allowed = [line for line in watch.met if "404" in line] if name == "refused" else []
            assert watch.met == allowed, name
        assert page.evaluate("document.fonts.check('1rem \"Source Sans 3\"')")
