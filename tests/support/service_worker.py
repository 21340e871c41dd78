"""The real service worker in a real browser: pushes reach it by Chromium's own door, clicks as the event they are."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Page, Worker

# A click on a notification cannot be made from outside, and only a real click may open a window: so the event is made
# in the worker, and what it would open is written down instead.
_CLICK = """async ([tag, action]) => {
  const opened = [];
  self.clients.openWindow = async (href) => { opened.push(href); };
  const [notification] = await self.registration.getNotifications({ tag });
  const event = new NotificationEvent("notificationclick", { notification, action });
  const waits = [];
  event.waitUntil = (promise) => waits.push(promise);
  self.dispatchEvent(event);
  await Promise.all(waits);
  return opened;
}"""
_SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map(({ title, body, tag, lang, data, actions, renotify }) => ({ title, body, tag, lang, data, renotify,
    actions: [...actions].map((each) => ({ action: each.action, title: each.title })) }))"""


class ServiceWorker:
    """The worker of the site that ``page`` shows, registered by the page's script or here."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self._context = context
        self._page = page
        self._devtools: CDPSession = context.new_cdp_session(page)
        self._registration = ""
        self._devtools.on("ServiceWorker.workerRegistrationUpdated", self._found)
        self._devtools.send("ServiceWorker.enable")
        origin = page.evaluate("location.origin")
        self._origin = str(origin)

    def _found(self, event: dict[str, Any]) -> None:
        for each in event["registrations"]:
            if not each["isDeleted"]:
                self._registration = each["registrationId"]

    def register(self) -> None:
        """Registers it as the page's script does, and waits until it works."""
        self._page.evaluate(
            """async () => { await navigator.serviceWorker.register("/push-worker.js", { scope: "/" });
            await navigator.serviceWorker.ready; }"""
        )

    @property
    def worker(self) -> Worker:
        return self._context.service_workers[0]

    def push(self, message: dict[str, Any] | str) -> None:
        """Delivers a message, as the browser does once it has decrypted it; waits until a notification stands."""
        while not self._registration:
            self._page.wait_for_timeout(20)
        before = self.worker.evaluate("self.showings = self.showings ?? 0")
        self.worker.evaluate(
            """() => { if (self.counting) return; self.counting = true;
            const show = self.registration.showNotification.bind(self.registration);
            self.registration.showNotification = async (...given) => {
              const done = await show(...given); self.showings += 1; return done; }; }"""
        )
        data = message if isinstance(message, str) else json.dumps(message)
        self._devtools.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": self._origin, "registrationId": self._registration, "data": data},
        )
        while self.worker.evaluate("self.showings") == before:
            self._page.wait_for_timeout(20)

    def shown(self) -> list[dict[str, Any]]:
        """The notifications that stand on the screen."""
        found: list[dict[str, Any]] = self._page.evaluate(_SHOWN)
        return found

    def click(self, tag: str, action: str = "") -> list[str]:
        """Presses the notification of ``tag``, or its button ``action``; the addresses that it would open."""
        opened: list[str] = self.worker.evaluate(_CLICK, [tag, action])
        return opened
