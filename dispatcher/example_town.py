"""The example town: what there is in it (``examples/town.json``), and residents in any number.

Everything in it is made up and says so: addresses end in ``.invalid`` (RFC 2606), nobody has a name or a telephone.
Each person follows from the seed and their place in the row alone, so a town that grows keeps everyone it had.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.utils.timezone import now

from dispatcher import example_push
from dispatcher.announcements.models import Group
from dispatcher.audience.models import Address, AddressState, District, Subscriber, Topic, new_public_id
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.secretbox import seal
from dispatcher.town.models import Town

TOWN_FILE = Path(__file__).resolve().parents[1] / "examples" / "town.json"
DOMAIN = "practice.invalid"
SMTP = "127.0.0.1:8725"
TIMELINE_TOKEN = "practice-town"  # noqa: S105 - the practice town's timeline takes it, and nobody else does
_CHUNK = 5_000  # people to a transaction: others may write in between
_HEARS, _LEFT = (AddressState.ACTIVE, ""), (AddressState.LEFT, AddressState.ACTIVE)  # the state, and which one it left
log = structlog.get_logger("omroeper.example_town")


class NotForProduction(Exception):
    """The example town was asked for where there are real residents."""

    def __init__(self) -> None:
        super().__init__("This is a production installation: the example town has no place in it.")


@dataclass(frozen=True, slots=True)
class Person:
    """Someone in the example town. ``district`` is a slug, ``None`` for who wants to hear about the whole town."""

    address: str
    group: str
    language: str
    district: str | None
    topics: tuple[str, ...]


@cache
def description() -> dict[str, Any]:
    """What ``examples/town.json`` says. Weights and shares are in percent or relative to each other."""
    said: dict[str, Any] = json.loads(TOWN_FILE.read_text(encoding="utf-8"))
    return said


def load_town(smtp: str = "") -> None:
    """Topics, districts and the outlets of the example town, made or put right. Harmless when repeated.

    ``smtp`` is the practice town's mail server as ``host:port``; where not given it is ``OMROEPER_PRACTICE_SMTP``.
    An outlet that is there keeps its rate, pause and circuit; its settings are those of the practice town again.

    Raises:
        NotForProduction: outside practice mode.
    """
    _only_in_practice()
    host, _, port = (smtp or os.environ.get("OMROEPER_PRACTICE_SMTP") or SMTP).rpartition(":")
    with transaction.atomic():
        Town.objects.update_or_create(pk=Town.ONE, defaults={"practice": True})
        for position, topic in enumerate(description()["topics"]):
            said = {"names": topic["names"], "explanations": topic["explanations"], "position": position}
            Topic.objects.update_or_create(slug=topic["slug"], defaults=said)
        for position, district in enumerate(description()["districts"]):
            District.objects.update_or_create(
                slug=district["slug"], defaults={"name": district["name"], "position": position}
            )
        website = {
            "folder": str(settings.SITE_FOLDER),
            "base_url": settings.BASE_URL,
            "languages": [code for code, _ in settings.LANGUAGES],
            "titles": {"nl": "Berichten van Losser", "en": "Announcements of Losser"},
        }
        email = {"host": host, "port": int(port), "security": "none", "sender": f"berichten@{DOMAIN}"}
        _outlet("website", "Website", 0, website)
        _outlet("email", "E-mail", 1, email)
        if (push := example_push.outlet_settings(f"mailto:berichten@{DOMAIN}")) is not None:
            _outlet(example_push.CHANNEL, "Push", 2, push)
        if settings.PRACTICE_TIMELINE:
            timeline = {"url": f"http://{settings.PRACTICE_TIMELINE}", "token": TIMELINE_TOKEN}
            _outlet("mastodon", "Mastodon @losser", 3, timeline)
        if settings.PRACTICE_COLLEAGUES:
            # They read Dutch, and hear it before everybody else does.
            chat = {"url": f"json://{settings.PRACTICE_COLLEAGUES}/hook/colleagues"}
            only = {"groups": [Group.COLLEAGUE.value], "languages": ["nl"]}
            _outlet("colleagues", "Collega’s", 4, chat, channel="apprise", **only)
        facebook = {"network": "facebook", "account": "Gemeente Losser (voorbeeld)"}
        _outlet("facebook", "Facebook", 5, facebook, channel="byhand", languages=["nl"])
    example_push.repoint()


def _only_in_practice() -> None:
    if not settings.PRACTICE:
        raise NotForProduction


def _outlet(name: str, label: str, position: int, values: Mapping[str, Any], *, channel: str = "", **more: Any) -> None:
    """``channel`` where the outlet is not called after it; ``more`` is what else its row has at first."""
    current = {"settings": seal(values)}
    new = {"label": label, "channel": channel or name, "position": position, **more, **current}
    Outlet.objects.update_or_create(name=name, defaults=current, create_defaults=new)


def people(count: int, seed: int) -> Iterator[Person]:
    """The first ``count`` people of the town, always the same for a seed."""
    town = description()
    topics = [(topic["slug"], topic["chosen_by"]) for topic in town["topics"]]
    everything = tuple(slug for slug, _ in topics)
    languages = _Weighted(town["languages"])
    districts = _Weighted({district["slug"]: district["weight"] for district in town["districts"]})
    colleagues, partners, residents = 0, 0, 0
    for place in range(1, count + 1):
        if place % town["colleagues"]["every"] == 0 and colleagues < town["colleagues"]["most"]:
            colleagues += 1
            yield Person(f"colleague-{colleagues:03}@{DOMAIN}", Group.COLLEAGUE, "nl", None, everything)
        elif place % town["partners"]["every"] == 0 and partners < town["partners"]["most"]:
            partners += 1
            yield Person(f"partner-{partners:03}@{DOMAIN}", Group.PARTNER, "nl", None, everything)
        else:
            residents += 1
            dice = hashlib.blake2b(f"{seed}:{place}".encode(), digest_size=2 * (4 + len(topics))).digest()
            rolls = [int.from_bytes(dice[at : at + 2], "big") / 65536 for at in range(0, len(dice), 2)]
            group = Group.ENTREPRENEUR if rolls[0] * 100 < town["entrepreneurs"] else Group.RESIDENT
            chosen = [
                slug
                for (slug, share), roll in zip(topics, rolls[4:], strict=True)
                if roll * 100 < share or (group == Group.ENTREPRENEUR and slug == "entrepreneurs")
            ]
            yield Person(
                address=f"resident-{residents:04}@{DOMAIN}",
                group=group,
                language=languages.at(rolls[1]),
                district=None if rolls[2] * 100 < town["whole_town"] else districts.at(rolls[3]),
                topics=tuple(chosen) or (everything[0],),
            )


class _Weighted:
    """A choice among names that come up as often as their weights say."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._names = list(weights)
        self._ends = list(accumulate(weights.values()))

    def at(self, share: float) -> str:
        """The name at ``share`` (0 to 1) of the whole."""
        wanted = share * self._ends[-1]
        return next(name for name, end in zip(self._names, self._ends, strict=True) if wanted < end)


