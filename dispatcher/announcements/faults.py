"""What is wrong with an announcement that was handed in: each fault with its line, its field and a remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dispatcher.announcements.models import Group, Kind
from dispatcher.announcements.source import AnnouncementSource, ImageSource, LinkSource, TextSource, contradictions

# How a field is called in a file, where that differs.
_WRITTEN = {"publish_at": "publish", "expires_at": "expires"}
_NOT_WRITTEN = {"notes", "lines", "as_written", "texts"}
_SHAPES = {
    "string_type": ("It must be text.", "Write it on one line, between quotes if it holds a colon."),
    "tuple_type": ("It must be a list.", "Write it between square brackets: [one, two]."),
    "too_short": ("The list is empty.", "Name at least one."),
    "mapping_type": ("It must have keys of its own.", "Write `key: value` under it, each on a line with two spaces."),
    "dict_type": ("It must have keys of its own.", "Write `key: value` under it, each on a line with two spaces."),
    "model_type": ("It must have keys of its own.", "Write `key: value` under it, each on a line with two spaces."),
}

Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing to mend. ``line`` counts from 1; 0 where there is no file. ``field`` is written ``nl.links.1.url``."""

    line: int
    field: str
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"line {self.line}, " if self.line else ""
        return f"{where}{self.field}: {self.what} {self.remedy}"


def field_name(place: Place) -> str:
    """How people call a field: ``nl.links.1.url`` for the first link of the Dutch text."""
    parts = place[1:] if place[:1] == ("texts",) and len(place) > 1 else place
    return ".".join(str(part + 1) if isinstance(part, int) else _WRITTEN.get(part, part) for part in parts)


def nearest(word: str, known: Iterable[str]) -> str:
    """A remedy for a word that is not known: the one that was probably meant, and all there are."""
    words = sorted(known)
    close = get_close_matches(word.lower(), words, n=1, cutoff=0.6)
    meant = f"Did you mean '{close[0]}'? " if close else ""
    return f"{meant}Known are: {', '.join(words)}."


def faults_of(error: ValidationError, lines: Mapping[Place, int] | None = None) -> list[Fault]:
    """Every finding of the validation, with its line where ``lines`` says where its field, or what holds it, stands."""
    return [_fault(details, lines or {}) for details in error.errors(include_url=False)]


def contradictions_of(values: Mapping[str, Any], start: datetime, lines: Mapping[Place, int]) -> list[Fault]:
    """What does not fit together in ``values``, also where some of them are wrong by themselves."""
    return [
        Fault(line_of((field,), lines), field_name((field,)), what, remedy)
        for field, what, remedy in contradictions(values, start)
    ]


def line_of(place: Place, lines: Mapping[Place, int]) -> int:
    """The line of ``place`` or of what holds it; 0 where none is known."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 0)


def _fault(details: ErrorDetails, lines: Mapping[Place, int]) -> Fault:
    place = details["loc"]
    what, remedy = _sentences(details, place)
    return Fault(line_of(place, lines), field_name(place), what, remedy)


def _sentences(details: ErrorDetails, place: Place) -> tuple[str, str]:
    kind, context = details["type"], details.get("ctx", {})
    name = str(place[-1]) if place else ""
    if "remedy" in context:
        return str(context["what"]), str(context["remedy"])
    if kind == "missing" and name == "body":
        return "There is no text.", f"Put it under a line `# {place[1]}`, after the settings."
    if kind == "missing":
        return "It is missing.", f"Add the line `{_WRITTEN.get(name, name)}: …`."
    if kind == "extra_forbidden":
        return "This key is not known.", nearest(name, known_keys(place))
    if kind == "enum":
        choices = [*(Kind.values if place == ("kind",) else Group.values)]
        return "It is not one of the choices.", nearest(str(details.get("input", "")), choices)
    return _SHAPES.get(kind, (f"{details['msg']}.", "Look at the example in the documentation."))


def known_keys(place: Place) -> set[str]:
    """The keys that may stand beside the last one of ``place``."""
    if place[:1] != ("texts",):
        return {_WRITTEN.get(name, name) for name in AnnouncementSource.model_fields if name not in _NOT_WRITTEN}
    if "links" in place[:-1]:
        return set(LinkSource.model_fields)
    if "image" in place[:-1]:
        return set(ImageSource.model_fields)
    return set(TextSource.model_fields) - {"body"}
