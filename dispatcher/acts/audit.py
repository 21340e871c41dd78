"""The record of acts, written in the same transaction as what they did."""

from __future__ import annotations

from typing import Any

import structlog

from dispatcher.acts.models import AuditEntry

log = structlog.get_logger("omroeper.acts")


def record(actor: str, act: str, subject: str, **details: Any) -> None:
    """Writes down who did what to what. ``details``: ids and counts, never bodies, addresses, tokens or secrets."""
    AuditEntry.objects.create(actor=actor, act=act, subject=subject, details=details)
    log.info(act, actor=actor, subject=subject, **details)
