"""A02, finding out who subscribes: known and unknown addresses get the same answer, and the same work."""

from __future__ import annotations

import re
from itertools import product
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from django.test import Client

from dispatcher.audience.models import Tally
from dispatcher.dispatching.models import Dispatch
from tests.support.devices import email_outlet
from tests.support.logged import log_events
from tests.support.residents import resident

pytestmark = pytest.mark.django_db

FORM = {"topics": ["road-works"], "district": "", "language": "nl"}
NOTICEABLE = 0.005  # seconds: what a network hides
STATES = ("active", "pending", "left", "suppressed", "unknown")


def _address(state: str) -> str:
    known = resident("active" if state == "unknown" else state)
    # As long as a known one, and masked to the same letters.
    return known.value if state != "unknown" else known.value.replace("resident-", "resimenT-")


def _ask(path: str, email: str) -> Any:  # what the test client answers has no public name
    Tally.objects.all().delete()
    return Client().post(path, {**FORM, "email": email})


def _told(answer: Any) -> tuple[int, str, dict[str, str]]:
    """What a stranger sees, without form tokens and the one letter that is the address's own."""
    body = re.sub(r'value="[A-Za-z0-9]{64}"', "", answer.content.decode())
    body = re.sub(r"r…\d@", "r…@", body)
    return answer.status_code, body, {name: value for name, value in answer.headers.items() if name != "Set-Cookie"}


@pytest.mark.parametrize("path", ["/subscribe/", "/preferences/"])
def test_a02_every_address_gets_the_same_answer(path: str) -> None:
    email_outlet()
    with log_events() as lines:
        told = [_told(_ask(path, _address(state))) for state in STATES]
    assert [status for status, _, _ in told] == [202] * len(STATES)
    assert all(each == told[0] for each in told)
    asked = [line for line in lines if line["event"] in {"subscribe.requested", "login.requested"}]
    assert len(asked) == len(STATES)
    said = [{name: value for name, value in line.items() if name != "timestamp"} for line in asked]
    assert all(each == said[0] for each in said)


@pytest.mark.parametrize("path", ["/subscribe/", "/preferences/"])
def test_a02_for_every_address_a_message_is_written_down(path: str) -> None:
    email_outlet()
    for number, state in enumerate(STATES, start=1):
        _ask(path, _address(state))
        assert Dispatch.objects.count() == number, state


@pytest.mark.parametrize("path", ["/subscribe/", "/preferences/"])
def test_a02_the_time_tells_little(path: str) -> None:
    """Mail goes out by a worker; what is left is a few rows more or less. Interleaved, median of many."""
    email_outlet()
    apart = [_apart(path)]
    if apart[0] >= NOTICEABLE:  # a busy machine may do that once
        apart.append(_apart(path))
    assert apart[-1] < NOTICEABLE, apart


def _apart(path: str) -> float:
    """By how many seconds the medians for known and unknown addresses differ."""
    times: dict[str, list[float]] = {"active": [], "unknown": []}
    for _, state in product(range(40), times):
        email = _address(state)
        began = perf_counter()
        _ask(path, email)
        times[state].append(perf_counter() - began)
    return abs(median(times["active"]) - median(times["unknown"]))
