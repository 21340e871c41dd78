"""Choose: what a subscriber wants to hear about, for which part of town, in which language."""

from __future__ import annotations

from collections.abc import Collection

import structlog
from django.db import transaction

from dispatcher.audience.models import District, Subscriber, Topic

log = structlog.get_logger("omroeper.acts")


def choose(subscriber: Subscriber, *, topics: Collection[Topic], district: District | None, language: str) -> bool:
    """The subscriber hears about ``topics`` in ``district`` (``None``: the whole town) from the next announcement on.

    True where that differs from before. An emergency reaches them whatever topics they chose.
    """
    with transaction.atomic():
        locked = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
        changed = (locked.district, locked.language) != (district, language)
        changed |= set(locked.topics.all()) != set(topics)
        if changed:
            locked.district, locked.language = district, language
            locked.save(update_fields=["district", "language"])
            locked.topics.set(topics)
    if changed:
        log.info("subscriber.chose", subscriber=subscriber.public_id[:8], topics=len(topics))
    return changed
