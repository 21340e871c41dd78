"""A practice town beside a public site that our website channel writes, and copies to send to all of its places."""

from __future__ import annotations

import asyncio
import functools
import http.server
import json
import smtplib
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import lxml.html

from channels.contract import Act, Bulletin, Outcome, Recipient, Surroundings
from channels.kit.egress import Egress
from channels.kit.push_address import PushAddress
from channels.kit.vapid import new_key
from channels.webpush import WebPush
from dispatcher.practice.timeline.api import TOKEN
from tests.support.practice import Practice
from tests.support.site import announcement, put, website

T = TypeVar("T")
PLACES = ("website", "mail", "timeline", "push", "colleagues")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass


class SideBySide:
    """``with SideBySide(folder) as town``: ``town.practice`` runs, and reads the site at ``town.base``."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        public = folder / "site"
        public.mkdir(parents=True)
        handler = functools.partial(_Quiet, directory=str(public))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.base = f"http://localhost:{self._server.server_address[1]}"
        self._website = website(public, base_url=self.base)
        self.practice = Practice(folder / "town", "--site", self.base, *arguments)
        self._posts: dict[tuple[str, str], str] = {}
        self._vapid = new_key()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.practice.__exit__()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def revision(self, slug: str, **more: Any) -> Bulletin:
        """A revision of an announcement, with the addresses of this site."""
        return announcement(slug, base_url=self.base, **more)

    def publish(self, bulletin: Bulletin, act: Act = Act.ANNOUNCE) -> None:
        """Puts it on the site, in Dutch and English."""
        _run(put(self._website, bulletin, act))

    def send(self, bulletin: Bulletin, *places: str, act: Act = Act.ANNOUNCE, language: str = "nl") -> None:
        """Sends it to these places: all of them where none is named."""
        for place in places or PLACES[1:]:
            {"mail": self.mail, "timeline": self.post, "push": self.push, "colleagues": self.hook}[place](
                bulletin, act, language
            )

    def mail(self, bulletin: Bulletin, act: Act, language: str, to: str = "resident-0001") -> None:
        text = bulletin.texts[language]
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = "Gemeente Losser <berichten@practice.invalid>", f"{to}@practice.invalid"
        mail["Subject"], mail["Message-ID"] = f"{_said(act)}{text.title}", f"<{to}.{act}@practice.invalid>"
        mail.set_content(f"{text.title}\n\n{text.summary}\n\nLees het op de website:\n{text.url}\n\n{text.body_text}\n")
        with smtplib.SMTP("localhost", self.practice.smtp_port) as client:
            client.send_message(mail)

    def post(self, bulletin: Bulletin, act: Act, language: str) -> None:
        text, known = bulletin.texts[language], self._posts.get((bulletin.slug, language))
        values = {
            "status": f"{_said(act)}{text.title}\n\n{text.summary}\n\nLees meer: {text.url}",
            "language": language,
        }
        url = f"http://localhost:{self.practice.ports['timeline']}/api/v1/statuses"
        with httpx.Client(headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
            answer = client.put(f"{url}/{known}", data=values) if known else client.post(url, data=values)
        assert answer.status_code == 200, answer.text
        self._posts[bulletin.slug, language] = answer.json()["id"]

    def hook(self, bulletin: Bulletin, act: Act, language: str) -> None:
        text = bulletin.texts[language]
        said = {"title": "", "message": f"{_said(act)}{text.title}\n\n{text.summary}\n\nLees meer: {text.url}"}
        url = f"http://localhost:{self.practice.ports['colleagues']}/hook/colleagues"
        assert httpx.post(url, json=said, trust_env=False).status_code == 200

    def push(self, bulletin: Bulletin, act: Act, language: str, name: str = "resident-0001") -> None:
        """By our own channel: pushing takes real encryption."""
        place = f"127.0.0.1:{self.practice.ports['push']}"
        made = httpx.post(f"http://{place}/subscriptions", json={"names": [name]}, trust_env=False).json()
        address = PushAddress.from_subscription(json.dumps(made["subscriptions"][0]), extra_hosts=[place])
        slots = {"preferences_url": f"{self.base}/preferences/abc"}

        async def source() -> AsyncIterator[Recipient]:
            yield Recipient(address=address.value(), key=f"{bulletin.slug}.{act}", thread=bulletin.slug, slots=slots)

        async def deliver() -> list[Outcome]:
            egress = Egress({("127.0.0.1", self.practice.ports["push"])})
            settings = {"vapid_key": self._vapid, "contact": "mailto:a@losser.example", "extra_hosts": [place]}
            async with WebPush(WebPush.read_settings(settings), Surroundings(egress)) as channel:
                copy = channel.compose(bulletin, language, act, channel.limits)
                return [receipt.outcome async for receipt in channel.deliver(act, copy, source())]

        assert _run(deliver()) == [Outcome.ACCEPTED]

    def look(self, **query: str) -> Shown:
        """The town's page."""
        answer = self.practice.get("/", **query)
        assert answer.status_code == 200, answer.text
        return Shown(lxml.html.document_fromstring(answer.content))


class Shown:
    """The town's page as a reader finds it."""

    def __init__(self, page: lxml.html.HtmlElement) -> None:
        self.page = page
        self.text = " ".join(page.text_content().split())

    def words(self, identity: str) -> str:
        """The text of the element with an id; empty where there is none."""
        found = self.page.find(f".//*[@id='{identity}']")
        return "" if found is None else " ".join(found.text_content().split())

    @property
    def states(self) -> dict[str, str]:
        """By place, the words of its state."""
        return {place: self._state(place) for place in PLACES}

    def _state(self, place: str) -> str:
        found = self.page.xpath(f"//*[@id='column-{place}-head']/p[last()]")
        return " ".join(found[0].text_content().split()) if found else ""

    @property
    def choices(self) -> list[str]:
        """The announcements to choose from."""
        return [" ".join(each.text_content().split()) for each in self.page.xpath("//*[@id='choose']//li/a")]


def _run(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: a test with a browser has a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result(60)


def _said(act: Act) -> str:
    return {Act.UPDATE: "Gewijzigd: ", Act.WITHDRAW: "Ingetrokken: "}.get(act, "")
