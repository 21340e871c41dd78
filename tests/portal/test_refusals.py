"""Wrong tokens are counted per network, and only wrong ones are turned away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from dispatcher.audience import refusals
from dispatcher.audience.models import RefusedTokens
from dispatcher.audience.tokens import Purpose
from tests.support.residents import link, resident

pytestmark = pytest.mark.django_db


def _wrong(client: Client, network: str, times: int = 1) -> list[int]:
    return [client.get(f"/leave/guess-{n}", REMOTE_ADDR=network).status_code for n in range(times)]


def test_the_thirty_first_wrong_token_in_ten_minutes_is_turned_away(client: Client) -> None:
    assert _wrong(client, "203.0.113.7", 30) == [404] * 30
    answer = client.get("/preferences/guess", REMOTE_ADDR="203.0.113.200")  # the same /24, another page
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 601
    assert _wrong(client, "203.0.114.7") == [404], "another network is not concerned"
    counts = dict(RefusedTokens.objects.values_list("network", "refused"))
    assert counts == {"203.0.113.0/24": 30, "203.0.114.0/24": 1}, "what is turned away is not written down"


def test_networks_of_ipv6_count_by_their_48_bits(client: Client) -> None:
    for n in range(30):
        assert client.get("/leave/guess", REMOTE_ADDR=f"2001:db8:1:{n:x}::1").status_code == 404
    assert _wrong(client, "2001:db8:1:ffff::9") == [429]
    assert _wrong(client, "2001:db8:2::9") == [404]


def test_a_link_that_works_keeps_working(client: Client) -> None:
    _wrong(client, "203.0.113.7", 31)
    address = resident()
    answer = client.post(link(Purpose.LEAVE, address), {"List-Unsubscribe": "One-Click"}, REMOTE_ADDR="203.0.113.7")
    assert answer.status_code == 200
    address.refresh_from_db()
    assert address.state == "left"


def test_after_ten_minutes_it_starts_anew_and_the_count_before_is_forgotten(client: Client) -> None:
    _wrong(client, "203.0.113.7", 31)
    RefusedTokens.objects.update(since=RefusedTokens.objects.get().since - timedelta(minutes=10))
    assert refusals.seconds_to_wait("203.0.113.0/24") == 0
    assert _wrong(client, "203.0.113.7") == [404]
    assert RefusedTokens.objects.get().refused == 1
