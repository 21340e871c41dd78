"""A resident's whole way, in a real browser on a real installation: subscribe, say yes, hear, change, leave, return."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dispatcher.audience.tokens import Purpose, make
from tests.support import databases, scratch
from tests.support.pages import Watch, browser
from tests.support.service_worker import ServiceWorker
from tests.support.town import Town

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ANNOUNCEMENT = """---
kind: news
audience: [resident]
topics: [road-works]
nl:
  title: Hoofdstraat {days} dagen dicht
  summary: Van maandag 16 maart af is de Hoofdstraat {days} dagen dicht.
{change}---
# nl
Fietsers kunnen erlangs.
"""


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    folder = scratch.folder("residents")
    with databases.fresh(folder / "town") as database, Town(folder / "town", database) as running:
        assert running.cli("practice", "populate", "1").code == 0
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def _site(town: Town) -> str:
    return f"http://localhost:{town.ports['web']}"


def _push_service(town: Town) -> str:
    return f"127.0.0.1:{town.ports['push']}"


def _mail(town: Town, recipient: str, count: int) -> str:
    """The newest of ``count`` mails to ``recipient``, as HTML."""

    def found() -> list[dict[str, Any]]:
        said: dict[str, Any] = town.practice.get("/mail.json", q=recipient).json()
        messages: list[dict[str, Any]] = said["messages"]
        return messages if len(messages) >= count else []

    newest = max(each["number"] for each in town.until(found, what=f"mail {count} to {recipient}"))
    return town.practice.get(f"/message/{newest}/html").text


def _link(mail: str, purpose: str) -> str:
    found = re.search(rf"http://localhost:\d+/{purpose}/[\w=-]+", mail)
    assert found, f"no link to {purpose}"
    return found[0]


def _pushed(town: Town, device: str, count: int) -> dict[str, Any]:
    """The newest of ``count`` messages for a device, as its phone decrypted it."""

    def found() -> list[dict[str, Any]]:
        answer = httpx.get(f"http://{_push_service(town)}/messages.json", params={"recipient": device}, trust_env=False)
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages if len(messages) >= count else []

    notification: dict[str, Any] = town.until(found, what=f"push {count}")[-1]["notification"]
    return {"web_push": 8030, "notification": notification}


def _file(folder: Path, days: str, change: str = "") -> Path:
    file = folder / f"hoofdstraat-{days}.md"
    file.write_text(ANNOUNCEMENT.format(days=days, change=f"  change: {change}\n" if change else ""), encoding="utf-8")
    return file


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_by_mail_from_the_first_page_to_leaving_and_back(town: Town, chromium: Browser, script: bool) -> None:
    recipient = f"lezer-{'met' if script else 'zonder'}@practice.invalid"
    with chromium.new_context(java_script_enabled=script, locale="nl-NL") as context:
        page = context.new_page()
        page.goto(f"{_site(town)}/subscribe/")
        expect(page.locator("#push")).to_be_visible() if script else expect(page.locator("#push")).to_be_hidden()
        page.get_by_label("Werk aan de weg").check()
        page.get_by_role("button", name="Meld mij aan").click()
        summary = page.locator(".errors")
        expect(summary).to_be_focused()
        summary.get_by_role("link").click()
        expect(page.locator("#way")).to_be_focused()
        expect(page.get_by_label("Werk aan de weg")).to_be_checked()
        page.get_by_label("Overdinkel").check()
        page.get_by_label("Per e-mail").fill(recipient)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Nog één stap")
        page.goto(_link(_mail(town, recipient, 1), "confirm"))
        page.get_by_role("button", name="Ja, stuur mij berichten").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("U krijgt onze berichten")

        page.goto(f"{_site(town)}/subscribe/")
        page.get_by_role("link", name="Bekijk of verander uw keuzes").click()
        page.get_by_label("Uw e-mailadres").fill(recipient)
        page.get_by_role("button", name="Stuur mij de link").click()
        login = _link(_mail(town, recipient, 2), "login")
        page.goto(login)
        page.get_by_role("button", name="Bekijk mijn keuzes").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Uw berichten")
        page.get_by_label("Evenementen").check()
        page.get_by_role("button", name="Bewaar mijn keuze").click()
        expect(page.get_by_role("status").first).to_contain_text("Bewaard.")
        expect(page.get_by_label("Evenementen")).to_be_checked()
        page.get_by_role("button", name="Stop alle berichten").click()
        expect(page.get_by_role("status").first).to_contain_text("U krijgt geen berichten meer.")
        page.get_by_role("button", name="Toch berichten blijven krijgen").click()
        expect(page.get_by_role("status").first).to_contain_text("U blijft berichten krijgen.")
        mine = page.url
        page.goto(login)
        expect(page.get_by_role("heading", level=1)).to_have_text("Deze link werkt niet meer")
        page.goto(mine)
        expect(page.get_by_role("button", name=re.compile("Haal weg"))).to_have_count(1)


def _as_browser(context: BrowserContext, town: Town) -> None:
    """The page takes the browser's way; only its push service is the practice town's, which can decrypt."""
    context.add_init_script(
        """document.addEventListener("readystatechange", () => {
          const push = document.getElementById("push");
          if (push) push.dataset.practice = "";
        });
        if (self.PushManager) {
          PushManager.prototype.subscribe = async function ({ userVisibleOnly, applicationServerKey }) {
            if (!userVisibleOnly || applicationServerKey.length !== 65) throw new Error("wrong options");
            const answer = await fetch("http://PLACE/subscriptions", { method: "POST" });
            const made = await answer.json();
            self.made = made;
            return { toJSON: () => made };
          };
        }""".replace("PLACE", _push_service(town))
    )


def test_by_push_a_real_encrypted_message_reaches_the_real_service_worker(
    town: Town, chromium: Browser, tmp_path: Path
) -> None:
    with chromium.new_context(locale="nl-NL", permissions=["notifications"]) as context:
        _as_browser(context, town)
        page = context.new_page()
        watch = Watch(frozenset({f"localhost:{town.ports['web']}", _push_service(town)}))
        watch.follow(page)
        page.goto(f"{_site(town)}/subscribe/")
        page.get_by_label("Werk aan de weg").check()
        page.get_by_role("button", name="Toon meldingen op").click()
        expect(page.get_by_text("Dit apparaat is klaar.").first).to_be_visible()
        device = page.evaluate("self.made.endpoint").rpartition("/")[2]
        page.get_by_role("button", name="Meld mij aan").click()
        expect(page.get_by_text("Kijk bij de meldingen op dit apparaat")).to_be_visible()
        worker = ServiceWorker(context, page)

        question = _pushed(town, device, 1)
        worker.push(question)
        (shown,) = worker.shown()
        assert shown["title"] == "Klopt uw aanmelding?"
        (opened,) = worker.click(shown["tag"])
        assert opened.startswith(f"{_site(town)}/confirm/")
        assert worker.shown() == [], "what was pressed is put away"
        page.goto(opened)
        page.get_by_role("button", name="Ja, stuur mij berichten").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("U krijgt onze berichten")

        said = town.cli("announce", _file(tmp_path, "drie"), "--json")
        assert said.code == 0, said.err
        worker.push(_pushed(town, device, 2))
        (first,) = worker.shown()
        assert "Hoofdstraat drie dagen dicht" in first["title"]
        corrected = town.cli(
            "update", said.json["announcement"], _file(tmp_path, "vier", "Het duurt een dag langer."), "--json"
        )
        assert corrected.code == 0, corrected.err
        worker.push(_pushed(town, device, 3))
        (second,) = worker.shown()
        assert second["tag"] == first["tag"], "the correction takes the place of its original"
        assert "vier" in second["title"]
        assert worker.click(second["tag"]) == [f"{_site(town)}/nl/{said.json['announcement']}/"]

        for path in ("/nl/", f"/nl/{said.json['announcement']}/"):
            page.goto(_site(town) + path)
            page.get_by_role("link", name="Krijg deze berichten").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Hoor wat er verandert in uw buurt")
        expect(page.locator("#push")).to_be_visible()
        assert [line for line in watch.met if "favicon" not in line] == []


def test_in_the_practice_town_the_message_is_on_the_drawn_phone(town: Town, chromium: Browser) -> None:
    with chromium.new_context(locale="nl-NL") as context:
        page = context.new_page()
        watch = Watch(frozenset({f"localhost:{town.ports['web']}", _push_service(town)}))
        watch.follow(page)
        page.goto(f"{_site(town)}/subscribe/")
        expect(page.get_by_text("op de getekende telefoon van de oefenstad")).to_be_visible()
        with page.expect_response(re.compile("/subscriptions")) as asked:
            page.get_by_role("button", name="Toon meldingen op de getekende telefoon").click()
        device = asked.value.json()["endpoint"].rpartition("/")[2]
        page.get_by_role("button", name="Meld mij aan").click()
        expect(page.get_by_text("de melding staat op de getekende telefoon")).to_be_visible()
        _pushed(town, device, 1)
        page.get_by_role("link", name="Open de getekende telefoon").click()
        page.get_by_role("link", name="Klopt uw aanmelding?").click()
        page.wait_for_url("**/confirm/*")
        watch.met = [line for line in watch.met if "404" not in line]  # the phone's page has no icon
        page.get_by_role("button", name="Ja, stuur mij berichten").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("U krijgt onze berichten")
        page.get_by_role("link", name="Bekijk of verander uw keuzes").click()
        expect(page.get_by_text("een apparaat").first).to_be_visible()
        page.goto(f"{_site(town)}/subscribe/")
        expect(page.get_by_text("Dit apparaat is al eens aangemeld.").first).to_be_visible()
        assert watch.met == []


def test_a_device_is_added_on_the_page_of_ones_choices(town: Town, chromium: Browser) -> None:
    address = town.rows("SELECT public_id FROM audience_address WHERE channel = 'email' ORDER BY id LIMIT 1")[0]
    with chromium.new_context(locale="nl-NL") as context:
        page = context.new_page()
        page.goto(f"{_site(town)}/preferences/{make(Purpose.PREFERENCES, address['public_id'], 0)}")
        listed = page.locator(".reached > li")
        before = listed.count()
        page.get_by_role("button", name="Toon meldingen op de getekende telefoon").click()
        expect(page.get_by_role("status").first).to_contain_text("Nog één stap.")
        expect(listed).to_have_count(before + 1)
        expect(listed.last).to_contain_text("wacht op uw ja")
        listed.last.get_by_role("button", name=re.compile("Haal weg")).click()
        expect(listed.last).to_contain_text("gestopt op")
        listed.last.get_by_role("button", name=re.compile("Zet terug")).click()
        expect(listed.last).to_contain_text("wacht op uw ja")


STATES: dict[str, str] = {
    "blocked": "Object.defineProperty(Notification, 'permission', { get: () => 'denied' });",
    "unsupported": "delete self.PushManager;",
    "iphone": "delete self.PushManager; Object.defineProperty(navigator, 'userAgent', { get: () => 'iPhone' });",
    "off": "",
}
SAID = {
    "blocked": "op dit apparaat geblokkeerd",
    "unsupported": "Deze browser kan geen meldingen tonen",
    "iphone": "Zet op beginscherm",
    "off": "Kies dan voor toestaan",
}


@pytest.mark.parametrize("state", STATES)
def test_the_state_of_the_browser_is_told_truthfully_and_nothing_is_asked(
    town: Town, chromium: Browser, state: str
) -> None:
    with chromium.new_context(locale="nl-NL") as context:
        context.add_init_script(
            "if (self.Notification) Notification.requestPermission = () => { self.asked = true; return 'default'; };"
            + STATES[state]
        )
        _outside_practice(context)
        page = context.new_page()
        page.goto(f"{_site(town)}/subscribe/")
        if state == "off":
            assert "Kies dan voor toestaan" not in page.content(), "in practice nobody is asked"
            expect(page.locator('#push [data-state="off"]')).to_be_visible()
        else:
            expect(page.get_by_text(SAID[state]).first).to_be_visible()
        assert page.evaluate("self.asked") is None, "permission is asked for only after the button"
        if state == "off":
            page.get_by_role("button", name="Toon meldingen op").click()
            expect(page.locator('#push [data-state="off"]')).to_be_visible()
            assert page.evaluate("self.asked"), "and then it is"


def _outside_practice(context: BrowserContext) -> None:
    context.add_init_script(
        """document.addEventListener("readystatechange", () => {
          const push = document.getElementById("push");
          if (push) push.dataset.practice = "";
        });"""
    )


def test_a_service_that_does_not_answer_is_told_and_can_be_tried_again(town: Town, chromium: Browser) -> None:
    with chromium.new_context(locale="nl-NL") as context:
        page = context.new_page()
        page.route("**/subscriptions", lambda route: route.abort())
        page.goto(f"{_site(town)}/subscribe/")
        page.get_by_role("button", name="Toon meldingen op de getekende telefoon").click()
        expect(page.get_by_text("Het is niet gelukt.").first).to_be_visible()
        page.unroute("**/subscriptions")
        page.locator("#push").get_by_role("button", name="Probeer het nog een keer").click()
        expect(page.get_by_text("Dit apparaat is klaar.").first).to_be_visible()


def test_a_subscription_that_the_browser_replaced_is_told_to_us(town: Town, chromium: Browser) -> None:
    with chromium.new_context(locale="nl-NL", permissions=["notifications"]) as context:
        _as_browser(context, town)
        page = context.new_page()
        page.goto(f"{_site(town)}/subscribe/")
        page.get_by_role("button", name="Toon meldingen op").click()
        expect(page.get_by_text("Dit apparaat is klaar.").first).to_be_visible()
        old = page.evaluate("self.made.endpoint")
        page.get_by_role("button", name="Meld mij aan").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Nog één stap")
        fresh = httpx.post(f"http://{_push_service(town)}/subscriptions", trust_env=False).json()
        context.service_workers[0].evaluate(
            """(fresh) => { const event = new ExtendableEvent("pushsubscriptionchange");
            event.newSubscription = { toJSON: () => fresh }; self.dispatchEvent(event); }""",
            fresh,
        )

        def values() -> list[str]:
            rows = town.rows("SELECT value FROM audience_address WHERE channel = 'webpush' ORDER BY id")
            return [json.loads(row["value"])["endpoint"] for row in rows]

        town.until(lambda: fresh["endpoint"] in values(), what="the new subscription")
        assert old not in values()


@pytest.fixture(scope="module")
def every_page(town: Town) -> dict[str, str]:
    """One page of each sort that can be opened by its address."""
    site = _site(town)
    address = town.rows("SELECT public_id FROM audience_address WHERE channel = 'email' ORDER BY id LIMIT 1")[0]
    token = make(Purpose.PREFERENCES, address["public_id"], 0)
    return {
        "subscribe": f"{site}/subscribe/",
        "lost link": f"{site}/preferences/",
        "log in": f"{site}/login/{make(Purpose.LOGIN, address['public_id'], 0)}",
        "preferences": f"{site}/preferences/{token}",
        "stopped": f"{site}/preferences/{token}?done=stopped",
    }


def _each(page: Page, pages: dict[str, str], language: str) -> Iterator[str]:
    """Goes through every page and state; the names, each with the page open."""
    for name, url in pages.items():
        page.goto(f"{url}{'&' if '?' in url else '?'}lang={language}")
        yield name
    page.goto(f"{pages['subscribe']}?lang={language}")
    for state in ("off", "asking", "ready", "already", "blocked", "iphone", "unsupported", "failed"):
        page.evaluate(
            """(now) => { const push = document.getElementById("push"); push.hidden = false;
            for (const each of push.querySelectorAll("[data-state]")) each.hidden = each.dataset.state !== now; }""",
            state,
        )
        yield f"push {state}"
    page.locator("main button[type=submit]").click()
    yield "errors"
    page.goto(f"{pages['lost link']}?lang={language}")
    page.locator("#email").fill("geen adres")
    page.locator("main button[type=submit]").click()
    yield "errors of the lost link"


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize(("scheme", "language"), [("light", "nl"), ("dark", "en")])
def test_no_page_or_state_has_a_barrier(
    chromium: Browser,
    every_page: dict[str, str],
    scheme: Literal["light", "dark"],
    language: str,
    width: int,
) -> None:
    found = {}
    with chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        for name in _each(page, every_page, language):
            result = Axe().run(page, options={"runOnly": RULES})
            if result.violations_count:
                found[name] = result.generate_report()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            small = page.locator(".bar a, button, .choice, .pick").evaluate_all(
                """all => all.map(e => e.getBoundingClientRect())
                .filter(r => r.width && (r.height < 44 || r.width < 44)).length"""
            )
            assert small == 0, name
    assert found == {}


def test_the_app_can_be_installed(town: Town, chromium: Browser) -> None:
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{_site(town)}/subscribe/")
        devtools = context.new_cdp_session(page)
        manifest = devtools.send("Page.getAppManifest")
        assert manifest["errors"] == []
        said = json.loads(manifest["data"])
        for icon in said["icons"]:
            answer = context.request.get(f"{_site(town)}{icon['src']}")
            assert answer.headers["content-type"] == icon["type"]
        assert said["start_url"].startswith(said["scope"])
