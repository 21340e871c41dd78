"""What a push service's answer, or the lack of one, means: one table.

Sources: RFC 8030 sections 5 and 7 (201, 202, 404, 410, 413, 429), RFC 8292 section 4.2 (401, 403), RFC 9110 sections
10.2.3 (Retry-After) and 15 (the rest). Windows' service has answered 406 where others say 429.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from channels.contract import Outcome, Reason

WAIT_LEAST, WAIT_MOST = 1.0, 3600.0  # seconds: what a service may ask us to wait is bounded
WAIT_UNSTATED = 30.0  # seconds: where a service says that we are too fast, but not how long to wait


class Silence(StrEnum):
    """What came instead of an answer."""

    NOT_ALLOWED = "not allowed"  # the egress policy does not let us connect there
    NO_CONNECTION = "no connection"
    CUT_BEFORE = "cut before"  # the connection broke while we still had octets of the request
    CUT_AFTER = "cut after"  # it broke when the whole request had left us
    TIMEOUT = "timeout"  # no status line in time
    GARBAGE = "garbage"  # what came is no HTTP


class Then(StrEnum):
    """What follows beside the receipt."""

    NOTHING = ""
    SHRINK = "shrink"  # the same again with the smaller payload, once
    REST = "rest"  # this push service gets nothing for a while; the others go on
    MISTRUST = "mistrust"  # it does not accept who we are


@dataclass(frozen=True, slots=True)
class Verdict:
    outcome: Outcome
    reason: Reason
    then: Then = Then.NOTHING


_D, _R, _G, _U = Outcome.DEFERRED, Outcome.REJECTED, Outcome.GONE, Outcome.UNKNOWN
_THROTTLED = Verdict(_D, Reason.THROTTLED, Then.REST)
_BUSY = Verdict(_D, Reason.BUSY)
_REFUSED = Verdict(_R, Reason.CONTENT_REFUSED)
_GONE = Verdict(_G, Reason.NO_SUCH_ADDRESS)
_MISTRUSTED = Verdict(_D, Reason.POLICY, Then.MISTRUST)

ANSWERS: dict[int, Verdict] = {
    401: _MISTRUSTED,
    403: _MISTRUSTED,
    404: _GONE,
    408: _BUSY,
    410: _GONE,
    413: Verdict(_R, Reason.TOO_LARGE, Then.SHRINK),
    425: _BUSY,
    429: _THROTTLED,
}
SILENCES: dict[Silence, Verdict] = {
    Silence.NOT_ALLOWED: Verdict(_R, Reason.ADDRESS_NOT_ALLOWED),
    Silence.NO_CONNECTION: Verdict(_D, Reason.CONNECTION_LOST, Then.REST),
    Silence.CUT_BEFORE: Verdict(_D, Reason.CONNECTION_LOST),
    Silence.CUT_AFTER: Verdict(_U, Reason.CONNECTION_LOST),
    Silence.TIMEOUT: Verdict(_U, Reason.NO_ANSWER, Then.REST),
    Silence.GARBAGE: Verdict(_U, Reason.NOT_UNDERSTOOD),
}


def judge(status: int, host: str) -> Verdict:
    """What the answer ``status`` of the push service ``host`` means."""
    if 200 <= status < 300:
        return Verdict(Outcome.ACCEPTED, Reason.OK)
    if status == 406 and host.endswith(".notify.windows.com"):
        return _THROTTLED
    if status >= 500:
        return _BUSY
    # Nothing is sent on to where a redirect points: the endpoint is what the resident gave us, and nothing else.
    return ANSWERS.get(status, _REFUSED)


def stated_wait(value: str, now: datetime) -> float | None:
    """Seconds to wait by a ``Retry-After`` of seconds or a date, bounded; ``None`` where it says neither."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        seconds = float(value[:12])
    else:
        try:
            when = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return None
        seconds = ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, WAIT_LEAST), WAIT_MOST)
