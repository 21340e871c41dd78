"""A11, a push subscription under someone else's control: only real push services, real keys, and not too many."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from dispatcher.audience.models import Address, Tally
from dispatcher.audience.tokens import Purpose
from dispatcher.dispatching.models import Outlet
from tests.support.devices import push_outlet, subscription
from tests.support.logged import log_events
from tests.support.residents import every_row, link, resident

pytestmark = pytest.mark.django_db

FORM = {"topics": ["road-works"], "district": "", "language": "nl"}
ENDPOINTS = {
    "the cloud's own address": "https://169.254.169.254/latest/meta-data",
    "loopback": "https://127.0.0.1/push",
    "loopback with a name": "https://localhost/push",
    "IPv6 loopback": "https://[::1]/push",
    "without TLS": "http://updates.push.services.mozilla.com/wpush/v2/a",
    "port 22": "https://updates.push.services.mozilla.com:22/wpush/v2/a",
    "port 8443": "https://fcm.googleapis.com:8443/fcm/send/a",
    "credentials": "https://user:secret@fcm.googleapis.com/fcm/send/a",
    "a host after credentials": "https://fcm.googleapis.com@evil.example/fcm/send/a",
    "a backslash": "https://evil.example\\@fcm.googleapis.com/a",
    "an ending that only looks alike": "https://evilpush.services.mozilla.com.evil.example/a",
    "a prefix of a domain": "https://notify.windows.com.evil.example/a",
    "no dot before the domain": "https://xpush.apple.com/a",
    "our own host": "http://localhost:8700/subscribe/",
    "our own host over TLS": "https://berichten.losser.example/subscribe/",
    "no address": "javascript:alert(1)",
    "a file": "file:///etc/passwd",
    "line ends": "https://fcm.googleapis.com/a\r\nHost: evil.example",
    "another script": "https://fcm\u3002googleapis\u3002com/a",
    "too long": "https://fcm.googleapis.com/" + "a" * 5000,
    "nothing": " ",
}
KEYS = {
    "no point of the curve": {"p256dh": "BA" + "A" * 85},
    "too short": {"p256dh": "BA"},
    "a short secret": {"auth": "AAAA"},
    "no base64": {"p256dh": "!" * 87},
    "50 kB": {"p256dh": "B" * 50_000},
}
BODIES = ["[]", "1", "null", "{", "{}", '{"endpoint": "https://fcm.googleapis.com/a"}', '{"keys": 1}', "[" * 20_000]


@pytest.fixture(autouse=True)
def town() -> Address:
    push_outlet()
    return resident()


def _refused(client: Client, push: str, path: str = "/subscribe/") -> None:
    before = every_row()
    with log_events() as lines:
        answer = client.post(path, {**FORM, "push": push})
    assert answer.status_code == 422
    assert every_row() == before, "nothing is stored"
    (told,) = [line for line in lines if line["event"] == "push.refused"]
    assert set(told) <= {"event", "field", "host", "level", "logger", "timestamp"}
    assert "/" not in told["host"]
    assert "secret" not in str(lines)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a11_only_push_services_of_browsers(client: Client, name: str) -> None:
    _refused(client, subscription(ENDPOINTS[name]))


@pytest.mark.parametrize("name", KEYS)
def test_a11_only_real_keys(client: Client, name: str) -> None:
    _refused(client, subscription(**KEYS[name]))


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_a11_only_subscriptions(client: Client, body: str) -> None:
    _refused(client, body)


def test_a11_a_key_of_3_mb_is_refused_before_it_is_read(client: Client) -> None:
    before = every_row()
    answer = client.post("/subscribe/", {**FORM, "push": subscription(p256dh="B" * 3_000_000)})
    assert answer.status_code in {400, 413}
    assert every_row() == before


def test_a11_the_preferences_page_and_the_renewal_look_as_closely(client: Client, town: Address) -> None:
    for endpoint in ENDPOINTS.values():
        _refused(client, subscription(endpoint), f"{link(Purpose.PREFERENCES, town)}/device")
    known = subscription()
    client.post("/subscribe/", {**FORM, "push": known})
    before = every_row()
    for endpoint in ENDPOINTS.values():
        body = {"old": json.loads(known), "new": json.loads(subscription(endpoint))}
        assert client.post("/push/renew", body, content_type="application/json").status_code == 422
    assert every_row() == before


def test_a11_a_browser_signs_up_ten_times_a_day_at_most() -> None:
    client = Client()
    client.get("/subscribe/")
    answers = [client.post("/subscribe/", {**FORM, "push": subscription()}).status_code for _ in range(13)]
    assert answers == [202] * 10 + [429] * 3
    assert Address.objects.filter(channel="webpush").count() == 10
    Tally.objects.update(since=F("since") - timedelta(days=1))
    assert client.post("/subscribe/", {**FORM, "push": subscription()}).status_code == 202


def test_a11_a_push_service_that_the_town_added_gets_a_hundred_an_hour_at_most() -> None:
    push_outlet_again("push.losser.example:443")

    def ask(number: int) -> Any:  # what the test client answers has no public name
        endpoint = f"https://push.losser.example/{number}"
        return Client(REMOTE_ADDR=f"10.0.{number}.7").post("/subscribe/", {**FORM, "push": subscription(endpoint)})

    with log_events() as lines:
        answers = [ask(number).status_code for number in range(103)]
    assert answers == [202] * 100 + [429] * 3
    (told,) = [line for line in lines if line["event"] == "subscribe.limited"]
    assert told["whose"] == "https://push.losser.example"
    ours = Client(REMOTE_ADDR="10.1.1.7").post("/subscribe/", {**FORM, "push": subscription()})
    assert ours.status_code == 202, "those of the browsers have no such limit"


def push_outlet_again(*hosts: str) -> None:
    """The outlet, with push services that the town added."""
    Outlet.objects.filter(channel="webpush").delete()
    push_outlet(extra_hosts=hosts)


def test_a11_nothing_is_pushed_but_the_question_and_the_endpoint_is_never_shown(client: Client, town: Address) -> None:
    known = json.loads(subscription())
    client.post(f"{link(Purpose.PREFERENCES, town)}/device", {"push": json.dumps(known)})
    device = Address.objects.get(channel="webpush")
    assert device.state == "pending"
    secrets = [known["endpoint"].rpartition("/")[2], *known["keys"].values()]
    for purpose in (Purpose.PREFERENCES, Purpose.CONFIRM, Purpose.LEAVE):
        for address in (town, device):
            shown = client.get(link(purpose, address)).content.decode()
            assert not [secret for secret in secrets if secret in shown]


def test_a11_who_does_not_know_the_whole_subscription_cannot_move_it(client: Client) -> None:
    known = json.loads(subscription())
    client.post("/subscribe/", {**FORM, "push": json.dumps(known)})
    device = Address.objects.get(channel="webpush")
    before = every_row()
    guessed = {**known, "keys": json.loads(subscription())["keys"]}
    body = {"old": guessed, "new": json.loads(subscription())}
    assert client.post("/push/renew", body, content_type="application/json").status_code == 404
    after = every_row()
    assert [rows for name, rows in after.items() if name != "audience.Tally"] == [
        rows for name, rows in before.items() if name != "audience.Tally"
    ]
    body = {"old": known, "new": json.loads(subscription())}
    assert client.post("/push/renew", body, content_type="application/json").status_code == 204
    moved = Address.objects.get(pk=device.pk)
    assert body["new"]["endpoint"] in moved.value
    assert moved.state == device.state
