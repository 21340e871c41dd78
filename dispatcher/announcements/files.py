"""Announcements in files: front matter in YAML, then a body in Markdown under ``# nl``, ``# en``, ….

A file is good as a whole or refused with everything that is wrong in it. What was adjusted is noted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.conf.locale import LANG_INFO
from pydantic import ValidationError

from dispatcher.announcements import frontmatter
from dispatcher.announcements.cleaning import clean, code_point
from dispatcher.announcements.faults import Fault, Place, contradictions_of, faults_of, field_name, line_of, nearest
from dispatcher.announcements.models import Group
from dispatcher.announcements.source import PUBLIC, AnnouncementSource
from dispatcher.announcements.when import NotATime, read_moment, read_seconds

__all__ = ["AnnouncementSource", "Fault", "FileErrors", "check_against_town", "read"]

FILE_LIMIT = 1_000_000  # characters
_FENCE = "---"
_SECTION = re.compile(r"#[ \t]+(?P<language>[a-z]{2,3}(?:-[a-z]{2,8})?)[ \t]*")
# What no text holds on purpose, and what stands where a character could not be decoded.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd-\uffff]")
_SETTINGS = ("kind", "audience", "topics", "districts", "publish", "expires", "stages")
_TIMES = ("publish", "expires")
_ORDINARY = (code_point("\n"), code_point("\t"))  # line ends inside a folded YAML text
_LINE_SEPARATORS = re.compile("[\x85\u2028\u2029]")


class FileErrors(Exception):
    """A file that cannot be announced: ``errors`` holds all that is wrong with it, in the order of its lines."""

    def __init__(self, errors: list[Fault]) -> None:
        self.errors = tuple(sorted(set(errors)))
        super().__init__("\n".join(map(str, self.errors)))


def read(source: str | Path, now: datetime) -> AnnouncementSource:
    """The announcement in a file (``Path``) or in its text (``str``). Times such as ``+2h`` count from ``now``.

    Raises:
        FileErrors: with everything that is wrong, each with its line and a remedy.
        OSError: when the file cannot be read.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:  # a character is at most four bytes: nothing longer is read
            source = file.read(4 * FILE_LIMIT + 1).decode("utf-8", errors="replace")
    text = source.removeprefix("\ufeff")
    if len(text) > FILE_LIMIT:
        raise FileErrors([Fault(1, "file", f"It is longer than {FILE_LIMIT:,} characters.", "Shorten it.")])
    return _Reading(text, now).announcement()


def check_against_town(source: AnnouncementSource) -> list[Fault]:
    """The topics and districts of ``source`` that this town does not have."""
    faults = []
    for name, chosen in (("topics", source.topics), ("districts", source.districts)):
        model = apps.get_model("audience", {"topics": "Topic", "districts": "District"}[name])
        known = set(model._default_manager.values_list("slug", flat=True))
        line = source.lines.get(name, 0)
        faults += [
            Fault(line, name, f"'{slug}' is not one of this town's {name}.", nearest(slug, known))
            for slug in chosen
            if slug not in known
        ]
    return faults