def populate(
    count: int, seed: int | None = None, *, push: bool = True, tell: Callable[[str], object] = log.warning
) -> int:
    """Makes the town at least ``count`` people large, and returns how many had to be added.

    Colleagues and partners are counted. Those who are there stay as they are, whatever became of them; nobody is
    taken away. ``load_town`` has to come first. With ``push`` a share of those who are added hear by push as well, and
    some of them by push only: they have left the mailing. ``tell`` is given a sentence where that was not possible.

    Raises:
        NotForProduction: outside practice mode.
    """
    _only_in_practice()
    seed = description()["seed"] if seed is None else seed
    missing = _missing(count, seed)
    districts = dict(District.objects.values_list("slug", "pk"))
    topics = dict(Topic.objects.values_list("slug", "pk"))
    added = 0
    while chunk := list(islice(missing, _CHUNK)):
        pushed: dict[str, str] = {}
        try:
            pushed = _with_push(chunk, seed) if push else {}
        except example_push.NoPushService as problem:
            push = False
            tell(str(problem))
        with transaction.atomic():
            _add(chunk, districts, topics, pushed, seed)
        added += len(chunk)
    return added


def _with_push(chunk: Sequence[Person], seed: int) -> dict[str, str]:
    """The push address of those in ``chunk`` who want push, by their e-mail address."""
    share = description()["push"]["share"]
    wanting = {_name(person): person.address for person in chunk if example_push.has_push(person.address, seed, share)}
    made = example_push.subscriptions(list(wanting))
    return {wanting[name]: value for name, value in made.items()}


