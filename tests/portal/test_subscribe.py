"""``/subscribe/``: everyone gets the same answer, and the address itself is asked."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from dispatcher.acts.confirm import confirm
from dispatcher.acts.leave import leave
from dispatcher.audience.asking import WITHIN, forget_unconfirmed
from dispatcher.audience.models import Address, Subscriber, Tally
from dispatcher.audience.tokens import Purpose
from dispatcher.dispatching.models import Dispatch, Outlet
from tests.support.devices import email_outlet, push_outlet, subscription
from tests.support.logged import log_events
from tests.support.residents import every_row, link, resident

pytestmark = pytest.mark.django_db

FORM = {"topics": ["road-works", "events"], "district": "overdinkel", "language": "nl"}


@pytest.fixture(autouse=True)
def town() -> Address:
    """A town with choices, one resident, and an outlet for mail and for push."""
    email_outlet()
    push_outlet()
    return resident()


def _post(form: dict[str, Any], path: str = "/subscribe/", status: int = 202) -> str:
    client = Client(enforce_csrf_checks=True)
    client.get("/subscribe/")
    token = {"csrfmiddlewaretoken": client.cookies["form"].value}
    answer = client.post(path, {**form, **token})
    assert answer.status_code == status, answer.content.decode()
    return answer.content.decode()


def _notices() -> list[tuple[str, int]]:
    return [
        (each["kind"], each["address"]) for each in Dispatch.objects.order_by("pk").values_list("notice", flat=True)
    ]


def test_looking_changes_nothing_and_offers_both_ways(client: Client) -> None:
    before = every_row()
    page = client.get("/subscribe/?lang=en")
    assert every_row() == before
    said = page.content.decode()
    assert 'name="email"' in said
    assert 'id="push"' in said
    assert re.search(r'id="push"[^>]* hidden', said), "without JavaScript nothing is said of push"
    assert 'name="topics" value="events"' in said
    assert page["Cache-Control"] == "no-store"


def test_a_new_address_waits_until_its_owner_says_yes() -> None:
    with log_events() as lines:
        said = _post({**FORM, "email": "Nieuw@Practice.invalid"})
    address = Address.objects.get(value="nieuw@practice.invalid")
    assert (address.state, address.consent_source, address.consent_text) == (
        "pending", "subscribe page", "subscribe-1",
    )  # fmt: skip
    person = address.subscriber
    assert (person.group, person.language, person.district and person.district.slug) == ("resident", "nl", "overdinkel")
    assert set(person.topics.values_list("slug", flat=True)) == {"road-works", "events"}
    assert _notices() == [("confirm", address.pk)]
    assert "Kijk in uw mail" in said
    assert "n…w@practice.invalid" in said
    assert [line["channels"] for line in lines if line["event"] == "subscribe.requested"] == [["email"]]
    assert "nieuw" not in str(lines).lower()
    assert confirm(address)
    assert address.consent_at is not None


def test_mail_and_device_asked_for_together_belong_to_one_person() -> None:
    said = _post({**FORM, "email": "nieuw@practice.invalid", "push": subscription()})
    mail, device = Address.objects.order_by("-pk")[:2]
    assert mail.subscriber_id == device.subscriber_id
    assert {mail.state, device.state} == {"pending"}
    assert [kind for kind, _ in _notices()] == ["confirm", "confirm"]
    assert "Kijk bij de meldingen op dit apparaat" in said


def test_a_device_alone_is_enough() -> None:
    _post({**FORM, "push": subscription()})
    assert Address.objects.get(channel="webpush").state == "pending"


def test_who_is_known_gets_a_mail_that_says_so_and_keeps_their_choice(town: Address) -> None:
    _post({**FORM, "topics": ["public-services"], "language": "en", "email": town.value})
    assert _notices() == [("known", town.pk)]
    town.refresh_from_db()
    assert town.state == "active"
    assert town.subscriber.language == "nl"
    assert set(town.subscriber.topics.values_list("slug", flat=True)) == {"road-works"}


@pytest.mark.parametrize("cause", ["button", "complaint"])
def test_who_left_can_come_back_by_saying_yes_again(town: Address, cause: str) -> None:
    leave(town, cause=cause)
    _post({**FORM, "email": town.value})
    town.refresh_from_db()
    assert (town.state, town.pending_from) == ("pending", "left")
    assert _notices() == [("confirm", town.pk)]
    assert confirm(town)
    assert Address.objects.get(pk=town.pk).state == "active"


def test_a_request_that_nobody_confirms_is_forgotten_and_changes_nothing_for_who_left(town: Address) -> None:
    leave(town, cause="button")
    _post({**FORM, "email": town.value})
    _post({**FORM, "email": "nieuw@practice.invalid"})
    people = Subscriber.objects.count()
    assert forget_unconfirmed() == 0
    Address.objects.filter(state="pending").update(state_at=now() - WITHIN - timedelta(minutes=1))
    assert forget_unconfirmed() == 2
    town.refresh_from_db()
    assert town.state == "left"
    assert not Address.objects.filter(value="nieuw@practice.invalid").exists()
    assert Subscriber.objects.count() == people - 1


def test_nobody_joins_their_device_to_the_address_of_another() -> None:
    """Whoever signs up a device together with a stranger's address gets no hold on that address."""
    _post({**FORM, "email": "slachtoffer@practice.invalid", "push": subscription()})
    device = Address.objects.get(channel="webpush")
    victim = Address.objects.get(value="slachtoffer@practice.invalid")
    assert confirm(device)
    Tally.objects.all().delete()
    _post({**FORM, "email": victim.value})
    victim.refresh_from_db()
    assert confirm(victim)
    assert victim.subscriber_id != device.subscriber_id


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ({}, ["way"]),
        ({"email": "geen adres"}, ["email"]),
        (
            {"email": "a@b@c", "topics": ["gossip"], "district": "enschede", "language": "de"},
            ["topics", "district", "email", "language"],
        ),
        ({"push": "{}"}, ["push"]),
        ({"email": "nieuw@practice.invalid", "push": subscription("https://push.elsewhere.example/1")}, ["push"]),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_what_was_typed_stays(form: dict[str, Any], fields: list[str]) -> None:
    before = every_row()
    said = _post({**FORM, **form}, status=422)
    assert every_row() == before
    summary = said.split('class="errors"')[1].split("</ul>")[0]
    assert re.findall(r'href="#(\w+)"', summary) == fields
    for field in fields:
        assert f'id="{field}"' in said
        assert f'id="{field}-wrong"' in said
    assert f'value="{form.get("email", "")}"' in said
    if "topics" not in form:
        assert re.search(r'value="road-works" checked', said)
    assert "autofocus" in said


