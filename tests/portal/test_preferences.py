"""``/preferences/<token>``: what we hold, and what its owner may change."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from structlog.testing import capture_logs

from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose
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


def test_leaving_from_here_is_one_press() -> None:
    client = Client(enforce_csrf_checks=True)
    address = resident()
    page = client.get(link(Purpose.PREFERENCES, address)).content.decode()
    leaving = link(Purpose.LEAVE, address)
    assert f'action="{leaving}"' in page
    client.post(leaving, {"leave": "yes"})
    address.refresh_from_db()
    assert address.state == "left"
    after = client.get(link(Purpose.PREFERENCES, address)).content.decode()
    assert "U krijgt geen berichten" in after
    assert f'action="{leaving}"' not in after


@pytest.mark.parametrize(("state", "words"), [("pending", "nog niet bevestigd"), ("suppressed", "kwamen niet aan")])
def test_it_says_why_nothing_comes(client: Client, state: str, words: str) -> None:
    assert words in client.get(link(Purpose.PREFERENCES, resident(state))).content.decode()
