"""Faults over HTTP: for people by forms, for programs as JSON, in the same way for every far side."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from dispatcher.practice.asgi import Refused, Request, Response, as_json, see_other
from dispatcher.practice.faults_page import NUMBERS
from dispatcher.practice.listener import Listener
from dispatcher.practice.pages import Pages, language_of
from dispatcher.practice.wanted import FaultsInvalid
from dispatcher.practice.words import WORDS

Handler = Callable[..., Awaitable[Response]]
_TYPED = {*NUMBERS, "match"}


class WebFaults:
    """Switches the faults of ``far_sides`` and shows them; ``mail`` is the one that a form means if it names none."""

    def __init__(self, far_sides: Mapping[str, Listener[Any]], pages: Pages) -> None:
        self._far_sides = far_sides
        self._pages = pages
        peer = rf"/faults/(?P<peer>{'|'.join(far_sides)})"
        self.routes: list[tuple[str, re.Pattern[str], Handler]] = [
            ("GET", re.compile("/faults"), self._page),
            ("POST", re.compile("/faults"), self._switch_on),
            ("POST", re.compile("/faults/off"), self._switch_off),
            ("GET", re.compile(peer), self._state),
            ("PUT", re.compile(peer), self._put),
            ("POST", re.compile(peer), self._add),
            ("DELETE", re.compile(peer), self._clear),
            ("DELETE", re.compile(rf"{peer}/(?P<number>\d{{1,9}})"), self._remove),
        ]

    def _meant(self, given: Mapping[str, str]) -> Listener[Any]:
        return self._far_sides.get(given.get("peer", ""), self._far_sides["mail"])

    async def _page(self, request: Request) -> Response:
        return self._pages.faults(request, self._meant(request.query))

    async def _switch_on(self, request: Request) -> Response:
        form = request.form
        far_side = self._meant(form)
        wanted: dict[str, object] = {"preset": form.get("preset", "")}
        typed = {name: value for name, value in form.items() if name in _TYPED}
        for name, value in typed.items():
            if value.strip() or name != "times":
                wanted[name] = value.strip() if name == "match" else value.strip().replace(",", ".")
        if not typed.get("times", "1").strip():
            wanted["times"] = None
        try:
            faults = far_side.read_faults(wanted)
        except FaultsInvalid as error:
            words = WORDS[language_of(request)]
            problems = [
                words["fill_in"].format(words[f"field_{field}"]) if field in typed else f"{field}: {problem}"
                for field, problem in error.problems
            ]
            page = self._pages.faults(request, far_side, problems=problems, preset=form.get("preset", ""), typed=typed)
            return replace(page, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        await far_side.switch(faults, keep=True)
        return see_other(_page_of(far_side))

    async def _switch_off(self, request: Request) -> Response:
        far_side = self._meant(request.form)
        number = request.form.get("number", "")
        if number.isdigit():
            await far_side.switch_off(int(number))
        else:
            await far_side.switch([])
        return see_other(_page_of(far_side))

    async def _state(self, request: Request, peer: str) -> Response:  # noqa: ARG002 - as every handler
        far_side = self._far_sides[peer]
        presets = {name: {**preset.fault, "says": preset.words["en"][1]} for name, preset in far_side.presets.items()}
        return as_json({**far_side.faults_as_json(), "presets": presets})

    async def _put(self, request: Request, peer: str) -> Response:
        return await self._change(request, peer, keep=False)

    async def _add(self, request: Request, peer: str) -> Response:
        return await self._change(request, peer, keep=True)

    async def _change(self, request: Request, peer: str, *, keep: bool) -> Response:
        far_side = self._far_sides[peer]
        try:
            faults = far_side.read_faults(request.json())
        except FaultsInvalid as error:
            return as_json({"errors": error.sentences}, HTTPStatus.UNPROCESSABLE_ENTITY)
        await far_side.switch(faults, keep=keep)
        return as_json(far_side.faults_as_json())

    async def _clear(self, request: Request, peer: str) -> Response:  # noqa: ARG002 - as every handler
        await self._far_sides[peer].switch([])
        return as_json(self._far_sides[peer].faults_as_json())

    async def _remove(self, request: Request, peer: str, number: str) -> Response:  # noqa: ARG002 - as every handler
        if not await self._far_sides[peer].switch_off(int(number)):
            raise Refused(HTTPStatus.NOT_FOUND, f"Fault {number} is not on.")
        return as_json(self._far_sides[peer].faults_as_json())


def _page_of(far_side: Listener[Any]) -> str:
    return "/faults" if far_side.name == "mail" else f"/faults?peer={far_side.name}"
