"""Residents for tests of their pages, their links, and a picture of every row to compare before and after."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.utils.timezone import now

from dispatcher.audience.models import Address, District, Subscriber, Topic
from dispatcher.audience.tokens import Purpose, make
from tests.support import databases, scratch
from tests.support.town import Town

TOPICS = {
    "public-services": {"nl": "Balie en hulp", "en": "Public services"},
    "road-works": {"nl": "Wegwerk", "en": "Road works"},
    "events": {"nl": "Evenementen", "en": "Events"},
}
DISTRICTS = {"losser": "Losser", "overdinkel": "Overdinkel"}
# How mail scanners and previewers call themselves.
SCANNERS = (
    "Mozilla/5.0 (compatible; SafeLinks)",
    "Mozilla/4.0 (compatible; MSIE 9.0; Windows NT 10.0; Win64; x64; Trident/5.0; Microsoft Outlook 16.0)",
    "GoogleImageProxy",
    "ProofpointURLDefense/1.0",
    "facebookexternalhit/1.1",
)


def resident(state: str = "active", *, language: str = "nl", topics: Sequence[str] = ("road-works",)) -> Address:
    """Someone in Overdinkel with one e-mail address, and the choices that they could make."""
    for slug, names in TOPICS.items():
        Topic.objects.get_or_create(slug=slug, defaults={"names": names})
    for slug, name in DISTRICTS.items():
        District.objects.get_or_create(slug=slug, defaults={"name": name})
    person = Subscriber.objects.create(
        group="resident", language=language, district=District.objects.get(slug="overdinkel")
    )
    person.topics.set(Topic.objects.filter(slug__in=topics))
    return Address.objects.create(
        subscriber=person, channel="email", value=f"resident-{person.pk:04}@practice.invalid", state=state
    )


def link(purpose: Purpose, address: Address) -> str:
    """The address of the page of ``purpose``, as a mail writes it."""
    return f"/{purpose}/{make(purpose, address.public_id, address.subscriber.epoch)}"


def every_row() -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables of the product."""
    return {model._meta.label: list(model._default_manager.order_by("pk").values()) for model in apps.get_models()}


@contextmanager
def web_town(name: str) -> Iterator[Town]:
    """A running installation with a web server and no workers."""
    folder = scratch.folder(name)
    with databases.fresh(folder / "town") as database, Town(folder / "town", database, parts=("web",)) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


def move_in(town: Town, state: str = "active") -> str:
    """A resident in the database of a running installation; returns the public id of the address."""
    public_id = secrets.token_hex(16)
    moment = now().isoformat(sep=" ")
    town.rows(
        """INSERT INTO audience_subscriber (public_id, "group", language, epoch, created_at)
        VALUES (%s, 'resident', 'nl', 0, %s)""",
        secrets.token_hex(16), moment,
    )  # fmt: skip
    person = town.rows("SELECT max(id) AS id FROM audience_subscriber")[0]["id"]
    town.rows(
        """INSERT INTO audience_address (subscriber_id, public_id, channel, value, state, state_reason, state_at,
            consent_source, left_from) VALUES (%s, %s, 'email', %s, %s, '', %s, '', '')""",
        person, public_id, f"resident-{public_id[:8]}@practice.invalid", state, moment,
    )  # fmt: skip
    return public_id
