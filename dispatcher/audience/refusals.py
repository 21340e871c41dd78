"""Wrong tokens, counted per network: guessing is slow, and it shows.

Only wrong ones count and only wrong ones are turned away. Tokens hold 136 bits that nobody can guess, so the limit is
there to spare the database and the log; a resident whose neighbour, or whose mail provider, sent old links around must
still be able to leave. Windows are fixed, ten minutes each.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from dispatcher.audience.models import RefusedTokens

WINDOW = timedelta(minutes=10)
MOST = 30


def seconds_to_wait(network: str) -> int:
    """For how many seconds wrong tokens from ``network`` are turned away unseen; 0 while they are not."""
    since, now = _window()
    over = RefusedTokens.objects.filter(network=network, since=since, refused__gte=MOST).exists()
    return int((since + WINDOW - now).total_seconds()) + 1 if over else 0


def count(network: str) -> int:
    """Notes one more wrong token; returns how many came in this window. Earlier windows are forgotten."""
    since, _ = _window()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO audience_refusedtokens (network, since, refused) VALUES (%s, %s, 1)
            ON CONFLICT (network, since) DO UPDATE SET refused = audience_refusedtokens.refused + 1
            RETURNING refused""",
            [network, connection.ops.adapt_datetimefield_value(since)],
        )
        refused = int(cursor.fetchone()[0])
        if refused == 1:
            RefusedTokens.objects.filter(since__lt=since).delete()
    return refused


def _window() -> tuple[datetime, datetime]:
    now = timezone.now()
    seconds = int(now.timestamp()) // int(WINDOW.total_seconds()) * int(WINDOW.total_seconds())
    return datetime.fromtimestamp(seconds, tz=now.tzinfo), now
