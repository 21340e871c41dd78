"""What administrators say about the municipality: its names, languages, topics and districts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify

from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.audience.models import District, Topic
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.secretbox import seal, unseal
from dispatcher.town import reading
from dispatcher.town.models import Town

LONGEST_NAME = 80
LONGEST_EXPLANATION = 300


class SettingRefused(Exception):
    """Something is not right: ``problems`` maps each field to what is wrong and what to do. Nothing was changed."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in problems.items()))
        self.problems = dict(problems)


def set_town(*, names: Mapping[str, str], languages: Sequence[str], by: By) -> None:
    """What the municipality is called and in which languages it speaks; the websites follow. Harmless when repeated.

    Raises:
        NotAllowed: only administrators configure.
        SettingRefused: ``languages``, or ``names.<language>``.
    """
    author = need(by, Right.CONFIGURE, "town")
    known = [code for code, _ in settings.LANGUAGES]
    wanted = [code for code in dict.fromkeys(languages) if code in known]
    problems = check_town(names, languages)
    if problems:
        raise SettingRefused(problems)
    with transaction.atomic():
        row, _ = Town.objects.select_for_update().get_or_create(pk=Town.ONE)
        row.names, row.languages = {code: names[code].strip() for code in wanted}, wanted
        row.save()
        for outlet in Outlet.objects.select_for_update().filter(channel="website"):
            values = unseal(outlet.settings) if outlet.settings else {}
            if values.get("languages") != wanted:
                outlet.settings = seal(values | {"languages": wanted})
                outlet.save(update_fields=["settings"])
        record(author, "set town", "town", languages=wanted)
    reading.forget()


def check_town(names: Mapping[str, str], languages: Sequence[str]) -> dict[str, str]:
    """What is wrong with names and languages; empty where all is well."""
    known = [code for code, _ in settings.LANGUAGES]
    problems = {}
    if not languages:
        problems["languages"] = "Choose at least one language."
    for code in languages:
        if code not in known:
            problems["languages"] = f"There are no texts in '{code}'. There are: {', '.join(known)}."
        elif not names.get(code, "").strip():
            problems[f"names.{code}"] = "Say what the municipality is called. Example: Gemeente Losser."
        elif len(names[code].strip()) > LONGEST_NAME:
            problems[f"names.{code}"] = f"Shorten it to {LONGEST_NAME} characters."
    return problems


def save_topic(
    topic: Topic | None, *, names: Mapping[str, str], by: By, explanations: Mapping[str, str] | None = None
) -> Topic:
    """A topic, new or changed. A new one comes last; its address name follows from its first name and stays.

    Raises:
        NotAllowed: only administrators configure.
        SettingRefused: ``names.<language>`` or ``explanations.<language>``.
    """
    author = need(by, Right.CONFIGURE, "topics")
    given = {code: name.strip() for code, name in names.items() if name.strip()}
    told = {code: text.strip() for code, text in (explanations or {}).items() if text.strip()}
    problems = {
        f"names.{code}": "Say what it is called. Example: Werk aan de weg."
        for code in reading.town().languages
        if code not in given
    }
    problems |= {f"names.{code}": _shorten(LONGEST_NAME) for code, name in given.items() if len(name) > LONGEST_NAME}
    problems |= {
        f"explanations.{code}": _shorten(LONGEST_EXPLANATION)
        for code, text in told.items()
        if len(text) > LONGEST_EXPLANATION
    }
    if problems:
        raise SettingRefused(problems)
    with transaction.atomic():
        if topic is None:
            topic = Topic(slug=_free_slug(Topic, next(iter(given.values()))), position=_last(Topic))
        topic.names = {**topic.names, **given} if topic.pk else given
        topic.explanations = told
        topic.save()
        record(author, "save topic", f"topic {topic.slug}")
    return topic


def save_district(district: District | None, *, name: str, by: By) -> District:
    """A district, new or renamed. A new one comes last.

    Raises:
        NotAllowed: only administrators configure.
        SettingRefused: ``name``.
    """
    author = need(by, Right.CONFIGURE, "districts")
    given = name.strip()
    if not given or len(given) > LONGEST_NAME:
        raise SettingRefused({"name": _shorten(LONGEST_NAME) if given else "Say what it is called. Example: Losser."})
    with transaction.atomic():
        if district is None:
            district = District(slug=_free_slug(District, given), position=_last(District))
        district.name = given
        district.save()
        record(author, "save district", f"district {district.slug}")
    return district


def reorder(model: type[Topic] | type[District], slugs: Sequence[str], *, by: By) -> None:
    """Puts topics or districts in the order of ``slugs``; those that it does not name come after, as they were.

    Raises:
        NotAllowed: only administrators configure.
    """
    author = need(by, Right.CONFIGURE, model.__name__.lower())
    with transaction.atomic():
        rows: list[Any] = list(model._default_manager.all())
        place = {slug: index for index, slug in enumerate(slugs)}
        for position, row in enumerate(sorted(rows, key=lambda row: place.get(row.slug, len(place)))):
            if row.position != position:
                row.position = position
                row.save(update_fields=["position"])
        record(author, "reorder", f"{model.__name__.lower()}s")


def _shorten(most: int) -> str:
    return f"Shorten it to {most} characters."


def _last(model: type[Topic] | type[District]) -> int:
    highest = model._default_manager.aggregate(most=Max("position"))["most"]
    return 0 if highest is None else highest + 1


def _free_slug(model: type[Topic] | type[District], name: str) -> str:
    """An address name that nobody has yet."""
    base = slugify(name)[:36] or model.__name__.lower()
    taken = set(model._default_manager.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(each for each in (base, *(f"{base}-{n}" for n in range(2, 1000))) if each not in taken)
