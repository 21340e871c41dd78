"""What the practice town's HTTP far sides share: a port on this machine, faults, a record, pages."""

from __future__ import annotations

import asyncio
import mimetypes
import socket
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit

from aiohttp import web

from dispatcher.practice.http_faults import KINDS, HttpFault, Signal, adapter
from dispatcher.practice.http_line import Exchange, HttpLine
from dispatcher.practice.http_presets import HTTP_PRESETS
from dispatcher.practice.http_switchboard import HttpSwitchboard
from dispatcher.practice.journal import Journal
from dispatcher.practice.listener import Listener
from dispatcher.practice.peer import NotFound, parent_of, process_at, send_signal
from dispatcher.practice.record import Record
from dispatcher.practice.rendering import TEMPLATES
from dispatcher.practice.wanted import read_wanted

OUR_NAMES = {"localhost", "127.0.0.1", "::1"}
MAX_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Setting:
    """What a far side is started with.

    ``folder`` is its own, for what it keeps. ``assets`` has the product's style sheet, if any. ``home`` is the address
    of the practice town's own pages. ``keep`` off is for load tests: it neither keeps lines nor looks up who sent them.
    """

    folder: Path
    assets: Path | None
    home: str
    keep: bool = True


class HttpPeer(Listener[HttpFault], ABC):
    """A far side that speaks HTTP. A subclass names itself, gives ``routes`` and calls ``take`` for what it takes.

    Where it changes something a handler calls ``take`` before it answers: what is not on record was not taken.

    Raises:
        OSError: its folder cannot be written to.
    """

    presets = HTTP_PRESETS
    max_body: ClassVar[int] = MAX_BODY

    def __init__(self, sockets: Sequence[socket.socket], setting: Setting) -> None:
        self.record = Record(setting.folder, keep=setting.keep)
        self.switchboard = HttpSwitchboard()
        super().__init__(sockets, Journal(setting.folder / "faults.jsonl"), self.switchboard)
        self.setting = setting
        self.lines: set[HttpLine] = set()
        self._runner: web.AppRunner | None = None

    @abstractmethod
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """What it answers, beside ``/assets/…`` and ``/practice.css`` for its pages."""

    async def open(self) -> None:
        if self._runner is None:
            application = web.Application(middlewares=[_only_here, _with_faults], client_max_size=self.max_body)
            application.add_routes(self.routes())
            application.add_routes([web.get("/practice.css", self._style), web.get("/assets/{name:.+}", self._asset)])
            self._runner = web.AppRunner(application, access_log=None)
            await self._runner.setup()
        await super().open()

    def close(self) -> None:
        super().close()
        self.journal.close()
        self.record.close()

    def take(self, request: web.Request, *, key: str, recipient: str, what: str, **more: Any) -> dict[str, Any]:
        """Records a message taken; when this returns, the record holds it.

        Raises:
            OSError: the disk is full or failing; it does not count as taken.
        """
        line = cast(HttpLine, request.protocol)
        pid = line.peer() if self.setting.keep else None
        return self.record.add(key=key, recipient=recipient, what=what, port=line.port, pid=pid, **more)

    @property
    def keeps(self) -> bool:
        return self.setting.keep

    def read_faults(self, wanted: object) -> list[HttpFault]:
        return read_wanted(wanted, adapter, {name: preset.fault for name, preset in self.presets.items()}, KINDS)

    def add_faults(self, faults: Sequence[HttpFault]) -> None:
        self.switchboard.add(faults)

    def make_line(self) -> asyncio.Protocol:
        assert self._runner is not None and self._runner.server is not None
        return HttpLine(self, self._runner.server)

    def transports(self) -> Iterable[asyncio.Transport]:
        return [line.open_transport for line in self.lines]

    def send_signal(self, line: HttpLine, fault: Signal) -> None:
        """Sends the fault's signal, and notes in the journal whom it hit or why nobody."""
        details: dict[str, Any] = {
            "signal": fault.signal,
            "moment": fault.moment.value,
            "to": fault.to,
            "port": line.port,
            "taken": len(self.record.taken),
        }
        try:
            peer = process_at(line.port, self.port)
            target = parent_of(peer) if fault.to == "parent" else peer
            send_signal(target, fault.signal)
        except NotFound as error:
            self.journal.note("signal not sent", why=str(error), **details)
        else:
            self.journal.note("signal sent", pid=target, peer=peer, **details)

    async def _style(self, _request: web.Request) -> web.Response:
        return web.Response(body=(TEMPLATES / "practice.css").read_bytes(), content_type="text/css", charset="utf-8")

    async def _asset(self, request: web.Request) -> web.Response:
        name, folder = request.match_info["name"], self.setting.assets
        path = (folder / name).resolve() if folder else None
        if path is None or folder is None or not path.is_relative_to(folder.resolve()) or not path.is_file():
            raise web.HTTPNotFound(text="There is no such file.")
        return web.Response(
            body=path.read_bytes(), content_type=mimetypes.guess_type(name)[0] or "application/octet-stream"
        )


def from_our_page(request: web.Request) -> bool:
    """Whether a form was sent by a page of this far side, or by a program: not by a strange site's page."""
    origin = request.headers.get("Origin")
    strange = origin is not None and origin != f"http://{request.host}"
    return not strange and request.headers.get("Sec-Fetch-Site", "none") in {"same-origin", "none"}


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def _only_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    # A name that points to this machine (DNS rebinding) is not ours.
    if (urlsplit(f"//{request.host}").hostname or "") not in OUR_NAMES:
        return web.Response(status=403, text="This server is known as localhost only.")
    return await handler(request)


@web.middleware
async def _with_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    return await Exchange(request, handler).run()
