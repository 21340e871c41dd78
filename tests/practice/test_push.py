"""The practice town's push service: RFC 8030 on the wire, and phones that show what was pushed to them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from channels.contract import Act, Outcome, Reason, Receipt, Recipient, Surroundings
from channels.kit.egress import Egress
from channels.kit.push_address import PushAddress
from channels.kit.push_crypto import encrypt
from channels.kit.vapid import Vapid, new_key
from channels.webpush import WebPush
from tests.support.bulletins import NL, bulletin
from tests.support.practice import Practice

SLOTS = {"preferences_url": "https://losser.example/preferences/abc"}
VAPID = Vapid(new_key(), "mailto:berichten@losser.example")


class Service:
    """The push service of a practice town, and what a test asks of it."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.place = f"127.0.0.1:{practice.ports['push']}"
        self.http = httpx.Client(base_url=f"http://{self.place}", timeout=10, trust_env=False)

    def subscribe(self, *names: str, key: str = "") -> list[PushAddress]:
        wanted = {"names": list(names), **({"applicationServerKey": key} if key else {})}
        made = self.http.post("/subscriptions", json=wanted).json()["subscriptions"]
        assert [each["name"] for each in made] == list(names)
        return [PushAddress.from_subscription(json.dumps(each), extra_hosts=[self.place]) for each in made]

    def push(self, address: PushAddress, text: bytes, **headers: str | None) -> httpx.Response:
        given = {
            "Authorization": VAPID.authorization(address.origin),
            "TTL": "60",
            "Content-Encoding": "aes128gcm",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return self.http.post(
            address.endpoint,
            content=encrypt(text, address),
            headers={name: value for name, value in given.items() if value is not None},
        )

    def messages(self, **query: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get("/messages.json", params=query).json()["messages"]
        return found

    def phone(self, address: PushAddress) -> str:
        answer = self.http.get(f"/phone/{device(address)}")
        assert answer.status_code == 200
        return answer.text


def device(address: PushAddress) -> str:
    return address.endpoint.rpartition("/")[2]


def note(title: str, tag: str = "") -> bytes:
    return json.dumps({"web_push": 8030, "notification": {"title": title, "body": "b", "tag": tag}}).encode()


@pytest.fixture
def service(practice: Practice) -> Iterator[Service]:
    made = Service(practice)
    yield made
    made.http.close()


def delivered(service: Service, addresses: list[PushAddress], act: Act = Act.ANNOUNCE) -> list[Receipt]:
    """What our own channel makes of pushing to these."""

    async def source() -> AsyncIterator[Recipient]:
        for address in addresses:
            yield Recipient(address=address.value(), key=device(address), thread=f"t.{device(address)}", slots=SLOTS)

    async def run() -> list[Receipt]:
        host, _, port = service.place.partition(":")
        settings = {"vapid_key": new_key(), "contact": "mailto:a@losser.example", "extra_hosts": [service.place]}
        channel = WebPush(WebPush.read_settings(settings), Surroundings(Egress({(host, int(port))})))
        async with channel:
            made = channel.compose(bulletin(NL), "nl", act, channel.limits)
            return [receipt async for receipt in channel.deliver(act, made, source())]

    return asyncio.run(run())


def test_what_our_channel_pushes_stands_on_the_phone(service: Service) -> None:
    (address,) = service.subscribe("resident-push-1")
    (receipt,) = delivered(service, [address])
    assert receipt.outcome is Outcome.ACCEPTED
    assert receipt.remote_id.startswith(f"http://{service.place}/message/")
    (message,) = service.messages(recipient=device(address))
    assert (message["name"], message["urgency"], message["ttl"]) == ("resident-push-1", "normal", 3 * 86400)
    assert message["notification"]["title"] == NL.title
    assert message["notification"]["actions"][0]["navigate"] == SLOTS["preferences_url"]
    page = service.phone(address)
    assert NL.title in page
    assert NL.summary in page
    assert NL.title in service.http.get("/").text


def test_a_resident_has_the_same_subscription_however_often_it_is_asked_for(service: Service) -> None:
    assert service.subscribe("resident-same") == service.subscribe("resident-same")
    one, two = service.subscribe("resident-one", "resident-two")
    assert one.endpoint != two.endpoint
    assert one.p256dh != two.p256dh


def test_a_page_on_this_machine_gets_a_subscription_and_no_other_page(service: Service) -> None:
    own = service.http.post("/subscriptions", headers={"Origin": "http://localhost:8700"})
    assert own.status_code == 201
    assert own.headers["Access-Control-Allow-Origin"] == "http://localhost:8700"
    assert PushAddress.from_subscription(own.text, extra_hosts=[service.place])
    other = service.http.post("/subscriptions", headers={"Origin": "https://evil.example"})
    assert other.status_code == 403
    assert "Access-Control-Allow-Origin" not in other.headers


def test_a_correction_takes_the_place_of_its_original_on_the_phone(service: Service) -> None:
    (address,) = service.subscribe("resident-corrected")
    delivered(service, [address])
    delivered(service, [address], Act.UPDATE)
    page = service.phone(address)
    assert page.count('<article class="notification"') == 1
    assert f"Gewijzigd: {NL.title}" in page
    assert len({message["topic"] for message in service.messages(recipient=device(address))}) == 1


def test_a_phone_that_is_off_gets_only_the_last_of_a_topic_when_it_is_on_again(service: Service) -> None:
    (address,) = service.subscribe("resident-off")
    act = f"/phone/{device(address)}"
    assert service.http.post(act, data={"act": "off"}).status_code == 303
    service.push(address, note("one"), Topic="a")
    service.push(address, note("two"), Topic="a")
    service.push(address, note("now or never"), TTL="0")
    cancelled = service.push(address, note("cancelled"))
    assert service.http.delete(cancelled.headers["Location"]).status_code == 204
    assert "two" not in service.phone(address)
    service.http.post(act, data={"act": "on"})
    titles = re.findall(r'notification__title">([^<]*)<', service.phone(address))
    assert titles in (["two"], ["now or never", "two"]), "a TTL of 0 may live within the same second"


def test_a_subscription_that_ended_is_gone(service: Service) -> None:
    (address,) = service.subscribe("resident-ended")
    assert service.http.delete(address.endpoint).status_code == 204
    assert service.push(address, note("x")).status_code == 410
    (receipt,) = delivered(service, [address])
    assert (receipt.outcome, receipt.reason) == (Outcome.GONE, Reason.NO_SUCH_ADDRESS)
    assert "410" in service.phone(address)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"TTL": None}, 400),
        ({"TTL": "soon"}, 400),
        ({"Urgency": "very"}, 400),
        ({"Topic": "not base64url!"}, 400),
        ({"Topic": "x" * 33}, 400),
        ({"Content_Encoding": "aesgcm"}, 400),
        ({"Authorization": None}, 401),
        ({"Authorization": "WebPush x"}, 401),
        ({"Authorization": "vapid t=a.b.c, k=AAAA"}, 403),
        ({}, 201),
    ],
)
def test_a_message_that_does_not_keep_to_the_rules_is_refused(
    service: Service, headers: dict[str, str | None], status: int
) -> None:
    (address,) = service.subscribe("resident-strict")
    assert service.push(address, note("x"), **headers).status_code == status


