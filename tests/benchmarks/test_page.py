"""How the page benchmark judges what it found, and what is said where it cannot run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import debian
from benchmarks.page import Found


def test_a_page_is_judged_by_the_median_ratio_of_the_rounds() -> None:
    found = Found(
        rates={"nginx": [20_000.0, 10_000.0, 20_000.0], "omroeper": [12_000.0, 9_000.0, 2_000.0]},
        processor={"nginx": [13e-6], "omroeper": [26e-6]},
    )
    judged, *explained = found.measures("a page")
    assert (judged.value, judged.target, judged.reached) == (0.6, "≥ 0.5", True)
    assert judged.rates == {"nginx": 20_000.0, "omroeper": 9_000.0}
    assert [each.shown for each in explained] == ["13", "26"]


def test_a_program_on_the_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "quickserve"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert debian.program("quickserve", ["quickserve"]) == debian.Program(str(program), {})


def test_without_a_program_and_a_way_to_fetch_it_the_remedy_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(debian.Unavailable, match=r"needs quickserve.*install it, and see that it is on PATH"):
        debian.program("quickserve", ["quickserve"])
