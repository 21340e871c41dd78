"""The one form in which an announcement is written: what was typed, and what it comes to.

Fields are called as in a file (``nl.title``, ``nl.links.1.url``, ``publish``), so that each finding has its field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from pydantic import ValidationError

from dispatcher.announcements.faults import Place, field_name
from dispatcher.announcements.files import check_against_town
from dispatcher.announcements.models import Kind
from dispatcher.announcements.source import PUBLIC, AnnouncementSource, contradictions
from dispatcher.announcements.when import NotATime, read_moment
from dispatcher.town.reading import town

S = TypeVar("S", bound=AnnouncementSource)

LINKS = 3  # rows for links; more where there are more
LISTS = ("audience", "topics", "districts")
TEXTS = ("title", "summary", "body", "contact", "change", "image.url", "image.alt")
# What a correction leaves as it is.
AIMS = ("kind", "publish", "expires", "stages")
STAGES = ("colleague", "partner", PUBLIC)
LONGEST_DELAY = 7 * 24 * 60  # minutes
LIMITS = {"title": 200, "summary": 500, "contact": 300, "change": 300, "alt": 500, "url": 500, "label": 200}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. ``code`` is for the words on the page; ``what`` says it in English, as a file is told."""

    field: str
    code: str
    what: str = ""
    over: int = 0
    most: int = 0


