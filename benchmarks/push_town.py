"""Who hears by push in a benchmark. Imported once Django is set up."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Replace

from benchmarks import town
from benchmarks.push_alone import subscription
from channels.contract import Copy
from channels.kit.vapid import new_key
from dispatcher.audience.models import Address, AddressState, Subscriber, Topic
from dispatcher.dispatching.models import ComposedCopy, Outlet
from dispatcher.dispatching.secretbox import seal

_AT_ONCE = 5_000


def set_up(allowed: list[str], ca_file: Path, *, folder: Path) -> None:
    """The outlets: the website, and push to the services at ``allowed`` (``host:port``)."""
    site = {"folder": str(folder), "base_url": settings.BASE_URL, "languages": ["nl", "en"]}
    push = {
        "vapid_key": new_key(), "contact": "mailto:berichten@practice.invalid",
        "extra_hosts": allowed, "ca_file": str(ca_file),
    }  # fmt: skip
    Outlet.objects.create(name="website", label="Website", channel="website", settings=seal(site))
    Outlet.objects.create(name="webpush", label="Push", channel="webpush", position=1, settings=seal(push))
    Topic.objects.create(slug=town.TOPIC, names={"nl": "Dienstverlening", "en": "Public services"})


def populate(residents: int, place: str) -> None:
    """Gives the town so many residents with a device of their own, one in ten of whom reads English."""
    topic = Topic.objects.get(slug=town.TOPIC)
    chosen = Subscriber.topics.through
    for first in range(0, residents, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, residents))
        with transaction.atomic():
            people = Subscriber.objects.bulk_create(
                Subscriber(group="resident", language="nl" if number % 10 else "en") for number in numbers
            )
            chosen.objects.bulk_create(chosen(subscriber_id=each.pk, topic_id=topic.pk) for each in people)
            Address.objects.bulk_create(
                Address(
                    subscriber=each, channel="webpush", value=subscription(place, number), state=AddressState.ACTIVE
                )
                for each, number in zip(people, numbers, strict=True)
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def move(place: str) -> None:
    """Has everyone's subscription at ``place`` from now on."""
    value: str = Address.objects.values_list("value", flat=True)[0]
    now = value.partition('"endpoint":"')[2].partition("/push/")[0]
    if now != place:
        Address.objects.update(value=Replace(F("value"), Value(now), Value(place)))


def octets_of_a_message() -> int:
    """How long the Dutch message is before it is encrypted."""
    content = ComposedCopy.objects.filter(outlet__channel="webpush", language="nl").latest("pk").content
    return len(Copy.from_json(content).parts["payload"].encode()) + len(f"{settings.BASE_URL}/preferences/{'x' * 45}")
