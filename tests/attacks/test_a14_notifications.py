"""A14, push and notification payload: the service worker shows text only, and opens nothing but our own pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.pages import Watch, browser
from tests.support.payloads import links, texts
from tests.support.residents import web_town
from tests.support.service_worker import ServiceWorker
from tests.support.town import Town

FOREIGN = [
    "javascript:alert(document.domain)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "blob:http://localhost/1",
    "file:///etc/passwd",
    "about:blank",
    "https://evil.example/",
    "//evil.example/nl/",
    "\\\\evil.example\\nl\\",
    "http://localhost@evil.example/nl/",
    "https://evil.example/confirm/abc",
    "/console/",
    "/console/announcements",
    "/nl/../console/",
    "/nl/%2e%2e/console/",
    "/leave/abc/undo",
    "/preferences/abc/stop",
    "/push-worker.js",
    "/subscribe/?email=x",
    "http://[",
    "",
    7,
    None,
    {"href": "https://evil.example/"},
]
OURS = [
    "/nl/",
    "/en/gemeentehuis-op-afspraak/",
    "/confirm/cAAA_-=",
    "/login/gAAA",
    "/preferences/pAAA",
    "/early/a-b/c/",
]


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with web_town("a14") as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture
def opened(town: Town, chromium: Browser) -> Iterator[tuple[str, BrowserContext, Page]]:
    base = f"http://localhost:{town.ports['web']}"
    with chromium.new_context(permissions=["notifications"]) as context:
        page = context.new_page()
        page.goto(f"{base}/subscribe/")
        yield base, context, page


@pytest.fixture
def worker(opened: tuple[str, BrowserContext, Page]) -> ServiceWorker:
    made = ServiceWorker(opened[1], opened[2])
    made.register()
    return made


def _message(**said: Any) -> dict[str, Any]:
    return {"web_push": 8030, "notification": {"title": "Titel", "tag": "t", **said}}


def test_a14_only_our_own_pages_are_opened(opened: tuple[str, BrowserContext, Page], worker: ServiceWorker) -> None:
    base = opened[0]
    for where in [*FOREIGN, *links()]:
        button = {"action": "open", "title": "Lees", "navigate": where}
        worker.push(_message(navigate=where, actions=[button]))
        assert [href.rstrip("#") for href in worker.click("t")] == [f"{base}/"], where
        worker.push(_message(navigate=where, actions=[button]))
        assert [href.rstrip("#") for href in worker.click("t", "open")] == [f"{base}/"], where
    for path in OURS:
        for where in (path, base + path):
            worker.push(_message(navigate=where))
            assert worker.click("t") == [base + path]


def test_a14_what_is_stored_in_a_notification_is_looked_at_again(
    opened: tuple[str, BrowserContext, Page], worker: ServiceWorker
) -> None:
    opened[2].evaluate(
        """async () => (await navigator.serviceWorker.ready).showNotification("Van elders",
        { tag: "x", data: { navigate: "https://evil.example/", actions: { open: "javascript:alert(1)" } } })"""
    )
    assert worker.click("x") == [f"{opened[0]}/"]


def test_a14_every_payload_is_shown_as_the_text_that_it_is(
    opened: tuple[str, BrowserContext, Page], worker: ServiceWorker
) -> None:
    watch = Watch(frozenset({opened[0].removeprefix("http://")}))
    watch.follow(opened[2])
    for payload in texts()[::8]:
        worker.push(_message(title=f"T {payload}"[:300], body=payload))
        (shown,) = worker.shown()
        assert shown["title"].split() == f"T {payload}"[:300].split()
        assert shown["body"].split() == payload[:4000].split()
    assert watch.met == []


@pytest.mark.parametrize(
    "message",
    ["", "not JSON", "[]", "null", '{"notification": 1}', '{"notification": {"title": 7}}', "<h1>x</h1>", "[" * 3000],
)
def test_a14_what_cannot_be_read_is_shown_in_our_own_words(
    opened: tuple[str, BrowserContext, Page], worker: ServiceWorker, message: str
) -> None:
    worker.push(message)
    (shown,) = worker.shown()
    assert shown["title"] in {"Bericht van de gemeente", "Message from the municipality"}
    assert worker.click(shown["tag"]) == [f"{opened[0]}/"]


def test_a14_no_member_but_those_we_use_has_an_effect(worker: ServiceWorker) -> None:
    many = [{"action": f"a{each}", "title": "T" * 500, "navigate": "/nl/"} for each in range(9)]
    worker.push(
        _message(
            title="T" * 5000, body="b" * 9000, tag="g" * 900, dir="sideways", icon="https://evil.example/i.png",
            image="https://evil.example/i.png", badge="https://evil.example/i.png", actions=many, vibrate=[9000],
        )
    )  # fmt: skip
    (shown,) = worker.shown()
    assert (len(shown["title"]), len(shown["body"]), len(shown["tag"])) == (300, 4000, 64)
    assert [len(each["title"]) for each in shown["actions"]] == [60]
