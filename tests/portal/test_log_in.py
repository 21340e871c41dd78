"""``/preferences/`` and ``/login/<token>``: a way back for who lost the link, by a button that works once."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from dispatcher.audience import tokens
from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose
from dispatcher.dispatching.models import Dispatch
from tests.support.residents import every_row, link, resident

pytestmark = pytest.mark.django_db


def _ask(email: str, status: int = 202) -> str:
    client = Client(enforce_csrf_checks=True)
    client.get("/preferences/")
    answer = client.post("/preferences/", {"email": email, "csrfmiddlewaretoken": client.cookies["form"].value})
    assert answer.status_code == status
    return answer.content.decode()


def _kinds() -> list[tuple[str, int]]:
    said = Dispatch.objects.order_by("pk").values_list("notice", flat=True)
    return [(each["kind"], each["address"]) for each in said]


@pytest.mark.parametrize(
    ("state", "kind"), [("active", "login"), ("pending", "confirm"), ("left", ""), ("suppressed", "")]
)
def test_a_link_goes_to_who_hears_from_us_and_to_nobody_else(state: str, kind: str) -> None:
    address = resident(state)
    assert "r…" in _ask(address.value.upper())
    assert _kinds() == [(kind, address.pk) if kind else ("login", 0)]


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed() -> None:
    said = _ask("geen adres", 422)
    assert 'value="geen adres"' in said
    assert 'href="#email"' in said
    assert not Dispatch.objects.exists()


def test_looking_uses_nothing_up_and_the_button_works_once(client: Client) -> None:
    address = resident()
    path = link(Purpose.LOGIN, address)
    before = every_row()
    for _ in range(2):
        page = client.get(path)
        assert page.status_code == 200
        assert address.value not in page.content.decode()
    assert every_row() == before
    answer = client.post(path)
    assert answer.status_code == 303
    assert answer["Location"] == link(Purpose.PREFERENCES, address)
    for again in (client.post(path), client.get(path)):
        assert again.status_code == 404
        assert "werkt niet meer" in again.content.decode()


def test_the_button_works_for_a_quarter_of_an_hour(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    path = link(Purpose.LOGIN, resident())
    began = time.time()
    monkeypatch.setattr(time, "time", lambda: began + tokens.LOGIN_SECONDS - 5)
    assert client.get(path).status_code == 200
    monkeypatch.setattr(time, "time", lambda: began + tokens.LOGIN_SECONDS + 1)
    assert client.get(path).status_code == 404
    assert client.post(path).status_code == 404


def test_of_two_presses_at_once_one_is_the_first(client: Client) -> None:
    address = resident()
    path = link(Purpose.LOGIN, address)
    assert sorted(client.post(path).status_code for _ in range(3)) == [303, 404, 404]
    other = link(Purpose.LOGIN, Address.objects.get(pk=resident().pk))
    assert client.post(other).status_code == 303, "another's link is another link"
