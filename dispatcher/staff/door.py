"""Wrong passwords, counted by account and by network, so that guessing is slow.

An address that is nobody's counts as one that is: the answer is the same for both. Windows are fixed.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from dispatcher.staff.models import RefusedSignIn, normal_email

WINDOW = timedelta(minutes=15)
MOST_BY_ACCOUNT = 10
MOST_BY_NETWORK = 50


def seconds_to_wait(email: str, network: str) -> int:
    """For how many seconds nobody may try ``email``, or nobody from ``network`` may try at all; 0 while they may."""
    since, now = _window()
    found = dict(
        RefusedSignIn.objects.filter(since=since, door__in=(_account(email), _network(network))).values_list(
            "door", "refused"
        )
    )
    over = found.get(_account(email), 0) >= MOST_BY_ACCOUNT or found.get(_network(network), 0) >= MOST_BY_NETWORK
    return int((since + WINDOW - now).total_seconds()) + 1 if over else 0


def count(email: str, network: str) -> None:
    """Notes one more refusal. Earlier windows are forgotten."""
    since, _ = _window()
    with transaction.atomic(), connection.cursor() as cursor:
        for door in (_account(email), _network(network)):
            cursor.execute(
                """INSERT INTO staff_refusedsignin (door, since, refused) VALUES (%s, %s, 1)
                ON CONFLICT (door, since) DO UPDATE SET refused = staff_refusedsignin.refused + 1""",
                [door, connection.ops.adapt_datetimefield_value(since)],
            )
        RefusedSignIn.objects.filter(since__lt=since).delete()


def _account(email: str) -> str:
    """The account without its address: what strangers type is not kept."""
    return f"account:{hashlib.sha256(normal_email(email).encode()).hexdigest()[:32]}"


def _network(network: str) -> str:
    return f"network:{network}"


def _window() -> tuple[datetime, datetime]:
    now = timezone.now()
    seconds = int(now.timestamp()) // int(WINDOW.total_seconds()) * int(WINDOW.total_seconds())
    return datetime.fromtimestamp(seconds, tz=now.tzinfo), now
