"""The practice town's pages in a real browser: for everyone, on every screen, and safe whatever a mail holds."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, Request

from tests.support.practice import Practice

PAGES = ["/", "/mailbox", "/addresses", "/message/1", "/faults", "/nowhere"]
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
NASTY = """<html><head><title>x</title></head><body>
<h1>Dag</h1><p><a href="{target}">Lees meer</a></p>
<script>alert(1)</script><img src="https://tracker.example/x.png" onerror="alert(2)" alt="plaatje">
<form action="https://evil.example/"><button>Log in</button></form>
<meta http-equiv="refresh" content="0;url=https://evil.example/"><iframe src="https://evil.example/"></iframe>
</body></html>"""


@pytest.fixture(scope="module")
def _town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with Practice(tmp_path_factory.mktemp("browser")) as practice:
        with smtplib.SMTP("localhost", practice.smtp_port) as client:
            for number in range(60):
                mail = EmailMessage(policy=SMTP)
                mail["From"], mail["To"] = "berichten@practice.invalid", f"resident-{number:04}@practice.invalid"
                mail["Subject"] = "Gemeentewerkzaamhedencoördinatieoverleg " * 2
                mail["Message-ID"] = f"<{'a' * 70}{number}@practice.invalid>"
                mail.set_content("Dag\n" + "https://losser.example/" + "lang/" * 40)
                mail.add_alternative(NASTY.format(target=f"{practice.url}/health"), subtype="html")
                client.send_message(mail)
        yield practice


@pytest.fixture
def town(_town: Practice) -> Practice:
    _town.switch("unknown-address", "slow")
    return _town


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page; ``indirect`` parameters are those of its context."""
    context = browser.new_context(**getattr(request, "param", {}))
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    "page",
    [
        {"viewport": {"width": 1280, "height": 900}},
        {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
    ],
    indirect=True,
    ids=["desk", "phone in the dark"],
)
def test_pages_are_for_everyone_and_fit_the_screen(town: Practice, page: Page) -> None:
    width = (page.viewport_size or {"width": 0})["width"]
    for path in PAGES:
        page.goto(town.url + path)
        result = Axe().run(page, options={"runOnly": WCAG})
        found = [(violation["id"], violation["nodes"][0]["html"][:200]) for violation in result.response["violations"]]
        assert found == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_a_fault_is_switched_on_with_the_keyboard_alone(town: Practice, page: Page) -> None:
    town.clear()
    page.goto(f"{town.url}/faults")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
    page.keyboard.press("Enter")
    for _ in range(8):  # past the choice of a far side
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/faults")

    assert page.locator("ul.list").inner_text().startswith("Traag")
    assert [fault["kind"] for fault in town.state()["faults"]] == ["slow"]


def test_a_mail_can_do_nothing_but_be_read(town: Practice, page: Page) -> None:
    dialogs: list[str] = []
    asked: list[Request] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - it marks the function it is given
    page.goto(f"{town.url}/message/1", wait_until="networkidle")

    assert dialogs == []
    # The browser names a request that a policy stopped as well: what matters is that it did not leave.
    assert {request.failure for request in asked if not request.url.startswith(town.url)} <= {"csp"}
    mail = page.frame_locator("iframe.letter__page")
    assert mail.locator("h1").inner_text() == "Dag"
    with page.expect_popup() as opened:
        mail.locator("a").click()
    assert opened.value.url == f"{town.url}/health"
    assert page.url == f"{town.url}/message/1"
