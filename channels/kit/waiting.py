"""How long a server asks us to wait: RFC 9110's ``Retry-After``, and the reset time that Mastodon has instead."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from channels.kit.push_outcomes import WAIT_LEAST, WAIT_MOST
from channels.kit.push_outcomes import stated_wait as retry_after


def wait_until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait, between 1 and 3600; ``None`` where nothing that can be read is stated.

    ``Retry-After`` wins: seconds or an HTTP date. Else ``X-RateLimit-Reset`` in ISO 8601, as Mastodon gives it.
    ``headers`` are asked by names in small letters.
    """
    wait = retry_after(headers.get("retry-after", ""), now)
    return wait if wait is not None else _reset(headers.get("x-ratelimit-reset", "").strip(), now)


def _reset(text: str, now: datetime) -> float | None:
    try:
        when = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    seconds = ((when if when.tzinfo else when.replace(tzinfo=UTC)) - now).total_seconds()
    return min(max(seconds, WAIT_LEAST), WAIT_MOST)