def _name(person: Person) -> str:
    return person.address.partition("@")[0]


def _missing(count: int, seed: int) -> Iterator[Person]:
    there = set(Address.objects.filter(channel="email", value__endswith=f"@{DOMAIN}").values_list("value", flat=True))
    return (person for person in people(count, seed) if person.address not in there)


def _add(
    chunk: list[Person], districts: Mapping[str, int], topics: Mapping[str, int], pushed: Mapping[str, str], seed: int
) -> None:
    """``pushed`` has the push addresses of some, by their e-mail address."""
    ids = [new_public_id() for _ in chunk]
    only_push = {at for at in pushed if example_push.has_push(at, seed, description()["push"]["only"])}
    made = _insert(
        Subscriber,
        ("public_id", "group", "language", "district_id"),
        [
            (public_id, person.group, person.language, districts[person.district] if person.district else None)
            for public_id, person in zip(ids, chunk, strict=True)
        ],
        returning="public_id",
    )
    _insert(
        Address,
        ("subscriber_id", "public_id", "channel", "value", "state", "left_from", "consent_source"),
        [
            (made[public_id], new_public_id(), channel, value, *states, "example town")
            for public_id, person in zip(ids, chunk, strict=True)
            for channel, value, states in (
                ("email", person.address, _LEFT if person.address in only_push else _HEARS),
                (example_push.CHANNEL, pushed.get(person.address, ""), _HEARS),
            )
            if value
        ],
    )
    _insert(
        Subscriber.topics.through,
        ("subscriber_id", "topic_id"),
        [
            (made[public_id], topics[slug])
            for public_id, person in zip(ids, chunk, strict=True)
            for slug in person.topics
        ],
    )


def _insert(
    model: type[Model], given: Sequence[str], rows: list[tuple[Any, ...]], *, returning: str = ""
) -> dict[str, int]:
    """Inserts ``rows`` (JSON types, in the order of ``given``) in one statement; other fields get their default.

    Some ten times as fast as ``bulk_create``, which matters at a hundred thousand people. Gives the primary keys by
    the column ``returning``, where one is asked for.
    """
    postgres = connection.vendor == "postgresql"
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    values, parameters = [], []
    for field in fields:
        if field.attname in given:
            value = f"value ->> {given.index(field.attname)}"
        else:
            value = "%s"
            default = now() if getattr(field, "auto_now_add", False) else field.get_default()
            parameters.append(field.get_db_prep_save(default, connection))
        values.append(f"({value})::{field.db_type(connection)}" if postgres else value)
    quote = connection.ops.quote_name
    statement = (
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(quote(str(field.column)) for field in fields)}) "
        f"SELECT {', '.join(values)} FROM {'json_array_elements(%s::json)' if postgres else 'json_each(%s)'}"
    )
    with connection.cursor() as cursor:
        if not returning:
            cursor.execute(statement, [*parameters, json.dumps(rows)])
            return {}
        cursor.execute(f"{statement} RETURNING {quote(returning)}, id", [*parameters, json.dumps(rows)])
        return dict(cursor.fetchall())
