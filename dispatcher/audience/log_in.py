"""A log-in link works once: what was used is remembered for as long as its token could still count."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.utils import timezone

from dispatcher.audience.models import UsedLogin
from dispatcher.audience.tokens import LOGIN_SECONDS


def used(token: str) -> bool:
    """Whether ``token`` has been used."""
    return UsedLogin.objects.filter(digest=_digest(token)).exists()


def use(token: str) -> bool:
    """Uses ``token``, which was verified. False where it had been used: of two at once, one is the first."""
    _, first = UsedLogin.objects.get_or_create(digest=_digest(token))
    if first:
        UsedLogin.objects.filter(used_at__lt=timezone.now() - timedelta(seconds=2 * LOGIN_SECONDS)).delete()
    return first


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