class FormProblems(Exception):
    """What was typed makes no announcement (yet): all ``problems``, in the order of the form."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} to mend")
        self.problems = list(problems)


@dataclass
class Form:
    """What stands in the fields: ``typed`` by field, ``chosen`` by list."""

    typed: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, list[str]] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """What is typed in ``name``."""
        return self.typed.get(name, "")

    def links(self, language: str) -> list[tuple[str, str]]:
        """The links of a text, label and address, with rows left empty to fill in."""
        found = [
            (self.value(f"{language}.links.{number}.label"), self.value(f"{language}.links.{number}.url"))
            for number in range(1, 60)
        ]
        there = [link for link in found if any(link)]
        return there + [("", "")] * max(LINKS - len(there), 1 if len(there) < 50 else 0)

    def hidden(self) -> list[tuple[str, str]]:
        """All of it as name and value, for a page that only carries it on."""
        return [
            *((name, value) for name, value in self.typed.items() if value),
            *((name, value) for name, values in self.chosen.items() for value in values),
        ]


def empty() -> Form:
    """The form of a new announcement: for residents."""
    return Form({"kind": Kind.SERVICE_CHANGE.value}, {"audience": ["resident"], "topics": [], "districts": []})


def typed(post: QueryDict) -> Form:
    """What a browser sent."""
    names = [name for name in post if name not in LISTS]
    return Form(
        {name: post.get(name, "").replace("\r\n", "\n") for name in names if name != "csrfmiddlewaretoken"},
        {name: post.getlist(name) for name in LISTS},
    )


def stored(values: Mapping[str, Any]) -> Form:
    """What is stored (``unfinished.values_of``), as somebody would have typed it."""
    found = {"kind": str(values["kind"])}
    for name in ("publish", "expires"):
        moment = values[f"{name}_at"]
        found[name] = timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M") if moment else ""
    for group, seconds in values["stages"].items():
        found[f"stages.{group}"] = f"{seconds / 60:g}"
    for language, text in values["texts"].items():
        image = text["image"] or {}
        flat = {**text, "image.url": image.get("url", ""), "image.alt": image.get("alt", "")}
        found |= {f"{language}.{name}": flat[name] for name in TEXTS}
        for number, link in enumerate(text["links"], 1):
            found[f"{language}.links.{number}.label"] = link["label"]
            found[f"{language}.links.{number}.url"] = link["url"]
    return Form(found, {name: list(values[name]) for name in LISTS})


def of_correction(form: Form, values: Mapping[str, Any]) -> Form:
    """What was typed, for whom it went out (``values``, as stored): a correction changes texts only."""
    before = stored(values)
    aims = {name: value for name, value in before.typed.items() if name.partition(".")[0] in AIMS}
    texts = {name: value for name, value in form.typed.items() if name.partition(".")[0] not in AIMS}
    return Form(texts | aims, before.chosen)


def read(form: Form, shape: type[S], *, now: datetime, aimed: bool = True) -> S:
    """What is typed, as ``shape``: a whole announcement or a draft.

    ``aimed``: whom it is for was typed here too, and must be known in this town.

    Raises:
        FormProblems: with all that is wrong.
    """
    problems: list[Problem] = []
    values = _values(form, now, problems)
    source = None
    try:
        source = shape.model_validate(values)
    except ValidationError as error:
        problems += [_problem(details["loc"], details) for details in error.errors(include_url=False)]
    start = values["publish_at"] or now
    problems += [_contradiction(name, what) for name, what, _ in contradictions(values, start)]
    if source is not None and aimed:
        problems += [Problem(fault.field, "choice", fault.what) for fault in check_against_town(source)]
    problems = [each for each in problems if each.code != "contradiction"]
    if problems or source is None:
        raise FormProblems(sorted(dict.fromkeys(problems), key=_order))
    return source


def _values(form: Form, now: datetime, problems: list[Problem]) -> dict[str, Any]:
    texts = {code: _text(form, code) for code in town().languages}
    filled = {code: text for code, text in texts.items() if any(text.values())}
    first = town().languages[0]
    return {
        "kind": form.value("kind"),
        **{name: tuple(form.chosen.get(name, ())) for name in LISTS},
        "publish_at": _moment(form, "publish", now, problems),
        "expires_at": _moment(form, "expires", now, problems),
        "stages": _stages(form, problems),
        "texts": filled or {first: texts[first]},
    }


def _text(form: Form, language: str) -> dict[str, Any]:
    text: dict[str, Any] = {name: form.value(f"{language}.{name}") for name in TEXTS if "." not in name}
    links = tuple({"label": label, "url": url} for label, url in form.links(language) if label or url)
    image = {part: form.value(f"{language}.image.{part}") for part in ("url", "alt")}
    return text | {"links": links, "image": image if any(image.values()) else None}


def _moment(form: Form, name: str, now: datetime, problems: list[Problem]) -> datetime | None:
    written = form.value(name).strip()
    if not written:
        return None
    try:
        moment = read_moment(written, now, ZoneInfo(settings.TIME_ZONE))
    except NotATime as wrong:
        problems.append(Problem(name, "time", wrong.what))
        return None
    return moment.at if moment else None


def _stages(form: Form, problems: list[Problem]) -> dict[str, float]:
    delays = {}
    for group in STAGES:
        written = form.value(f"stages.{group}").strip()
        if not written:
            continue
        if not written.isdecimal() or int(written) > LONGEST_DELAY:
            problems.append(Problem(f"stages.{group}", "minutes", most=LONGEST_DELAY))
        else:
            delays[group] = int(written) * 60.0
    return delays if any(delays.values()) else {}


def _problem(place: Place, details: Any) -> Problem:
    name = field_name(place)
    code = str(details["type"])
    what = str(details.get("ctx", {}).get("what", details["msg"]))
    if code == "too-long":
        most = LIMITS.get(name.rpartition(".")[2], 0)
        length = len(str(details["input"]))
        return Problem(name, code, what, over=length - most if most else 0, most=most)
    return Problem(name, {"too_short": "missing", "enum": "choice"}.get(code, code), what)


def _contradiction(name: str, what: str) -> Problem:
    if name == "expires_at":
        return Problem("expires", "over-before", what)
    return Problem("stages", "stages-emergency" if "emergency" in what else "stages-audience", what)


def _order(problem: Problem) -> tuple[int, str]:
    heads = ("kind", *town().languages, *LISTS, "publish", "expires", "stages")
    head = problem.field.partition(".")[0]
    place = heads.index(head) if head in heads else len(heads)
    names = ("title", "summary", "body", "links", "image", "contact", "change")
    rest = problem.field.partition(".")[2].partition(".")[0]
    return place * 10 + (names.index(rest) if rest in names else 9), problem.field
