"""Limits on what strangers make us do: counted in the database, so that all web processes count together.

A window begins with the first of what is counted and ends after its length; what comes above the limit is counted as
well, and moves nothing. Addresses are counted under a keyed hash, known ones and unknown ones alike.
"""

from __future__ import annotations

import hmac
import math
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from dispatcher.audience.models import Tally

log = structlog.get_logger("omroeper.limits")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` of ``what`` in ``window``, counted per network, address, browser or host, or for the site."""

    what: str
    most: int
    window: timedelta


HOUR, DAY = timedelta(hours=1), timedelta(days=1)

REQUESTS = Limit("request", 20, HOUR)  # per network: forms that make us write a mail or a push message
# Per address. The hour comes first: only what passes it counts for the day.
CONFIRM_HOUR, CONFIRM_DAY = Limit("confirm-hour", 1, HOUR), Limit("confirm-day", 3, DAY)
LOG_IN = Limit("log-in", 1, timedelta(minutes=10))
# For the whole site: a town of 25,000 people does not sign up faster, and a machine that does is stopped here.
SITE = Limit("site", 1_000, HOUR)
DEVICES = Limit("devices", 10, DAY)  # push subscriptions per browser
HOST = Limit("push-host", 100, HOUR)  # push subscriptions per push service that is not a browser maker's


class TooMany(Exception):
    """Over a limit. ``wait`` is in seconds, at least one."""

    def __init__(self, limit: Limit, wait: int) -> None:
        super().__init__(f"more than {limit.most} of {limit.what}: wait {wait} seconds")
        self.limit = limit
        self.wait = wait


def spend(limit: Limit, whose: str = "") -> None:
    """Counts one more. The first one over the limit is logged, once a window.

    Raises:
        TooMany: this one is over the limit.
    """
    count = _count(limit, whose)
    if count <= limit.most:
        return
    since = Tally.objects.values_list("since", flat=True).get(what=limit.what, whose=whose)
    if count == limit.most + 1:
        # Networks and hosts may stand in a log; a hash of an address tells nobody anything.
        log.warning("subscribe.limited", what=limit.what, whose=whose, most=limit.most)
    raise TooMany(limit, max(1, math.ceil((since + limit.window - timezone.now()).total_seconds())))


def within(limit: Limit, whose: str) -> bool:
    """Counts one more, and says whether that was within the limit: for limits that nobody is told about."""
    try:
        spend(limit, whose)
    except TooMany:
        return False
    return True


def hashed(value: str) -> str:
    """``value`` under a key of our own: the same each time, and nothing to go back from."""
    key = hmac.digest(settings.SECRET_KEY.encode(), b"omroeper audience limits", "sha256")
    return hmac.digest(key, value.encode(), "sha256").hex()[:32]


def _count(limit: Limit, whose: str) -> int:
    now = timezone.now()
    begun, over = (connection.ops.adapt_datetimefield_value(each) for each in (now, now - limit.window))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO audience_tally (what, whose, since, count) VALUES (%s, %s, %s, 1)
            ON CONFLICT (what, whose) DO UPDATE SET
                count = CASE WHEN audience_tally.since <= %s THEN 1 ELSE audience_tally.count + 1 END,
                since = CASE WHEN audience_tally.since <= %s THEN excluded.since ELSE audience_tally.since END
            RETURNING count""",
            [limit.what, whose, begun, over, over],
        )
        count = int(cursor.fetchone()[0])
        if count == 1:
            Tally.objects.filter(what=limit.what, since__lte=now - limit.window).delete()
    return count
