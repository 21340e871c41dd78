"""How the urgent benchmark judges, and that its far side takes posts as the product sends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from benchmarks import timeline
from benchmarks.alarm import Alarm
from benchmarks.urgent import Findings, p95

STATUS = "/api/v1/statuses"


@pytest.fixture(scope="module")
def far_side() -> Iterator[timeline.Timeline]:
    with timeline.running() as running:
        yield running


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert p95([float(number) for number in range(1, 101)]) == 95.0
    assert p95([3.0, 1.0, 2.0]) == 3.0


def test_overhead_is_what_remains_without_the_far_side_of_that_round() -> None:
    found = Findings()
    found.add([Alarm(0.030, {"submit": 0.010}), Alarm(0.020, {"submit": 0.004})], alone=[0.004, 0.005, 0.100])
    found.add([Alarm(0.050, {"submit": 0.006})], alone=[0.030])
    assert found.overheads == pytest.approx([0.025, 0.015, 0.020])
    judged, *explained = found.measures("idle", "sqlite", 100_000)
    assert (judged.target, judged.reached) == ("≤ 25", True)
    assert judged.value == pytest.approx(25.0, abs=1e-6)
    assert [each.target for each in explained] == [""] * len(explained)
    assert explained[-1].what.endswith("submit, median")
    assert explained[-1].value == pytest.approx(6.0)


def test_the_far_side_takes_a_key_once_and_says_when(far_side: timeline.Timeline) -> None:
    numbers = {_post(far_side, "boil your water", key="a"), _post(far_side, "boil your water", key="a")}
    numbers |= {_post(far_side, "boil your water, too", key="b")}
    assert len(numbers) == 2
    taken = far_side.taken("boil your water")
    assert taken.posts == 2
    assert taken.first <= taken.last
    with urlopen(f"{far_side.url}{STATUS}/{min(numbers)}") as read:  # noqa: S310 - our own, on loopback
        assert "boil your water" in json.load(read)["content"]


def test_the_far_side_alone_is_measured_as_often_as_asked(far_side: timeline.Timeline) -> None:
    took = far_side.alone(19, 3)
    assert len(took) == 3
    assert min(took) > 0


def _post(far_side: timeline.Timeline, text: str, *, key: str) -> str:
    request = Request(  # noqa: S310
        f"{far_side.url}{STATUS}",
        data=json.dumps({"status": text}).encode(),
        headers={"Content-Type": "application/json", "Idempotency-Key": key},
    )
    with urlopen(request) as answer:  # noqa: S310
        number: str = json.load(answer)["id"]
        return number
