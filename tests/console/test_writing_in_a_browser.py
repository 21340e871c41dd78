"""The way of an announcement through the console, in a real browser on a real installation: write, approve, correct."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support import databases, scratch
from tests.support.pages import Watch, browser
from tests.support.town import Town

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Where to keep pictures of the pages, for whoever wants to look at them.
PICTURES = os.environ.get("OMROEPER_TEST_PICTURES", "")


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    folder = scratch.folder("writing")
    with (
        databases.fresh(folder / "town") as database,
        Town(folder / "town", database, environment={"OMROEPER_GRACE_SECONDS": "4"}) as running,
    ):
        assert running.cli("practice", "populate", "20").code == 0
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def _site(town: Town) -> str:
    return f"http://localhost:{town.ports['web']}"


def _enter(page: Page, town: Town, role: str) -> None:
    """In as ``role`` by one click, in the practice town."""
    page.context.clear_cookies()
    page.goto(f"{_site(town)}/console/")
    page.get_by_role("button", name=re.compile(f"^Log in als {role}$")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Berichten")


def _fill(page: Page, days: str) -> None:
    page.get_by_label("Nieuws").check()
    dutch, english = page.get_by_role("group", name="Nederlands"), page.get_by_role("group", name="Engels")
    dutch.get_by_label("Titel").fill(f"Hoofdstraat {days} dagen dicht")
    dutch.get_by_label("Kort bericht").fill(f"Vanaf maandag 16 maart is de Hoofdstraat {days} dagen dicht.")
    dutch.get_by_label("Hele bericht").fill("## Omrijden\n\nFietsers kunnen **wel** erlangs.")
    english.get_by_label("Titel").fill(f"Hoofdstraat closed for {days} days")
    english.get_by_label("Kort bericht").fill(f"From Monday 16 March the Hoofdstraat is closed for {days} days.")
    english.get_by_label("Hele bericht").fill("## Detour\n\nCyclists **can** pass.")


def _picture(page: Page, name: str) -> None:
    if PICTURES:
        for width in (1280, 360):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}.png"), full_page=True)
        page.set_viewport_size({"width": 1280, "height": 900})


def _clean(page: Page, name: str) -> None:
    """No barrier in either language, and nothing that runs off the page from 320 px on."""
    _picture(page, name)
    result = Axe().run(page, options={"runOnly": RULES})
    assert not result.violations_count, f"{name}: {result.generate_report()}"
    for width in (320, 360, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width} px"
        small = page.locator("button:not(.hidden), .choice, .filters a").evaluate_all(
            """all => all.map(e => e.getBoundingClientRect())
                .filter(r => r.width > 1 && (r.height < 44 || r.width < 44)).length"""
        )
        assert small == 0, f"{name}: targets at {width} px"
    page.set_viewport_size({"width": 1280, "height": 900})


def test_from_the_first_word_to_the_withdrawal(town: Town, chromium: Browser) -> None:
    with chromium.new_context(locale="nl-NL") as context:
        page = context.new_page()
        watch = Watch(frozenset({f"localhost:{town.ports['web']}"}))
        watch.follow(page)
        _enter(page, town, "schrijver")
        page.get_by_role("link", name="Nieuw bericht").click()

        # Too early: all that is missing, with the way to it; and what is typed stays.
        page.get_by_label("Titel").first.fill("Hoofdstraat drie dagen dicht")
        page.get_by_role("button", name="Vraag om controle").click()
        summary = page.locator("#errors")
        expect(summary).to_be_focused()
        expect(summary).to_contain_text("Kort bericht (Nederlands): vul dit in")
        summary.get_by_role("link").first.click()
        expect(page.get_by_label("Kort bericht").first).to_be_focused()
        expect(page.get_by_label("Titel").first).to_have_value("Hoofdstraat drie dagen dicht")
        watch.met = [line for line in watch.met if "422" not in line]

        # The previews follow while typing, in both languages, without a button.
        _fill(page, "drie")
        aside = page.locator("#aside")
        expect(aside.get_by_role("group", name=re.compile("Engels")).first).to_contain_text("closed for drie days")
        expect(aside).to_contain_text(re.compile(r"Wie hoort dit\?.*adres", re.DOTALL))
        for language in ("Nederlands", "Engels"):
            expect(aside.get_by_role("group", name=f"E-mail, {language}")).to_be_visible()
        page.get_by_role("button", name="Vraag om controle").click()
        expect(page.get_by_role("status")).to_contain_text("Ingeleverd.")
        assert page.get_by_role("button", name=re.compile("Keur versie")).count() == 0, "a writer does not approve"
        where = page.url.partition("?")[0]

        # Someone else approves; it can be followed.
        _enter(page, town, "adviseur")
        page.goto(where)
        page.get_by_role("button", name="Keur versie 1 goed").click()
        expect(page.get_by_role("button", name="Stop, nog niet sturen")).to_be_visible()
        expect(page.locator("#figures")).to_contain_text("keer aangenomen", timeout=60_000)
        town.until(lambda: _state(town, "Hoofdstraat drie dagen dicht") == "live", what="it is live")

        # A correction shows what changes and who gets it, before anything goes out.
        page.goto(where)
        page.get_by_role("link", name="Verbeter de tekst").click()
        _fill_correction(page, "vijf")
        page.get_by_role("button", name="Bekijk wat er verandert").click()
        expect(page.locator("ins").first).to_contain_text("vijf")
        expect(page.locator("del").first).to_contain_text("drie")
        expect(page.get_by_role("region", name="Wie krijgt de verbetering")).to_contain_text("krijg")
        page.get_by_role("button", name="Terug naar de tekst").click()
        expect(page.get_by_label("Titel").first).to_have_value("Hoofdstraat vijf dagen dicht")
        page.get_by_role("button", name="Bekijk wat er verandert").click()
        page.get_by_role("button", name=re.compile("Stuur de verbetering")).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Hoofdstraat vijf dagen dicht")
        town.until(lambda: _state(town, "Hoofdstraat vijf dagen dicht") == "corrected", what="it is corrected")

        # Withdrawing says what happens and to how many, and asks why.
        page.goto(where)
        page.get_by_role("link", name="Trek het in").click()
        expect(page.get_by_role("region", name="Wat er gebeurt")).to_contain_text("de openbare tekst")
        button = page.get_by_role("button", name=re.compile("Trek in bij"))
        count = re.search(r"\d+", button.inner_text())
        assert count, "the button repeats the number"
        button.click()
        expect(page.locator("#errors")).to_be_focused()
        for label in page.get_by_label(re.compile("Waarom")).all():
            label.fill("Het werk gaat niet door.")
        page.get_by_role("button", name=re.compile("Trek in bij")).click()
        page.wait_for_url(re.compile("/follow/"))
        page.goto(where)
        expect(page.get_by_role("region", name="Wat er gebeurde")).to_contain_text("ngetrokken door Adviseur")
        watch.met = [line for line in watch.met if "422" not in line]
        assert watch.met == []


def _fill_correction(page: Page, days: str) -> None:
    dutch, english = page.get_by_role("group", name="Nederlands"), page.get_by_role("group", name="Engels")
    dutch.get_by_label("Titel").fill(f"Hoofdstraat {days} dagen dicht")
    english.get_by_label("Titel").fill(f"Hoofdstraat closed for {days} days")
    dutch.get_by_label("Wat verbetert u?").fill("Het werk duurt langer.")
    english.get_by_label("Wat verbetert u?").fill("The work takes longer.")


def _state(town: Town, title: str) -> str:
    rows = town.rows(
        """SELECT a.state FROM announcements_announcement a JOIN announcements_revision r ON r.announcement_id = a.id
        JOIN announcements_revisiontext t ON t.revision_id = r.id WHERE t.title = %s""",
        title,
    )
    return str(rows[0]["state"]) if rows else ""


def test_without_script_it_is_written_and_approved_too(town: Town, chromium: Browser) -> None:
    with chromium.new_context(java_script_enabled=False, locale="nl-NL") as context:
        page = context.new_page()
        _enter(page, town, "schrijver")
        page.goto(f"{_site(town)}/console/write/")
        _fill(page, "zeven")
        page.get_by_role("button", name="Ververs het voorbeeld").click()
        expect(page.locator("#aside")).to_contain_text("closed for zeven days")
        page.get_by_role("button", name="Bewaar als concept").click()
        expect(page.get_by_role("status")).to_contain_text("Bewaard als concept, versie 1.")
        page.get_by_role("button", name="Vraag om controle").click()
        expect(page.get_by_role("status")).to_contain_text("Ingeleverd.")
        where = page.url.partition("?")[0]
        _enter(page, town, "adviseur")
        page.goto(where)
        page.get_by_label("Nog niet goed?").fill("Noem ook de omleiding.")
        page.get_by_role("button", name="Geef terug aan de schrijver").click()
        expect(page.get_by_role("region", name="Wat er gebeurde")).to_contain_text("Noem ook de omleiding.")
        _enter(page, town, "schrijver")
        page.goto(where)
        page.get_by_role("button", name="Vraag om controle").click()
        _enter(page, town, "adviseur")
        page.goto(where)
        page.get_by_role("button", name="Keur versie 1 goed").click()
        page.get_by_role("button", name="Stop, nog niet sturen").click()
        expect(page.locator("#ended")).to_contain_text("Er is niets verstuurd")


def test_two_people_in_one_text_the_second_is_told_and_nothing_is_overwritten(town: Town, chromium: Browser) -> None:
    with chromium.new_context(locale="nl-NL") as one, chromium.new_context(locale="nl-NL") as two:
        first, second = one.new_page(), two.new_page()
        _enter(first, town, "schrijver")
        _enter(second, town, "piket")
        first.goto(f"{_site(town)}/console/write/")
        _fill(first, "negen")
        first.get_by_role("button", name="Bewaar als concept").click()
        expect(first.get_by_role("status")).to_contain_text("versie 1")
        second.goto(first.url)
        first.get_by_label("Titel").first.fill("Van de eerste")
        second.get_by_label("Titel").first.fill("Van de tweede")
        first.get_by_role("button", name="Bewaar als concept").click()
        expect(first.get_by_role("status")).to_contain_text("versie 2")
        second.get_by_role("button", name="Bewaar als concept").click()
        expect(second.get_by_role("alert")).to_contain_text("Iemand anders bewaarde versie 2")
        expect(second.get_by_label("Titel").first).to_have_value("Van de tweede")
        assert _state(town, "Van de tweede") == "", "nothing was stored"
        second.get_by_role("button", name="Bewaar als concept").click()
        expect(second.get_by_role("status")).to_contain_text("versie 3")
        assert _state(town, "Van de eerste") == "draft", "the version of the first is still there"


@pytest.mark.parametrize(("scheme", "language"), [("light", "nl"), ("dark", "en")])
def test_no_page_has_a_barrier(town: Town, chromium: Browser, scheme: Literal["light", "dark"], language: str) -> None:
    console = f"{_site(town)}/console"
    with chromium.new_context(color_scheme=scheme, locale="nl-NL") as context:
        page = context.new_page()
        page.goto(f"{console}/sign-in/?lang={language}")
        _clean(page, f"sign-in-{language}")
        page.locator("#email").fill("a@practice.invalid")
        page.locator("#password").fill("fout")
        page.locator("#password").press("Enter")
        _clean(page, f"sign-in-refused-{language}")
        _enter(page, town, "schrijver")
        page.goto(f"{console}/write/")
        _fill(page, "twee")
        page.get_by_role("button", name="Vraag om controle").click()
        expect(page.get_by_role("status")).to_contain_text("Ingeleverd.")
        where = page.url.partition("?")[0]
        for name, path in {
            "list": "",
            "list-of-drafts": "?state=draft",
            "write": "write/",
            "writer": where.removeprefix(f"{console}/"),
            "edit": f"{where.removeprefix(f'{console}/')}edit/",
        }.items():
            page.goto(f"{console}/{path}{'&' if '?' in path else '?'}lang={language}")
            _clean(page, f"{name}-{language}")
        page.goto(f"{console}/write/?lang={language}")
        page.locator("button[value=submit]").click()
        expect(page.locator("#errors")).to_be_focused()
        _clean(page, f"write-errors-{language}")
        page.goto(f"{where}withdraw/?lang={language}")
        _clean(page, f"not-allowed-{language}")
        _enter(page, town, "adviseur")
        page.goto(f"{where}?lang={language}")
        _clean(page, f"review-{language}")
        page.locator("button", has_text=re.compile("Geef terug|Give back")).click()
        _clean(page, f"review-no-reason-{language}")
        page.goto(f"{where}correct/?lang={language}")
        _clean(page, f"not-now-{language}")
        page.locator("a", has_text=re.compile("Bekijk hoe|See how")).click()
        page.get_by_role("button", name=re.compile("Keur versie|Approve version")).click()
        page.wait_for_url(re.compile("follow"))
        page.goto(f"{where}?lang={language}")
        _clean(page, f"grace-{language}")
        town.until(lambda: _state(town, "Hoofdstraat twee dagen dicht") in {"going-out", "live"}, what="it goes out")
        page.goto(f"{where}correct/?lang={language}")
        _clean(page, f"correct-{language}")
        for code in ("nl", "en"):
            page.locator(f"[id='{code}.change']").fill("Langer / longer.")
        page.locator("[id='nl.title']").fill(f"Hoofdstraat langer dicht ({language})")
        page.locator("button[value=check]").click()
        expect(page.locator("ins").first).to_be_visible()
        _clean(page, f"correct-check-{language}")
        page.goto(f"{where}withdraw/?lang={language}")
        _clean(page, f"withdraw-{language}")
        page.locator("button.danger").click()
        _clean(page, f"withdraw-errors-{language}")
