"""A01, subscription bombing: however often and from wherever it is asked, an address gets its few messages."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from dispatcher.audience import limits
from dispatcher.audience.models import Address, Tally
from dispatcher.dispatching.models import Dispatch
from tests.support.devices import email_outlet
from tests.support.logged import log_events
from tests.support.residents import every_row, resident

pytestmark = pytest.mark.django_db

FORM = {"topics": ["road-works"], "district": "", "language": "nl"}
VICTIM = "slachtoffer@practice.invalid"


@pytest.fixture(autouse=True)
def town() -> Address:
    email_outlet()
    return resident()


def _ask(
    email: str, network: int = 0, path: str = "/subscribe/"
) -> Any:  # what the test client answers has no public name
    """A request from one of many networks."""
    return Client(REMOTE_ADDR=f"10.{network // 250}.{network % 250}.7").post(path, {**FORM, "email": email})


def _later(time: timedelta) -> None:
    Tally.objects.update(since=F("since") - time)


def test_a01_one_network_is_stopped_after_twenty_in_an_hour() -> None:
    with log_events() as lines:
        answers = [_ask(f"bewoner{number}@practice.invalid") for number in range(30)]
    assert [answer.status_code for answer in answers] == [202] * 20 + [429] * 10
    refused = answers[-1]
    assert 3500 < int(refused["Retry-After"]) <= 3600
    assert "Probeer het over 60 minuten opnieuw" in refused.content.decode()
    assert Address.objects.filter(value__startswith="bewoner").count() == 20
    assert [line["event"] for line in lines].count("subscribe.limited") == 1, "once a window"
    assert _ask("ander@practice.invalid", network=1).status_code == 202, "another network is not stopped"
    _later(timedelta(hours=1))
    assert _ask("later@practice.invalid").status_code == 202


def test_a01_an_address_gets_one_message_an_hour_and_three_a_day_from_all_networks_together() -> None:
    spellings = [VICTIM, VICTIM.upper(), f" {VICTIM} ", "Slachtoffer@Practice.Invalid"]
    answers = [_ask(spelling, network) for network, spelling in product(range(50), spellings)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({_body(answer) for answer in answers}) == 1
    assert Dispatch.objects.count() == 1
    assert Address.objects.filter(value=VICTIM).count() == 1
    for hour in range(30):
        _later(timedelta(hours=1))
        _ask(VICTIM, 300 + hour)
    assert Dispatch.objects.count() == 6, "three in each of two days"


def test_a01_all_networks_together_have_a_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SITE", limits.Limit("site", 5, limits.HOUR))
    with log_events() as lines:
        answers = Counter(_ask(f"n{number}@practice.invalid", number).status_code for number in range(9))
    assert answers == {202: 5, 429: 4}
    assert [line["what"] for line in lines if line["event"] == "subscribe.limited"] == ["site"]


def test_a01_log_in_links_are_limited_too(town: Address) -> None:
    assert {_ask(town.value, network, "/preferences/").status_code for network in range(50)} == {202}
    assert Dispatch.objects.count() == 1
    _later(timedelta(minutes=10))
    _ask(town.value, 60, "/preferences/")
    assert Dispatch.objects.count() == 2


def test_a01_no_address_stands_in_what_is_counted() -> None:
    _ask(VICTIM)
    assert VICTIM not in str(every_row()["audience.Tally"])


def _body(answer: Any) -> str:
    return str(answer.content.decode()).split('<main id="content"')[1]