def test_a_token_for_another_service_or_too_long_or_of_another_key_is_refused(service: Service) -> None:
    (address,) = service.subscribe("resident-token")
    for authorization in (
        VAPID.authorization("https://fcm.googleapis.com"),
        Vapid(new_key(), "mailto:a@losser.example", clock=lambda: 4e9).authorization(address.origin),
        Vapid(new_key(), "mailto:a@losser.example", clock=lambda: 1e9).authorization(address.origin),
        VAPID.authorization(address.origin).partition(", k=")[0] + f", k={Vapid(new_key(), 'mailto:a@b.nl').public}",
    ):
        assert service.push(address, note("x"), Authorization=authorization).status_code == 403
    (bound,) = service.subscribe("resident-bound", key=VAPID.public)
    assert service.push(bound, note("x")).status_code == 201
    other = Vapid(new_key(), "mailto:a@b.nl").authorization(bound.origin)
    assert service.push(bound, note("x"), Authorization=other).status_code == 403


def test_an_unknown_subscription_and_too_large_a_message_are_refused(service: Service) -> None:
    (address,) = service.subscribe("resident-large")
    unknown = replace(address, endpoint=address.endpoint[:-4] + "0000")
    assert service.push(unknown, note("x")).status_code == 404
    answer = service.http.post(
        address.endpoint,
        content=bytes(4097),
        headers={"Authorization": VAPID.authorization(address.origin), "TTL": "1", "Content-Encoding": "aes128gcm"},
    )
    assert answer.status_code == 413


