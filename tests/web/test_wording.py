"""Numbers, moments and lists as each language writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation

from dispatcher.web import wording

WHEN = datetime(2020, 3, 17, 8, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "number", "moment", "second", "names"),
    [
        ("nl", "6.318", "dinsdag 17 maart 2020, 9.10 uur", "9.10.05 uur", "Nederlands en Engels"),
        ("en", "6,318", "Tuesday 17 March 2020, 9:10", "9:10:05", "Dutch and English"),
    ],
)
def test_each_language_has_its_own_form(language: str, number: str, moment: str, second: str, names: str) -> None:
    with translation.override(language):
        assert wording.number(6318) == number
        assert wording.moment(WHEN) == moment
        assert wording.seconds(WHEN) == second
        assert wording.listed([wording.language_name("nl"), wording.language_name("en")]) == names


def test_this_year_goes_without_saying_and_so_does_today() -> None:
    soon = timezone.now() + timedelta(minutes=5)
    with translation.override("nl"):
        assert str(soon.year) not in wording.day(soon)
        assert wording.near(soon) == wording.clock(soon)
        assert wording.near(WHEN) == wording.moment(WHEN)
    assert wording.iso(WHEN) == "2020-03-17T09:10:05+01:00"
