"""The page of hand tasks in a real browser: copied with the button, ticked off with the keyboard, at any width."""

from __future__ import annotations

from collections.abc import Iterator
from socketserver import ThreadingMixIn
from threading import Thread
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, expect
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

from channels.website import BUILT_ASSETS
from dispatcher.acts import post_by_hand
from dispatcher.dispatching import handwork
from dispatcher.dispatching.models import Delivery
from dispatcher.staff.roles import Role
from tests.support.pages import Watch, browser
from tests.support.scene import Scene
from tests.support.signed_in import client_of

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
POST = "https://www.facebook.com/losser/posts/1"


@pytest.fixture
def writer(scene: Scene) -> Client:
    """A writer who is signed in; one task is open, one is ticked off."""
    scene.website()
    scene.by_hand(languages=["nl"], values={"page_url": "https://www.facebook.com/losser"})
    for text in ("eerste", "tweede"):
        scene.announced(text=text)
        scene.work()
    post_by_hand.done(handwork.open_tasks()[0].id, by="writer", url=POST)
    return client_of(Role.WRITER)


@pytest.fixture
def chromium(writer: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """Started once the town stands, as a worker's loop cannot run beside Playwright's; that is also why Django is told
    that its database may be asked here."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with browser() as started:
        yield started


class Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def console(writer: Client) -> Iterator[str]:
    """The web application on a port, in this process: it has the test's database."""
    application = WhiteNoise(WSGIHandler(), root=BUILT_ASSETS, prefix="assets/")
    with make_server("localhost", 0, application, server_class=Threaded, handler_class=Quiet) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


def context_of(chromium: Browser, client: Client, site: str, **more: object) -> BrowserContext:
    context = chromium.new_context(locale="nl-NL", **more)  # type: ignore[arg-type]
    context.add_cookies([{"name": name, "value": kept.value, "url": site} for name, kept in client.cookies.items()])
    return context


def test_the_text_is_copied_and_the_task_ticked_off_with_the_keyboard(
    chromium: Browser, writer: Client, console: str
) -> None:
    (task,) = handwork.open_tasks()
    with context_of(chromium, writer, console, permissions=["clipboard-read", "clipboard-write"]) as context:
        page = context.new_page()
        page.goto(f"{console}/console/hand/")
        page.get_by_role("button", name="Kopieer de tekst").press("Enter")
        expect(page.locator(f"#text-{task.id}-said")).to_have_text("Gekopieerd.")
        assert page.evaluate("navigator.clipboard.readText()") == task.text
        page.get_by_label("Adres van het geplaatste bericht").fill("facebook")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Niet afgevinkt")
        page.get_by_role("link", name="Adres van het geplaatste bericht").click()
        expect(page.get_by_label("Adres van het geplaatste bericht")).to_be_focused()
        page.get_by_label("Adres van het geplaatste bericht").fill(POST)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").first).to_contain_text("Afgevinkt.")
    assert Delivery.objects.get(pk=task.id).url == POST


def test_without_a_script_the_text_can_be_selected(chromium: Browser, writer: Client, console: str) -> None:
    (task,) = handwork.open_tasks()
    with context_of(chromium, writer, console, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{console}/console/hand/")
        expect(page.get_by_role("button", name="Kopieer de tekst")).to_be_hidden()
        expect(page.get_by_label("De tekst")).to_have_value(task.text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_for_everyone_at_any_width(chromium: Browser, writer: Client, console: str, scheme: str) -> None:
    watch = Watch(frozenset({console.partition("//")[2]}))
    with context_of(chromium, writer, console, color_scheme=scheme) as context:
        page = context.new_page()
        watch.follow(page)
        for width in (320, 360, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            for language in ("nl", "en"):
                page.goto(f"{console}/console/hand/?lang={language}")
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} px, {language}"
                found = Axe().run(page, options={"runOnly": RULES})
                assert found.violations_count == 0, found.generate_report()
    assert watch.met == []
