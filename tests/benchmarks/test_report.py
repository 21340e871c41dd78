"""How the benchmarks judge and show what they found. What they measure is not tested: no test depends on speed."""

from __future__ import annotations

import json
import platform

import pytest
from rich.console import Console

from benchmarks import machine, report
from benchmarks.email import Rounds
from benchmarks.measure import Measure

RATIO = Measure("e-mail", "sqlite", 20_000, 1.25, "times", least=1.2, rates={"ours": 9000.4, "theirs": 7200.0})
MEMORY = Measure("memory", "postgres", 100_000, 6.0, "MB", most=5)
PAGE = Measure("a page", "", 0, 0.6, "times", least=0.5, rates={"ours": 9000.0, "theirs": 15_000.0})
LENGTH = Measure("length", "postgres", 100_000, 10_203, "octets")


def test_a_ratio_is_the_median_of_the_rounds_and_not_that_of_the_medians() -> None:
    found = Rounds(1_000)
    for ours, theirs in ((1.0, 2.0), (10.0, 4.0), (1.0, 1.0)):  # the machine was busy in the third round
        found.add("ours", 1_000, ours)
        found.add("theirs", 1_000, theirs)
    assert found.ratio("ours", "theirs") == 1.0
    assert found.rates["ours"] == [1000.0, 100.0, 1000.0]


@pytest.mark.parametrize(
    ("measure", "target", "reached", "shown"),
    [(RATIO, "≥ 1.2", True, "1.25"), (MEMORY, "≤ 5", False, "6"), (LENGTH, "", None, "10,203")],
)
def test_a_target_is_a_least_or_a_most(measure: Measure, target: str, reached: bool | None, shown: str) -> None:
    assert (measure.target, measure.reached, measure.shown) == (target, reached, shown)


def test_the_json_holds_everything() -> None:
    found = json.loads(report.as_json([RATIO, MEMORY, LENGTH], {"processor cores": "2"}))
    assert found["machine"] == {"processor cores": "2"}
    assert [each["reached"] for each in found["measures"]] == [True, False, None]
    assert found["measures"][0]["rates"] == {"ours": 9000.4, "theirs": 7200.0}


def test_the_page_tells_judgements_from_explanations() -> None:
    page = report.as_page([RATIO, MEMORY, LENGTH], {"processor cores": "2"}, rounds=5)
    judged, _, explained = page.partition("## Where time and memory go")
    assert "| e-mail | SQLite | 20,000 | 1.25 times | ≥ 1.2 | reached |" in judged
    assert "| memory | PostgreSQL | 100,000 | 6 MB | ≤ 5 | missed |" in judged
    assert "| length | PostgreSQL | 100,000 | 10,203 octets |  |  |" in explained
    assert "- e-mail (SQLite, 20,000): ours 9,000, theirs 7,200" in explained


def test_what_has_no_database_names_none() -> None:
    page = report.as_page([PAGE], {"processor cores": "2"}, rounds=5)
    assert "| a page |  |  | 0.6 times | ≥ 0.5 | reached |" in page
    assert "- a page: ours 9,000, theirs 15,000" in page


def test_the_terminal_shows_both_tables() -> None:
    console = Console(record=True, width=120)
    report.show([RATIO, MEMORY, LENGTH], console)
    text = console.export_text()
    assert "missed" in text
    assert "10,203 octets" in text


def test_the_machine_is_described_and_not_named() -> None:
    about = machine.describe()
    assert int(about["processor cores"]) >= 1
    assert platform.node() not in " ".join(about.values())
