"""``/confirm/<token>``: only a button confirms, once, and not for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose
from tests.support.residents import every_row, link, resident

pytestmark = pytest.mark.django_db


def test_looking_changes_nothing_and_pressing_confirms() -> None:
    client = Client(enforce_csrf_checks=True)
    address = resident("pending")
    path = link(Purpose.CONFIRM, address)
    before = every_row()
    page = client.get(path).content.decode()
    assert "Ja, stuur mij berichten" in page
    client.head(path)
    assert every_row() == before
    assert client.post(path).status_code == 403, "a form that is not from our page"
    assert every_row() == before
    answer = client.post(path, {"csrfmiddlewaretoken": client.cookies["form"].value})
    assert answer.status_code == 200
    assert "U krijgt onze berichten" in answer.content.decode()
    address.refresh_from_db()
    assert (address.state, address.state_reason) == ("active", "confirmed")
    assert now() - address.state_at < timedelta(minutes=1)


def test_a_second_use_says_so_and_changes_nothing(client: Client) -> None:
    address = resident("pending")
    path = link(Purpose.CONFIRM, address)
    client.post(path)
    before = every_row()
    for answer in (client.post(path), client.get(path)):
        assert answer.status_code == 200
        assert "Uw adres was al bevestigd" in answer.content.decode()
    assert every_row() == before
    assert "sessionid" not in client.cookies


def test_after_two_days_the_link_is_void(client: Client) -> None:
    address = resident("pending")
    Address.objects.update(state_at=now() - timedelta(hours=48, minutes=1))
    before = every_row()
    for answer in (client.get(link(Purpose.CONFIRM, address)), client.post(link(Purpose.CONFIRM, address))):
        assert answer.status_code == 404
        assert "Deze link werkt niet meer" in answer.content.decode()
    assert every_row() == before


@pytest.mark.parametrize(("state", "words"), [("left", "U stopte de berichten"), ("suppressed", "kwamen niet aan")])
def test_an_old_link_brings_nobody_back(client: Client, state: str, words: str) -> None:
    address = resident(state)
    answer = client.post(link(Purpose.CONFIRM, address))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    address.refresh_from_db()
    assert address.state == state