def test_what_the_phone_cannot_read_it_says(service: Service) -> None:
    mine, other = service.subscribe("resident-mine", "resident-other")
    service.push(replace(mine, p256dh=other.p256dh, key=other.key), note("not for you"))
    assert "Deze telefoon kan dit bericht niet lezen." in service.phone(mine)
    assert service.messages(recipient=device(mine))[0]["notification"] is None


@pytest.mark.parametrize(
    ("preset", "outcome", "reason"),
    [
        ("throttled", Outcome.DEFERRED, Reason.THROTTLED),
        ("too-large", Outcome.REJECTED, Reason.TOO_LARGE),
        ("unavailable", Outcome.DEFERRED, Reason.BUSY),
        ("refused", Outcome.DEFERRED, Reason.CONNECTION_LOST),
        ("cut-taken", Outcome.UNKNOWN, Reason.CONNECTION_LOST),
        ("half-answer", Outcome.UNKNOWN, Reason.CONNECTION_LOST),
    ],
)
def test_faults_on_demand(service: Service, preset: str, outcome: Outcome, reason: Reason) -> None:
    (address,) = service.subscribe(f"resident-{preset}")
    service.practice.switch(preset, peer="push")
    (receipt,) = delivered(service, [address])
    assert (receipt.outcome, receipt.reason) == (outcome, reason)


def test_a_share_of_the_addresses_is_gone(service: Service) -> None:
    addresses = service.subscribe(*(f"resident-share-{i}" for i in range(60)))
    service.practice.switch("gone", peer="push")
    receipts = delivered(service, addresses)
    gone = {receipt.key for receipt in receipts if receipt.outcome is Outcome.GONE}
    assert gone == {device(address) for address in addresses if device(address)[0] in "01234"}
    assert 6 <= len(gone) <= 32


def test_a14_payload_strings_are_shown_as_text(service: Service) -> None:
    (address,) = service.subscribe("resident-payload")
    service.push(
        address,
        json.dumps(
            {
                "web_push": 8030,
                "notification": {
                    "title": "<img src=x onerror=alert(1)>",
                    "body": "</p><script>alert(2)</script>",
                    "lang": '"><svg onload=alert(3)>',
                    "navigate": "javascript:alert(4)",
                    "actions": [
                        {"action": "x", "title": "y", "navigate": "data:text/html,<script>alert(5)</script>"},
                        7,
                    ],
                },
            }
        ).encode(),
    )
    page = service.phone(address)
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert not [bad for bad in ("<img", "<script>alert", "<svg onload", "javascript:", "data:text") if bad in page]
    assert "script-src 'self'" in service.http.get(f"/phone/{device(address)}").headers["Content-Security-Policy"]


def test_a_page_of_another_site_presses_no_button(service: Service) -> None:
    (address,) = service.subscribe("resident-buttons")
    act = f"/phone/{device(address)}"
    assert service.http.post(act, data={"act": "ended"}, headers={"Origin": "https://evil.example"}).status_code == 403
    assert service.push(address, note("x")).status_code == 201