class _Reading:
    """One file on its way in: what was found so far, what is wrong, what was adjusted."""

    def __init__(self, text: str, now: datetime) -> None:
        self.now = now
        self.zone = ZoneInfo(settings.TIME_ZONE)
        self.faults: list[Fault] = []
        self.notes: list[str] = []
        self.lines: dict[Place, int] = {}
        self.rows = [self._readable(*row) for row in enumerate(re.split("\r\n|\r|\n", text), 1)]

    def announcement(self) -> AnnouncementSource:
        front, first_body_row = self._front_matter()
        if not front:
            raise FileErrors(self.faults)
        languages = [key for key in front if key in LANG_INFO]
        values = self._settings({key: value for key, value in front.items() if key not in languages})
        bodies = self._bodies(first_body_row, languages)
        values["texts"] = {language: self._text(language, front[language], bodies) for language in languages}
        values = self._cleaned(values, ())
        return self._validated(values)

    def _readable(self, number: int, row: str) -> str:
        if found := dict.fromkeys(map(code_point, _UNREADABLE.findall(row))):
            what = f"It holds characters that cannot be read: {', '.join(found)}."
            self.faults.append(Fault(number, "text", what, "Type that part again, and save the file as UTF-8."))
        return _UNREADABLE.sub(" ", row)

    def _front_matter(self) -> tuple[dict[str, Any], int]:
        fences = [number for number, row in enumerate(self.rows) if row.rstrip() == _FENCE][:2]
        before = self.rows[: fences[0]] if fences else self.rows
        if len(fences) < 2 or any(row.strip() for row in before):
            what = "It does not begin with its settings between two lines of `---`."
            self.faults.append(Fault(1, "front matter", what, "Begin with `---`, the settings, and `---` again."))
            return {}, 0
        start, end = fences
        rows = self.rows[start + 1 : end]
        for number, row in enumerate(rows, start + 2):
            if found := dict.fromkeys(map(code_point, _LINE_SEPARATORS.findall(row))):
                self.notes.append(f"line {number}: {', '.join(found)} became a space.")
        front = frontmatter.read(_LINE_SEPARATORS.sub(" ", "\n".join(rows)), start + 2)
        self.faults += front.faults
        self.lines = {_place_in_model(place): line for place, line in front.lines.items()} | {(): start + 1}
        return front.values, end + 1

    def _settings(self, front: dict[str, Any]) -> dict[str, Any]:
        """What is not text: kind, audience, topics, districts as written, times and delays as moments and seconds."""
        for key in front.keys() - set(_SETTINGS):
            remedy = nearest(key, [*_SETTINGS, *dict(settings.LANGUAGES)])
            self.faults.append(Fault(self.lines[(key,)], key, "This key is not known.", remedy))
        values = {key: front[key] for key in _SETTINGS if front.get(key, "") != ""}
        written = {key: str(values.pop(key)) for key in _TIMES if key in values}
        for key, text in written.items():
            values[f"{key}_at"] = self._moment(key, text)
        if "stages" in values:
            values["stages"] = self._stages(values["stages"])
        return values | {"as_written": written}

    def _moment(self, key: str, text: str) -> datetime | None:
        try:
            moment = read_moment(text, self.now, self.zone)
            if moment is None and key == "expires":
                raise NotATime("It is over before it goes out.", "Choose a later moment, or leave it out.")
        except NotATime as wrong:
            self.faults.append(Fault(self.lines[(f"{key}_at",)], key, wrong.what, wrong.remedy))
            return None
        if moment and moment.note:
            self._note((f"{key}_at",), moment.note)
        if moment and key == "publish" and moment.at < self.now:
            self._note((f"{key}_at",), "it is in the past, so it goes out at once.")
        return moment.at if moment else None

    def _stages(self, stages: object) -> dict[str, float]:
        place: Place = ("stages",)
        if not isinstance(stages, dict):
            remedy = "Write `{colleague: 0s, partner: 15m, public: 30m}`."
            self.faults.append(Fault(self.lines[place], "stages", "It must be a delay for each group.", remedy))
            return {}
        delays = {}
        for group, delay in stages.items():
            line = line_of((*place, group), self.lines)
            if group not in (PUBLIC, *Group.values):
                remedy = nearest(group, [PUBLIC, *Group.values])
                self.faults.append(Fault(line, f"stages.{group}", "This group is not known.", remedy))
                continue
            try:
                delays[group] = read_seconds(str(delay))
            except NotATime as wrong:
                self.faults.append(Fault(line, f"stages.{group}", wrong.what, wrong.remedy))
        return delays

    def _bodies(self, first_row: int, languages: list[str]) -> dict[str, str]:
        """The body under each ``# language``; a heading that no language of the front matter has is text."""
        starts: list[tuple[int, str]] = []
        for number, row in enumerate(self.rows[first_row:], first_row):
            heading = _SECTION.fullmatch(row)
            if heading is None or heading["language"] not in LANG_INFO:
                if row.strip() and not starts:
                    what, remedy = "There is text before the first language.", "Put a line such as `# nl` above it."
                    self.faults.append(Fault(number + 1, "body", what, remedy))
                    starts.append((number, ""))
                continue
            language = heading["language"]
            if language not in languages:
                what = f"There is a text in '{language}', but the settings have no '{language}'."
                self.faults.append(Fault(number + 1, "body", what, f"Add `{language}:` with a title and a summary."))
            if language in (earlier for _, earlier in starts):
                what = f"There are two texts under `# {language}`."
                self.faults.append(Fault(number + 1, f"{language}.body", what, "Make them one."))
            starts.append((number, language))
        ends = [*(number for number, _ in starts[1:]), len(self.rows)]
        for number, language in starts:
            self.lines.setdefault(("texts", language, "body"), number + 1)
        return {
            language: "\n".join(self.rows[number + 1 : end]).strip("\n")
            for (number, language), end in zip(starts, ends, strict=True)
        }

    def _text(self, language: str, front: object, bodies: Mapping[str, str]) -> object:
        if not isinstance(front, dict):
            return front
        if "body" in front:
            line = self.lines[("texts", language, "body")]
            remedy = f"Put the text under a line `# {language}`, after the settings."
            self.faults.append(Fault(line, f"{language}.body", "The text does not belong in the settings.", remedy))
        body = bodies.get(language, "")
        filled = {key: value for key, value in front.items() if value != ""}
        return filled | ({"body": body} if body.strip() else {})

    def _cleaned(self, value: Any, place: Place) -> Any:
        """``value`` with every text in it cleaned, noting what that changed."""
        if isinstance(value, dict):
            return {key: self._cleaned(item, (*place, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._cleaned(item, (*place, number)) for number, item in enumerate(value)]
        if not isinstance(value, str):
            return value
        cleaned = clean(value, lines=place[-1:] == ("body",))
        if changed := [point for point in cleaned.changed if point not in _ORDINARY]:
            self._note(place, f"{', '.join(changed)} was taken out, because it cannot be seen or misleads.")
        return cleaned.text

    def _note(self, place: Place, sentence: str) -> None:
        self.notes.append(f"line {line_of(place, self.lines)}, {field_name(place)}: {sentence}")

    def _validated(self, values: dict[str, Any]) -> AnnouncementSource:
        apart = contradictions_of(values, values.get("publish_at") or self.now, self.lines)
        lines = {field_name(place): line for place, line in self.lines.items() if place}
        try:
            source = AnnouncementSource.model_validate(values | {"notes": tuple(self.notes), "lines": lines})
        except ValidationError as error:
            said = {fault.what for fault in apart}
            found = [fault for fault in faults_of(error, self.lines) if fault.what not in said]
            raise FileErrors([*self.faults, *apart, *found]) from None
        if self.faults or apart:
            raise FileErrors([*self.faults, *apart])
        return source


def _place_in_model(place: Place) -> Place:
    if place[0] in LANG_INFO:
        return ("texts", *place)
    return (f"{place[0]}_at", *place[1:]) if place[0] in _TIMES else place
