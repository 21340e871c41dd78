"""The example town: what is loaded, who lives there, and that growing it changes nobody."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from channels import registry
from channels.kit.push_address import PushAddress
from dispatcher import example_town
from dispatcher.announcements import files
from dispatcher.announcements.comparing import differences
from dispatcher.audience.models import Address, AddressState, District, Subscriber, Topic
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.secretbox import unseal
from dispatcher.practice.timeline.api import TOKEN
from tests.support.practice import Practice

EXAMPLES = Path(__file__).parents[1] / "examples"
RESIDENT = re.compile(r"(resident-\d{4,}|colleague-\d{3}|partner-\d{3})@practice\.invalid")


@pytest.fixture
def town(db: None) -> None:
    example_town.load_town("127.0.0.1:2525")


def everyone() -> dict[str, tuple[Any, ...]]:
    """All there is to know about everyone, by address."""
    topics: dict[int, list[str]] = {}
    for subscriber, slug in Subscriber.topics.through.objects.values_list("subscriber_id", "topic__slug"):
        topics.setdefault(subscriber, []).append(slug)
    rows = Address.objects.select_related("subscriber__district").order_by("value")
    return {
        row.value: (
            row.subscriber.pk,
            row.subscriber.public_id,
            row.public_id,
            row.subscriber.group,
            row.subscriber.language,
            row.subscriber.district and row.subscriber.district.slug,
            sorted(topics.get(row.subscriber.pk, [])),
            row.state,
            row.state_at,
            row.subscriber.created_at,
        )
        for row in rows
    }


def test_the_town_has_its_topics_districts_and_outlets(town: None, settings: Settings) -> None:
    assert list(District.objects.values_list("name", flat=True)) == [
        "Losser",
        "Overdinkel",
        "Glane",
        "De Lutte",
        "Beuningen",
    ]
    assert list(Topic.objects.values_list("slug", flat=True)) == [
        "public-services",
        "entrepreneurs",
        "road-works",
        "events",
        "participation",
        "emergencies",
    ]
    assert all(set(topic.names) == {"nl", "en"} for topic in Topic.objects.all())
    assert [(outlet.name, outlet.channel) for outlet in Outlet.objects.all()] == [
        ("website", "website"),
        ("email", "email"),
        ("facebook", "byhand"),
    ]
    assert unseal(Outlet.objects.get(name="email").settings) == {
        "host": "127.0.0.1",
        "port": 2525,
        "security": "none",
        "sender": "berichten@practice.invalid",
    }
    assert unseal(Outlet.objects.get(name="website").settings) == {
        "folder": str(settings.SITE_FOLDER),
        "base_url": settings.BASE_URL,
        "languages": ["nl", "en"],
        "titles": {"nl": "Berichten van Losser", "en": "Announcements of Losser"},
    }


def test_colleagues_have_a_channel_that_only_they_hear_by(settings: Settings, db: None) -> None:
    settings.PRACTICE_COLLEAGUES = "127.0.0.1:8704"
    example_town.load_town("127.0.0.1:2525")
    found = Outlet.objects.get(name="colleagues")
    assert (found.channel, found.groups, found.languages) == ("apprise", ["colleague"], ["nl"])
    assert unseal(found.settings) == {"url": "json://127.0.0.1:8704/hook/colleagues"}


@pytest.mark.parametrize("name", ["website", "email", "facebook"])
def test_the_settings_of_the_outlets_are_good_ones(town: None, name: str) -> None:
    outlet = Outlet.objects.get(name=name)
    assert registry.channel(outlet.channel).read_settings(unseal(outlet.settings))


def test_loading_again_follows_the_mail_server_and_leaves_the_rest_alone(
    town: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    Outlet.objects.filter(name="email").update(rate=5, paused_at=now(), label="Post")
    monkeypatch.setenv("OMROEPER_PRACTICE_SMTP", "127.0.0.1:2626")

    example_town.load_town()

    email = Outlet.objects.get(name="email")
    assert unseal(email.settings)["port"] == 2626
    assert (email.rate, email.label, email.paused_at is not None) == (5, "Post", True)
    assert (Topic.objects.count(), District.objects.count(), Outlet.objects.count()) == (6, 5, 3)


def test_a_town_has_as_many_people_as_asked_of_every_kind(town: None) -> None:
    assert example_town.populate(300) == 300

    people = everyone()
    assert len(people) == Subscriber.objects.count() == 300
    assert all(RESIDENT.fullmatch(address) for address in people)
    groups = Counter(person[3] for person in people.values())
    assert (groups["colleague"], groups["partner"]) == (12, 4)
    assert groups["resident"] > groups["entrepreneur"] > 10
    languages = Counter(person[4] for person in people.values())
    assert set(languages) == {"nl", "en", "de", "pl", "ar"} and languages["nl"] > 200
    assert {person[5] for person in people.values()} == {"losser", "overdinkel", "glane", "de-lutte", "beuningen", None}
    assert all(person[6] and person[7] == AddressState.ACTIVE for person in people.values())
    assert all("entrepreneurs" in person[6] for person in people.values() if person[3] == "entrepreneur")
    assert len({person[1] for person in people.values()} | {person[2] for person in people.values()}) == 600


def test_populating_again_adds_nobody(town: None) -> None:
    example_town.populate(200)
    before = everyone()

    assert example_town.populate(200) == 0
    assert example_town.populate(50) == 0
    assert everyone() == before


def test_a_town_that_grows_changes_nobody_who_was_there(town: None) -> None:
    example_town.populate(120)
    left = Address.objects.get(value="resident-0007@practice.invalid")
    Address.objects.filter(pk=left.pk).update(state=AddressState.LEFT)
    Subscriber.objects.filter(pk=left.subscriber_id).update(language="en")
    before = everyone()

    assert example_town.populate(400) == 280

    after = everyone()
    assert len(after) == 400
    assert {address: after[address] for address in before} == before


def test_a_person_who_is_missing_comes_back(town: None) -> None:
    example_town.populate(60)
    Subscriber.objects.filter(addresses__value="colleague-002@practice.invalid").delete()

    assert example_town.populate(60) == 1
    assert everyone()["colleague-002@practice.invalid"][3] == "colleague"


def test_a_town_larger_than_one_transaction_is_as_well_made(town: None) -> None:
    assert example_town.populate(12_000, push=False) == 12_000

    people = everyone()
    assert len(people) == 12_000 and all(person[6] for person in people.values())
    assert "resident-11948@practice.invalid" in people


def test_people_follow_from_the_seed_and_their_place_alone() -> None:
    first = list(example_town.people(500, seed=1))

    assert list(example_town.people(900, seed=1))[:500] == first
    assert list(example_town.people(500, seed=2)) != first
    assert len({person.address for person in first}) == 500


@pytest.fixture
def push_service(tmp_path: Path, settings: Settings) -> Iterator[Practice]:
    with Practice(tmp_path / "practice") as practice:
        settings.PRACTICE_PUSH = f"127.0.0.1:{practice.ports['push']}"
        yield practice


def push_addresses() -> dict[str, PushAddress]:
    rows = Address.objects.filter(channel="webpush", state=AddressState.ACTIVE).values_list("public_id", "value")
    return {public_id: PushAddress.read(value, extra_hosts=[django.PRACTICE_PUSH]) for public_id, value in rows}


def test_one_in_five_hears_by_push_and_some_by_nothing_else(db: None, push_service: Practice) -> None:
    example_town.load_town("127.0.0.1:2525")

    assert example_town.populate(1000) == 1000

    assert 150 < len(push_addresses()) < 250
    email = Address.objects.filter(channel="email")
    left = email.filter(state=AddressState.LEFT)
    assert email.count() == 1000 and 25 < left.count() < 75
    only = Subscriber.objects.filter(pk__in=left.values("subscriber_id"), addresses__channel="webpush")
    assert only.count() == left.count()
    assert example_town.populate(1000) == 0


def test_the_push_outlet_keeps_its_key_and_follows_the_service(
    db: None, push_service: Practice, settings: Settings
) -> None:
    example_town.load_town("127.0.0.1:2525")
    example_town.populate(100)
    key = unseal(Outlet.objects.get(name="webpush").settings)["vapid_key"]
    before = push_addresses()
    settings.PRACTICE_PUSH = "127.0.0.1:9"

    example_town.load_town("127.0.0.1:2525")

    now_there = unseal(Outlet.objects.get(name="webpush").settings)
    assert (now_there["vapid_key"], now_there["extra_hosts"]) == (key, ["127.0.0.1:9"])
    after = push_addresses()
    assert after.keys() == before.keys() and len(after) > 10
    assert all(each.endpoint.startswith("http://127.0.0.1:9/push/") for each in after.values())
    assert {each.auth for each in after.values()} == {each.auth for each in before.values()}


def test_where_no_push_service_answers_it_is_said_and_everyone_has_mail(db: None, settings: Settings) -> None:
    settings.PRACTICE_PUSH = "127.0.0.1:9"
    said: list[str] = []
    example_town.load_town("127.0.0.1:2525")

    assert example_town.populate(12_000, tell=said.append) == 12_000

    assert len(said) == 1 and "127.0.0.1:9 does not answer" in said[0]
    assert Address.objects.filter(channel="email", state=AddressState.ACTIVE).count() == 12_000
    assert not push_addresses()


def test_a_production_installation_has_no_example_town(db: None, settings: Settings) -> None:
    settings.PRACTICE = False

    with pytest.raises(example_town.NotForProduction):
        example_town.load_town()
    with pytest.raises(example_town.NotForProduction):
        example_town.populate(1)
    assert (Outlet.objects.count(), Subscriber.objects.count()) == (0, 0)


@pytest.mark.parametrize("name", ["corona", "corona-update", "vision", "water"])
def test_the_examples_can_be_announced_and_say_the_same_in_both_languages(town: None, name: str) -> None:
    source = files.read(EXAMPLES / f"{name}.md", now())

    assert files.check_against_town(source) == []
    assert set(source.texts) == {"nl", "en"}
    for part in ("title", "summary", "body", "change", "contact"):
        assert differences({language: getattr(text, part) for language, text in source.texts.items()}) == []
    whole = _whole(source.texts)
    assert "voorbeeld en komt niet van de gemeente Losser" in whole["nl"]
    assert "example and does not come from the municipality of Losser" in whole["en"]
    assert bool(source.texts["nl"].change) == (name == "corona-update")


def test_the_update_revises_the_first_announcement(town: None) -> None:
    first, update = (files.read(EXAMPLES / f"{name}.md", now()) for name in ("corona", "corona-update"))

    assert (update.kind, update.audience, update.topics) == (first.kind, first.audience, first.topics)
    assert _whole(update.texts) != _whole(first.texts)


def _whole(texts: Mapping[str, Any]) -> dict[str, str]:
    return {language: " ".join((text.title, text.summary, text.body)) for language, text in texts.items()}


def test_the_timeline_is_an_outlet_where_the_practice_town_has_one(db: None, settings: Settings) -> None:
    settings.PRACTICE_TIMELINE = "127.0.0.1:8702"
    example_town.load_town()

    mastodon = Outlet.objects.get(name="mastodon")
    values = unseal(mastodon.settings)
    assert registry.channel(mastodon.channel).read_settings(values)
    assert (mastodon.label, values["url"], values["token"]) == ("Mastodon @losser", "http://127.0.0.1:8702", TOKEN)
