"""Every page of the URL map in a real browser: no barrier (axe-core), nothing off its side, nothing from elsewhere.

The paths of people have tests of their own, in each state that they meet; this one forgets no page.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.support.pages import Watch
from tests.support.residents import web_town
from tests.support.town import Town

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A town with something of everything, and an address for every route of the map.
FILL = """
import json
import django; django.setup()
from dispatcher import example_town
from tests.support.residents import resident
from tests.support.routes import address, routes
from tests.support.standing import SCENES
example_town.load_town()
made, person = SCENES["grace"](), resident("pending")
print(json.dumps({route.name: address(route, made, person) for route in routes()}))
"""


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with web_town("every-page") as running:
        yield running


@pytest.fixture(scope="module")
def paths(town: Town) -> dict[str, str]:
    environment = {**os.environ, **town.environment, "DJANGO_SETTINGS_MODULE": "dispatcher.config.settings"}
    told = subprocess.run([sys.executable, "-c", FILL], env=environment, check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(told.stdout.splitlines()[-1])
    return found


def _barriers(page: Page, width: int) -> str:
    result = Axe().run(page, options={"runOnly": RULES})
    wide = page.evaluate("document.documentElement.scrollWidth")
    return "\n".join(
        [
            *([result.generate_report()] if result.violations_count else []),
            *([f"it is {wide} wide on a screen of {width}"] if wide > width else []),
        ]
    )


@pytest.mark.parametrize(("width", "language"), [(1280, "nl"), (360, "en")])
def test_no_page_of_the_map_has_a_barrier(
    town: Town, browser: Browser, paths: dict[str, str], width: int, language: str
) -> None:
    site = f"http://localhost:{town.ports['web']}"
    found: dict[str, str] = {}
    seen: list[str] = []
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        watch = Watch(frozenset({f"localhost:{town.ports['web']}"}))
        watch.follow(page)
        page.goto(f"{site}/console/sign-in/?lang={language}")
        page.get_by_role("button", name="Beheerder" if language == "nl" else "Administrator").click()
        for name, path in paths.items():
            answer = page.request.get(site + path, max_redirects=0)
            if answer.status == 405 or not answer.text().lstrip().lower().startswith("<!doctype html"):
                continue  # takes forms only, or is a part of a page
            page.goto(f"{site}{path}?lang={language}")
            seen.append(name)
            if problem := _barriers(page, width):
                found[name] = problem
    assert {"subscribe", "preferences", "leave", "announcements", "write", "queue", "settings"} <= set(seen)
    assert found == {}
    # A page that cannot be used with this announcement says so with its status, which the browser's console repeats.
    assert [line for line in watch.met if "status of 40" not in line] == []
