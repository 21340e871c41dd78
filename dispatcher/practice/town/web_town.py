"""The town over HTTP: its page, the ways to each far side, and what can be done there.

=======================  =======================================================================================
``GET /``                the town; ``on=SLUG`` chooses an announcement, ``all=1`` lists every one
``GET /timeline`` …      leads to the page of a far side: ``/timeline``, ``/phones``, ``/colleagues``
``POST /town/tamper``    a form: ``slug``, ``language``, ``do`` (``fact``, ``text``, ``delete``): changes the post
``POST /town/fault``     a form: ``peer``, ``preset``: switches a fault on, or off where it is on
``POST /town/calm``      switches every fault off
=======================  =======================================================================================
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from dispatcher.practice.asgi import Refused, Request, Response, see_other
from dispatcher.practice.listener import Listener
from dispatcher.practice.pages import Pages, language_of
from dispatcher.practice.timeline.peer import Timeline
from dispatcher.practice.timeline.store import Status
from dispatcher.practice.town.board import Boards
from dispatcher.practice.town.exercises import exercises
from dispatcher.practice.town.heard import Source
from dispatcher.practice.town.shown import board_values
from dispatcher.practice.town.site import Site
from dispatcher.practice.town.tamper import Tampering, tamper
from dispatcher.practice.town.words import TOWN
from dispatcher.practice.wanted import FaultsInvalid

Handler = Callable[..., Awaitable[Response]]
_FEW = 5  # announcements to choose from at first sight
_WAYS = {"timeline": "timeline", "phones": "push", "colleagues": "colleagues"}


class WebTown:
    """Shows the town that ``sources`` follow and ``site`` tells of; ``far_sides`` are those that have faults."""

    def __init__(
        self, far_sides: Mapping[str, Listener[Any]], sources: Mapping[str, Source], site: Site | None, pages: Pages
    ) -> None:
        self._far_sides = far_sides
        self._sources = sources
        self._site = site
        self._boards = Boards(sources, site)
        self._pages = pages
        self.routes: list[tuple[str, re.Pattern[str], Handler]] = [
            ("GET", re.compile("/"), self._town),
            ("GET", re.compile(f"/(?P<way>{'|'.join(_WAYS)})"), self._way),
            ("POST", re.compile("/town/tamper"), self._tamper),
            ("POST", re.compile("/town/fault"), self._fault),
            ("POST", re.compile("/town/calm"), self._calm),
        ]

    async def _town(self, request: Request) -> Response:
        language = language_of(request)
        found = await self._boards.announcements(language)
        wanted = request.query.get("on", "")
        chosen = next((each for each in found if each.slug == wanted), None)
        if wanted and chosen is None:
            page = self._pages.problem(request, TOWN[language]["unknown"])
            return replace(page, status=HTTPStatus.NOT_FOUND)
        chosen = chosen or (found[0] if found else None)
        shown = found if request.query.get("all") else found[:_FEW]
        if chosen and chosen not in shown:
            shown = [*shown, chosen]
        values: dict[str, Any] = {
            "w": TOWN[language],
            "board": None,
            "choices": [(each, each == chosen) for each in shown],
            "more": len(found) if len(found) > len(shown) else 0,
            "site": self._site.links.base if self._site else "",
            "exercises": exercises(self._far_sides, language),
            "here": f"/?{urlencode(request.query)}" if request.query else "/",
            "on": chosen.slug if chosen else "",
            "not_kept": not all(peer.keeps for peer in self._far_sides.values()),
        }
        if chosen:
            values["board"] = board_values(await self._boards.board(chosen, language), language)
        return self._pages.page("town.html", request, values, scripts=True)

    async def _way(self, request: Request, way: str) -> Response:  # noqa: ARG002 - as every handler
        peer = self._far_sides.get(_WAYS[way])
        return see_other(f"http://localhost:{peer.port}/" if peer else "/")

    async def _tamper(self, request: Request) -> Response:
        form = request.form
        try:
            how = Tampering(form.get("do", ""))
        except ValueError:
            raise Refused(HTTPStatus.BAD_REQUEST, f"do is one of {', '.join(Tampering)}.") from None
        timeline, source = self._far_sides.get("timeline"), self._sources.get("timeline")
        slug = form.get("slug", "")
        if isinstance(timeline, Timeline) and source is not None:
            await source.look()
            heard = source.by_slug.get(slug)
            status: Status | None = heard.latest[heard.language(form.get("language", ""))][1] if heard else None
            if status is not None and not status.gone:
                tamper(timeline.store, status, how)
                return see_other(_at(slug))
        page = self._pages.problem(request, TOWN[language_of(request)]["tamper_nothing"])
        return replace(page, status=HTTPStatus.CONFLICT)

    async def _fault(self, request: Request) -> Response:
        form = request.form
        peer, preset = self._far_sides.get(form.get("peer", "")), form.get("preset", "")
        if peer is None or preset not in peer.presets:
            raise Refused(HTTPStatus.BAD_REQUEST, "There is no such fault.")
        try:
            faults = peer.read_faults({"preset": preset})
        except FaultsInvalid as error:  # a preset is never wrong; if one were, say how
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
        numbers = [int(number) for number in form.get("numbers", "").split() if number.isdigit()]
        for number in numbers:
            await peer.switch_off(number)
        if not numbers:
            await peer.switch(faults, keep=True)
        return see_other(_at(form.get("slug", "")))

    async def _calm(self, request: Request) -> Response:
        for peer in self._far_sides.values():
            await peer.switch([])
        return see_other(_at(request.form.get("slug", "")))


def _at(slug: str) -> str:
    return f"/?{urlencode({'on': slug})}" if slug else "/"
