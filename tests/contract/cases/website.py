"""The website channel in the contract suite: a folder, and the web server that shows it."""

from __future__ import annotations

import fcntl
import functools
import http.server
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lxml import html

from channels.contract import Copy, Outcome, Reason
from channels.kit.egress import Egress
from tests.contract.case import BroadcastCase, Expected

SETTINGS: Mapping[str, object] = {
    "folder": "/srv/losser/site",
    "base_url": "https://losser.example",
    "languages": ["nl", "en"],
    "titles": {"nl": "Berichten van Losser", "en": "Announcements of Losser"},
}
A_FILE, BUSY, DAMAGED, LINK, FOREIGN = "the folder is a file", "held", "manifest damaged", "a link", "not our pages"


@dataclass(frozen=True)
class _FarSide:
    settings: Mapping[str, object]
    egress: Egress


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return None


def readable(copy: Copy) -> tuple[str, ...]:
    """The whole page, the bar of the practice town included."""
    return (" ".join(str(html.document_fromstring(copy.parts["page"]).xpath("string(//body)")).split()),)


@asynccontextmanager
async def _far_side(folder: Path, fault: str) -> AsyncIterator[_FarSide]:
    site = folder / "site"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base_url = f"http://localhost:{server.server_port}"
        settings = {**SETTINGS, "folder": str(site), "base_url": base_url, "wait": 0.05}
        lock = None if fault == A_FILE else _prepare(site, folder, fault)
        if fault == A_FILE:
            site.write_text("no folder")
        try:
            yield _FarSide(settings, Egress({("localhost", server.server_port)}))
        finally:
            if lock is not None:
                lock.close()
            server.shutdown()


def _prepare(site: Path, folder: Path, fault: str) -> IO[str] | None:
    """Makes the folder as the fault has it; the lock where another writer holds it."""
    ours = site / ".omroeper"
    ours.mkdir(parents=True)
    if fault == BUSY:
        lock = (ours / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock
    if fault == DAMAGED:
        (ours / "manifest.json").write_text('{"version": 1, "entries": {')
    if fault == LINK:
        (folder / "elsewhere").mkdir()
        (site / "nl").symlink_to(folder / "elsewhere")
    if fault == FOREIGN:
        (site / "index.html").write_text("<h1>Another site</h1>")
    return None


CASE = BroadcastCase(
    name="website",
    settings=SETTINGS,
    wrong=(
        ({}, frozenset({"folder", "base_url", "languages"})),
        (
            {
                **{"folder": "site", "base_url": "ftp://losser.example", "languages": ["NL"], "titles": {"nl": ""}},
                **{"list_length": 0, "banner_length": -1, "banner_days": 0, "assets": "built", "wait": 0},
            },
            frozenset(
                {"folder", "base_url", "languages", "titles.nl", "list_length", "banner_length", "banner_days"}
                | {"assets", "wait"}
            ),
        ),
        ({**SETTINGS, "languages": []}, frozenset({"languages"})),
        ({**SETTINGS, "languages": ["nl", "nl"]}, frozenset({"languages"})),
        ({**SETTINGS, "base_url": "https://user:geheim@losser.example"}, frozenset({"base_url"})),
    ),
    secrets=("geheim",),
    moments={
        A_FILE: Expected(None, down=True, needs_person=True),
        BUSY: Expected(None, down=True),
        DAMAGED: Expected(None, down=True, needs_person=True),
        LINK: Expected(Outcome.REJECTED, Reason.POLICY),
        FOREIGN: Expected(None, down=True, needs_person=True),
    },
    far_side=_far_side,
    readable=readable,
)
