"""``/leave/<token>`` for people: a button, a way back, in their own language."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now
from structlog.testing import capture_logs

from dispatcher.acts.leave import leave
from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose
from tests.support.residents import every_row, link, resident

pytestmark = pytest.mark.django_db


def _again(address: Address) -> Address:
    return Address.objects.get(pk=address.pk)


def _undo(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    assert "/undo" in page
    form = client.cookies["form"].value
    answer = client.post(f"{path}/undo", {"csrfmiddlewaretoken": form}, follow=True)
    assert answer.status_code == 200
    assert "U blijft berichten krijgen" in answer.content.decode()


def test_looking_shows_a_button_and_changes_nothing(client: Client) -> None:
    path = link(Purpose.LEAVE, resident())
    before = every_row()
    answer = client.get(path)
    assert answer.status_code == 200
    assert 'name="leave" value="yes"' in answer.content.decode()
    assert client.head(path).status_code == 200
    assert client.options(path).status_code == 405
    assert every_row() == before
    assert not client.cookies, "no cookie for someone who only wants to leave"


def test_the_button_leaves_with_its_time_and_cause() -> None:
    client = Client(enforce_csrf_checks=True)
    address = resident()
    with capture_logs() as lines:
        answer = client.post(link(Purpose.LEAVE, address), {"leave": "yes"}, follow=True)
    assert "U krijgt geen berichten meer" in answer.content.decode()
    left = _again(address)
    assert (left.state, left.state_reason) == ("left", "button")
    assert now() - left.state_at < timedelta(minutes=1)
    told = next(line for line in lines if line["event"] == "subscriber.left")
    assert told["cause"] == "button"
    assert address.value not in str(lines)
    assert link(Purpose.LEAVE, address).rsplit("/", 1)[1] not in str(lines)


@pytest.mark.parametrize("state", ["active", "pending"])
def test_leaving_can_be_undone_and_brings_back_what_was(state: str) -> None:
    client = Client(enforce_csrf_checks=True)
    address = resident(state)
    path = link(Purpose.LEAVE, address)
    client.post(path, {"leave": "yes"})
    client.post(path, {"leave": "yes"})  # pressed twice
    _undo(client, path)
    assert _again(address).state == state
    assert _again(address).state_reason == "undone"


def test_undoing_twice_or_without_having_left_changes_nothing(client: Client) -> None:
    address = resident()
    path = link(Purpose.LEAVE, address)
    before = every_row()
    assert client.post(f"{path}/undo").status_code == 303
    assert every_row() == before


def test_what_was_suppressed_stays_so_whatever_its_owner_presses(client: Client) -> None:
    address = resident("suppressed")
    path = link(Purpose.LEAVE, address)
    client.post(path, {"leave": "yes"})
    assert "/undo" not in client.get(path).content.decode()
    client.post(f"{path}/undo")
    assert _again(address).state == "left"


def test_a_complaint_is_not_undone_with_a_link(client: Client) -> None:
    address = resident()
    leave(address, cause="complaint")
    client.post(f"{link(Purpose.LEAVE, address)}/undo")
    assert _again(address).state == "left"


def test_after_four_weeks_there_is_no_way_back(client: Client) -> None:
    address = resident()
    path = link(Purpose.LEAVE, address)
    client.post(path, {"leave": "yes"})
    Address.objects.update(state_at=now() - timedelta(days=28, minutes=1))
    assert "/undo" not in client.get(path).content.decode()
    client.post(f"{path}/undo")
    assert _again(address).state == "left"


def test_the_page_speaks_the_language_of_its_owner_unless_asked_otherwise(client: Client) -> None:
    path = link(Purpose.LEAVE, resident(language="en"))
    answer = client.get(path, headers={"Accept-Language": "nl"})
    assert answer["Content-Language"] == "en"
    assert 'lang="en"' in answer.content.decode()
    assert "Stop all announcements" in answer.content.decode()
    dutch = client.get(f"{path}?lang=nl")
    assert "Stop alle berichten" in dutch.content.decode()
    assert f'action="{path}?lang=nl"' in dutch.content.decode(), "the form stays in the language that was asked for"


def test_the_address_is_shown_in_part(client: Client) -> None:
    address = resident()
    page = client.get(link(Purpose.LEAVE, address)).content.decode()
    assert address.value not in page
    assert f"r…{address.value.partition('@')[0][-1]}@practice.invalid" in page
