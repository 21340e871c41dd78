"""The admins' pages in a real browser: an outlet is paused and goes on in a real town; no barrier at any width."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.conftest import NewTown
from tests.support.pages import Watch
from tests.support.residents import web_town
from tests.support.town import Town

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EXAMPLE = Path(__file__).parents[2] / "examples" / "corona.md"
# Everything at once: what is sent, in doubt, failed, down for a person; two workers, one of them silent.
BUSY = """
import django; django.setup()
from datetime import timedelta
from django.utils.timezone import now
from dispatcher.dispatching.models import Batch, Worker
from tests.support.standing import SCENES, Some, announcement, batch, dispatch, outlet
for scene in ("sending", "unknown", "finished", "person"):
    SCENES[scene]()
Batch.objects.exclude(lease_until=None).update(leased_by="stadhuis:7")
Worker.objects.create(name="stadhuis:7", pool="w-mail", memory=56, at=now() + timedelta(hours=1))
Worker.objects.create(name="stadhuis:8", pool="w-fast", at=now() - timedelta(minutes=9))
batch(dispatch(announcement()), outlet("facebook", "Facebook", "byhand"), [Some(1, "due", "by-hand", due_in=86_400)])
"""


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with web_town("desk") as running:
        yield running


def _do(town: Town, script: str) -> None:
    environment = {**os.environ, **town.environment, "DJANGO_SETTINGS_MODULE": "dispatcher.config.settings"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def _sign_in(page: Page, town: Town, language: str = "nl") -> str:
    console = f"http://localhost:{town.ports['web']}/console"
    page.goto(f"{console}/sign-in/?lang={language}")
    page.get_by_role("button", name="Beheerder" if language == "nl" else "Administrator").click()
    return console


LOAD = "import django; django.setup(); from dispatcher import example_town as t; t.load_town(); t.populate(12)"
EMPTY = ("queue/", "settings/", "settings/outlets/")
FULL = (
    "queue/", "outlets/email/", "outlets/facebook/", "outlets/email/pause/", "outlets/email/resume/",
    "outlets/email/try-again/", "outlets/email/settle/", "settings/", "settings/town/", "settings/address/",
    "settings/topics/", "settings/districts/", "settings/new-outlet/email/", "settings/new-outlet/mastodon/",
    "settings/new-outlet/website/", "settings/outlets/facebook/",
)  # fmt: skip


def test_no_page_has_a_barrier_or_runs_off_its_side(town: Town, browser: Browser) -> None:
    found: dict[str, str] = {}

    def look(page: Page, name: str, width: int) -> None:
        result = Axe().run(page, options={"runOnly": RULES})
        if result.violations_count:
            found[name] = result.generate_report()
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[f"{name} is too wide"] = str(width)
        small = page.locator(".bar a, button, .choice, a.utrecht-button, .select").evaluate_all(
            "all => all.map(e => e.getBoundingClientRect()).filter(r => r.height < 44).length"
        )
        if small:
            found[f"{name} has small targets"] = str(small)

    for state, paths in (("empty", EMPTY), ("busy", FULL)):
        if state == "busy":
            _do(town, BUSY)
        for width, language in ((1280, "nl"), (360, "en")):
            with browser.new_context(viewport={"width": width, "height": 900}) as context:
                page = context.new_page()
                watch = Watch(frozenset({f"localhost:{town.ports['web']}"}))
                watch.follow(page)
                console = _sign_in(page, town, language)
                for path in paths:
                    page.goto(f"{console}/{path}?lang={language}")
                    look(page, f"{state} {path} {width} {language}", width)
                page.goto(f"{console}/settings/new-outlet/email/?lang={language}")
                page.locator("form.card button[type=submit]").click()
                look(page, f"{state} form with errors {width} {language}", width)
                assert [line for line in watch.met if "422" not in line] == []
    assert found == {}


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_an_outlet_is_added_by_hand_and_its_secret_is_not_shown_again(
    town: Town, browser: Browser, script: bool
) -> None:
    with browser.new_context(java_script_enabled=script, locale="nl-NL") as context:
        page = context.new_page()
        console = _sign_in(page, town)
        page.goto(f"{console}/settings/new-outlet/mastodon/")
        name = f"mastodon-{'met' if script else 'zonder'}"
        page.get_by_label("Naam voor computers").fill(name)
        page.get_by_role("button", name="Bewaar").click()
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("Vul dit in.")
        expect(page.get_by_label("Naam voor computers")).to_have_value(name)
        page.get_by_label("Naam voor medewerkers").fill("Mastodon")
        page.locator("[name='settings.url']").fill("https://social.losser.nl")
        page.locator("[name='settings.token']").fill("heel-geheim")
        page.get_by_role("button", name="Bewaar").click()
        expect(page.get_by_role("status")).to_contain_text("Bewaard.")
        assert "heel-geheim" not in page.content()
        expect(page.locator("[name='settings.token']")).to_have_value("")


def test_an_admin_pauses_an_outlet_sees_an_announcement_wait_and_lets_it_go(
    new_town: NewTown, browser: Browser
) -> None:
    running = new_town()
    _do(
        running,
        "import django; django.setup(); from dispatcher import example_town as t; t.load_town(); t.populate(12)",
    )
    with browser.new_context(locale="nl-NL") as context:
        page = context.new_page()
        console = _sign_in(page, running)
        page.goto(f"{console}/queue/")
        expect(page.locator("#workers")).to_contain_text(re.compile(r"w-mail.*wacht op werk", re.S), timeout=30_000)
        page.locator("#outlet-email-pause").click()
        page.get_by_label("Waarom?").fill("De mailserver wordt vervangen")
        page.get_by_role("button", name="Pauzeer").click()
        expect(page.get_by_role("status").first).to_contain_text("Het staat op pauze.")

        assert running.cli("announce", EXAMPLE).code == 0
        page.goto(f"{console}/queue/")
        row = page.locator("tr", has=page.locator("#outlet-email"))
        expect(row).to_contain_text("Reden: De mailserver wordt vervangen", timeout=30_000)
        expect(row.locator("td[data-label='Wacht']")).to_have_text(re.compile(r"[1-9]\d*"), timeout=60_000)
        waiting = int(row.locator("td[data-label='Wacht']").inner_text())
        assert running.recorder.count() == 0, "nobody got anything"

        page.locator("#outlet-email-resume").click()
        page.get_by_role("button", name=f"Stuur naar {waiting} mensen").click()
        expect(page.get_by_role("status").first).to_contain_text("Het gaat door.")
        page.goto(f"{console}/queue/")
        expect(row.locator("td[data-label='Wacht']")).to_have_text("0", timeout=60_000)
        running.until(lambda: running.recorder.count() >= waiting, timeout=60, what="the mails")
