"""Times as people write them, and the two hours a year at which a local time does not exist, or exists twice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_RELATIVE = re.compile(r"\+(?P<number>\d{1,4})(?P<unit>[mhdw])(?: (?P<hour>\d{1,2}):(?P<minute>\d\d))?")
_DURATION = re.compile(r"(?P<number>\d{1,5})(?P<unit>[smhd])")
REMEDY = 'Write "2026-11-24 17:00", "+2h", "+3d 09:00" or "now".'


class NotATime(ValueError):
    """What was written is no time. ``what`` says why, ``remedy`` how to write it."""

    def __init__(self, what: str, remedy: str = REMEDY) -> None:
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment in UTC. ``note`` is not empty where it is not exactly what was written: it says what is meant."""

    at: datetime
    note: str = ""


def read_moment(written: str, now: datetime, zone: ZoneInfo) -> Moment | None:
    """The moment of ``written``; ``None`` for ``now``.

    ``2026-11-24 17:00`` is in ``zone`` unless it has an offset of its own; ``+2h`` is two hours after ``now``;
    ``+3d 09:00`` is nine o'clock in ``zone`` on the third day after today, ``+3d`` then at the time it is now.

    Raises:
        NotATime: it is written in another way, or no such day or time exists.
    """
    text = " ".join(written.split())
    if text.lower() == "now":
        return None
    if relative := _RELATIVE.fullmatch(text):
        return _relative(relative, text, now, zone)
    if not re.match(r"\d{4}-\d{1,2}-\d{1,2}[ T]\d", text):
        day_only = re.fullmatch(r"\d{4}-\d\d-\d\d", text)
        raise NotATime(f"'{text[:40]}' has no time." if day_only else f"'{text[:40]}' is not a time.")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise NotATime(f"'{text[:40]}' does not exist.") from None
    if moment.tzinfo is not None:
        return Moment(moment.astimezone(UTC))
    return local(moment.date(), moment.time(), zone)


def _relative(written: re.Match[str], text: str, now: datetime, zone: ZoneInfo) -> Moment:
    step = timedelta(**{_UNITS[written["unit"]]: int(written["number"])})
    if written["unit"] in "mh":
        if written["hour"]:
            raise NotATime(f"'{text}' has hours and a time of day.")
        return Moment(now + step)
    here = now.astimezone(zone)
    clock = here.time()
    if written["hour"]:
        try:
            clock = time(int(written["hour"]), int(written["minute"]))
        except ValueError:
            raise NotATime(f"'{written['hour']}:{written['minute']}' does not exist.") from None
    return local(here.date() + step, clock, zone)


def local(day: date, clock: time, zone: ZoneInfo) -> Moment:
    """The moment at which clocks in ``zone`` show ``clock`` on ``day``.

    A time that the clocks skip becomes the first one after the gap; of a time that comes twice the first is meant.
    Both are noted.
    """
    wanted = datetime.combine(day, clock)
    shown = wanted
    while not _exists(shown, zone):
        shown = shown.replace(second=0, microsecond=0) + timedelta(minutes=1)
    first = shown.replace(tzinfo=zone, fold=0)
    note = ""
    if shown != wanted:
        note = f"{wanted:%Y-%m-%d %H:%M} does not exist, because the clocks go forward; it becomes {shown:%H:%M}."
    elif first.utcoffset() != first.replace(fold=1).utcoffset():
        offset = f"{first:%z}"
        note = (
            f"{wanted:%Y-%m-%d %H:%M} comes twice, because the clocks go back; "
            f"the first is meant (UTC{offset[:3]}:{offset[3:]})."
        )
    return Moment(first.astimezone(UTC), note)


def _exists(shown: datetime, zone: ZoneInfo) -> bool:
    return shown.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == shown


def read_seconds(written: str) -> float:
    """A delay such as ``0s``, ``15m``, ``2h`` or ``1d`` in seconds.

    Raises:
        NotATime: it is written in another way.
    """
    duration = _DURATION.fullmatch("".join(written.split()))
    if duration is None:
        raise NotATime(f"'{written[:40]}' is not a delay.", 'Write "0s", "15m", "2h" or "1d".')
    return timedelta(**{_UNITS[duration["unit"]]: int(duration["number"])}).total_seconds()