def test_without_an_outlet_for_push_the_page_is_silent_about_it(client: Client) -> None:
    Outlet.objects.filter(channel="webpush").delete()
    said = client.get("/subscribe/").content.decode()
    assert "apparaat" not in said
    assert "script" not in said.split("</head>")[0]
    _post({**FORM, "push": subscription()}, status=422)
    Outlet.objects.all().update(enabled=False)
    assert "U kunt zich nu niet aanmelden" in client.get("/subscribe/").content.decode()


@pytest.mark.parametrize("path", ["/subscribe/", ""])
def test_the_page_may_reach_the_practice_push_service_and_nothing_else(
    client: Client, settings: Settings, town: Address, path: str
) -> None:
    path = path or link(Purpose.PREFERENCES, town)
    settings.PRACTICE_PUSH = "127.0.0.1:8703"
    policy = client.get(path)["Content-Security-Policy"]
    assert "connect-src 'self' http://127.0.0.1:8703;" in f"{policy};"
    assert "8703" not in client.get("/preferences/")["Content-Security-Policy"]
    settings.PRACTICE_PUSH = ""
    answer = client.get(path)
    assert "connect-src 'self';" in f"{answer['Content-Security-Policy']};"
    assert 'data-practice=""' in answer.content.decode()
    assert "oefenstad" not in answer.content.decode()


def test_the_app_begins_at_the_announcements_in_the_readers_language(client: Client) -> None:
    manifest = client.get("/manifest.webmanifest", headers={"Accept-Language": "en"})
    assert manifest["Content-Type"] == "application/manifest+json"
    said = manifest.json()
    assert (said["lang"], said["start_url"], said["scope"]) == ("en", "/en/", "/")
    worker = client.get("/push-worker.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert worker["Cache-Control"] == "no-cache"
