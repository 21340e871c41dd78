"""``/preferences/<token>``: what we hold, and what its owner may change."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from structlog.testing import capture_logs

from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose
from tests.support.devices import mozilla
from tests.support.residents import every_row, link, resident

pytestmark = pytest.mark.django_db


def _chosen(address: Address) -> tuple[set[str], str | None, str]:
    person = Address.objects.get(pk=address.pk).subscriber
    return (
        set(person.topics.values_list("slug", flat=True)),
        person.district.slug if person.district else None,
        person.language,
    )


def test_it_shows_all_that_is_held_with_the_address_in_part(client: Client) -> None:
    address = resident(topics=["road-works", "events"])
    before = every_row()
    page = client.get(link(Purpose.PREFERENCES, address)).content.decode()
    assert every_row() == before
    assert 'value="road-works" checked' in page
    assert 'value="events" checked' in page
    assert 'value="public-services" checked' not in page
    assert 'value="overdinkel" checked' in page
    assert 'value="nl" checked' in page
    assert "bewoner" in page
    assert address.value not in page


def test_saving_changes_topics_district_and_language() -> None:
    client = Client(enforce_csrf_checks=True)
    address = resident()
    path = link(Purpose.PREFERENCES, address)
    client.get(path)
    choice = {"topics": ["events", "public-services"], "district": "losser", "language": "en"}
    with capture_logs() as lines:
        answer = client.post(path, {**choice, "csrfmiddlewaretoken": client.cookies["form"].value}, follow=True)
    assert _chosen(address) == ({"events", "public-services"}, "losser", "en")
    assert "Saved." in answer.content.decode(), "and the page speaks the language that was chosen"
    assert [line["event"] for line in lines if line["event"].startswith("subscriber")] == ["subscriber.chose"]
    assert address.value not in str(lines)


def test_no_topic_and_the_whole_town_can_be_chosen(client: Client) -> None:
    address = resident()
    answer = client.post(link(Purpose.PREFERENCES, address), {"district": "", "language": "nl"})
    assert answer.status_code == 303
    assert _chosen(address) == (set(), None, "nl")


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"topics": ["gossip"], "language": "nl"}, "Kies onderwerpen uit de lijst"),
        ({"topics": ["events\x00"], "language": "nl"}, "Kies onderwerpen uit de lijst"),
        ({"district": "enschede", "language": "nl"}, "Kies een dorp uit de lijst"),
        ({"district": "1", "language": "nl"}, "Kies een dorp uit de lijst"),
        ({"language": "de"}, "Kies een taal uit de lijst"),
        ({}, "Kies een taal uit de lijst"),
    ],
)
def test_what_is_not_on_offer_is_refused(client: Client, choice: dict[str, Any], words: str) -> None:
    address = resident()
    before = every_row()
    answer = client.post(link(Purpose.PREFERENCES, address), choice)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert every_row() == before


def _post(path: str, act: str, **form: str) -> str:
    """What the page says after its form for ``act`` was sent with the page's own token."""
    client = Client(enforce_csrf_checks=True)
    assert f'action="{path}/{act}"' in client.get(path).content.decode()
    token = {"csrfmiddlewaretoken": client.cookies["form"].value}
    return client.post(f"{path}/{act}", {**form, **token}, follow=True).content.decode()


def test_leaving_from_here_is_one_press_and_can_be_undone() -> None:
    address = resident()
    second = _device(address)
    path = link(Purpose.PREFERENCES, address)
    after = _post(path, "stop")
    assert _states(address, second) == ["left", "left"]
    assert "U krijgt geen berichten" in after
    assert f'action="{path}/stop"' not in after
    assert "U blijft berichten krijgen" in _post(path, "resume")
    assert _states(address, second) == ["active", "active"]


def test_stopping_all_leaves_alone_what_had_left_before() -> None:
    address = resident()
    second = _device(address)
    path = link(Purpose.PREFERENCES, address)
    _post(path, "remove", address=second.public_id)
    _post(path, "stop")
    _post(path, "resume")
    assert _states(address, second) == ["active", "left"]


def test_each_place_is_listed_in_part_and_can_be_removed_and_put_back() -> None:
    address = resident()
    second = _device(address)
    path = link(Purpose.PREFERENCES, address)
    page = Client().get(path).content.decode()
    assert "een apparaat met Firefox" in page
    assert "services.mozilla" not in page, "an endpoint is a secret"
    assert second.value not in page
    after = _post(path, "remove", address=second.public_id)
    assert _states(address, second) == ["active", "left"]
    assert "Daar komt niets meer" in after
    assert "U krijgt daar weer berichten" in _post(path, "restore", address=second.public_id)
    assert _states(address, second) == ["active", "active"]


def test_nobody_removes_what_is_someone_elses(client: Client) -> None:
    mine, yours = resident(), resident()
    before = every_row()
    for act in ("remove", "restore"):
        for wrong in (yours.public_id, "", "0" * 32):
            assert client.post(f"{link(Purpose.PREFERENCES, mine)}/{act}", {"address": wrong}).status_code == 404
    assert every_row() == before


def _device(address: Address) -> Address:
    """A browser of the same resident."""
    return Address.objects.create(
        subscriber=address.subscriber, channel="webpush", value=mozilla().value(), state="active"
    )


def _states(*addresses: Address) -> list[str]:
    for address in addresses:
        address.refresh_from_db()
    return [address.state for address in addresses]


@pytest.mark.parametrize(("state", "words"), [("pending", "nog niet bevestigd"), ("suppressed", "kwamen niet aan")])
def test_it_says_why_nothing_comes(client: Client, state: str, words: str) -> None:
    assert words in client.get(link(Purpose.PREFERENCES, resident(state))).content.decode()
