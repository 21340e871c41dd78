"""Times as people write them."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from dispatcher.announcements.when import NotATime, local, read_moment, read_seconds

ZONE = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 11, 24, 6, 30, 15, tzinfo=UTC)  # 7:30:15 in Losser


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-11-24 17:00", "2026-11-24T16:00:00"),
        ("2026-07-24T17:00", "2026-07-24T15:00:00"),
        ("2026-11-24 17:00+00:00", "2026-11-24T17:00:00"),
        ("+2h", "2026-11-24T08:30:15"),
        ("+30m", "2026-11-24T07:00:15"),
        ("+3d 09:00", "2026-11-27T08:00:00"),
        ("+1w 9:05", "2026-12-01T08:05:00"),
        ("+1d", "2026-11-25T06:30:15"),
        (" +28d   23:59 ", "2026-12-22T22:59:00"),
    ],
)
def test_reads_a_moment(written: str, at: str) -> None:
    moment = read_moment(written, NOW, ZONE)
    assert moment is not None
    assert moment.at == datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert moment.note == ""


def test_now_is_no_moment_yet() -> None:
    assert read_moment("now", NOW, ZONE) is None
    assert read_moment("Now", NOW, ZONE) is None


@pytest.mark.parametrize(
    "written",
    [
        "",
        "morgen",
        "2026-11-24",
        "2026-13-01 10:00",
        "2026-11-24 25:00",
        "+3d 25:00",
        "+2h 10:00",
        "+2x",
        "17:00",
        "24-11-2026 17:00",
    ],
)
def test_what_is_no_time_comes_with_a_remedy(written: str) -> None:
    with pytest.raises(NotATime) as wrong:
        read_moment(written, NOW, ZONE)
    assert wrong.value.what.endswith(".")
    assert wrong.value.remedy


def test_a_time_that_the_clocks_skip_moves_to_the_first_that_exists() -> None:
    moment = local(date(2027, 3, 28), time(2, 30), ZONE)
    assert moment.at == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    assert moment.note == "2027-03-28 02:30 does not exist, because the clocks go forward; it becomes 03:00."


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    moment = local(date(2027, 10, 31), time(2, 30), ZONE)
    assert moment.at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert "comes twice" in moment.note
    assert "UTC+02:00" in moment.note


def test_a_relative_day_over_the_change_keeps_the_time_of_day() -> None:
    moment = read_moment("+1d 09:00", datetime(2027, 3, 27, 12, tzinfo=UTC), ZONE)
    assert moment is not None
    assert moment.at == datetime(2027, 3, 28, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(("written", "seconds"), [("0s", 0), ("15m", 900), ("2h", 7200), ("1 d", 86400)])
def test_reads_a_delay(written: str, seconds: float) -> None:
    assert read_seconds(written) == seconds


@pytest.mark.parametrize("written", ["", "15", "-5m", "m", "1w", "1.5h"])
def test_what_is_no_delay_is_refused(written: str) -> None:
    with pytest.raises(NotATime, match="not a delay"):
        read_seconds(written)
