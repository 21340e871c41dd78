"""A real browser that looks at pages and tells what it met there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, sync_playwright

from tests.support.browser import MISSING, find

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` that can be used while a browser is open: Playwright has a loop of its own on this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@dataclass
class Watch:
    """What a page did that it should not: dialogs, errors, what its policy refused, requests to other hosts."""

    hosts: frozenset[str]
    met: list[str] = field(default_factory=list)

    def follow(self, page: Page) -> None:
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self.met.append(f"error: {error}"))
        page.on("console", lambda message: self._said(message.type, message.text))
        page.on("request", self._request)

    def _dialog(self, dialog: Dialog) -> None:
        self.met.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _said(self, kind: str, text: str) -> None:
        if "Content Security Policy" in text or kind == "error":
            self.met.append(f"console: {text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc not in self.hosts:
            self.met.append(f"request: {request.url}")


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium. Skips the test where there is none (tests/skips.txt)."""
    path = find()
    if path is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        # The sandbox needs rights that a container often lacks; these pages are our own.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield started
        finally:
            started.close()
