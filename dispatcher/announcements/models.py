"""The one thing staff write, and its immutable, numbered versions."""

from __future__ import annotations

import secrets
from typing import Any

from django.db import models


def new_public_id() -> str:
    """A random id of 128 bits, as 32 hexadecimal digits: says nothing about how many there are."""
    return secrets.token_hex(16)


class Kind(models.TextChoices):
    SERVICE_CHANGE = "service-change"
    NEWS = "news"
    PARTICIPATION = "participation"
    STORY = "story"
    EMERGENCY = "emergency"


class State(models.TextChoices):
    """Where an announcement is in its life. Which moves are legal is one table: ``lifecycle.MOVES``."""

    DRAFT = "draft"
    IN_REVIEW = "in-review"
    APPROVED = "approved"
    GOING_OUT = "going-out"
    LIVE = "live"
    CORRECTED = "corrected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Group(models.TextChoices):
    """For whom an announcement is, and what a subscriber is to the town."""

    RESIDENT = "resident"
    ENTREPRENEUR = "entrepreneur"
    PARTNER = "partner"
    COLLEAGUE = "colleague"


class Announcement(models.Model):
    """One announcement. ``slug`` never changes; ``audience`` lists groups, empty topics or districts mean all.

    ``stages`` says by group (``public``: residents and entrepreneurs) how many seconds after the start it hears; empty
    means as the town does it. ``request_key`` makes a repeated submit find the first one (unique where given).
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_public_id)
    slug = models.SlugField(max_length=80, unique=True)
    kind = models.CharField(max_length=20, choices=Kind)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    audience = models.JSONField(default=list)
    topics = models.JSONField(default=list)  # slugs of audience.Topic
    districts = models.JSONField(default=list)  # slugs of audience.District
    stages = models.JSONField(default=dict)
    publish_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    request_key = models.CharField(max_length=64, null=True, unique=True)
    request_digest = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.slug


class RevisionIsFinal(Exception):
    """A revision and its texts do not change once they are stored: what is different is the next revision."""

    def __init__(self, stored: models.Model) -> None:
        super().__init__(f"{stored._meta.model_name} {stored} is stored and final. Add a revision instead.")


class _Final(models.Model):
    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Stores a new row.

        Raises:
            RevisionIsFinal: it is stored already.
        """
        if not self._state.adding:
            raise RevisionIsFinal(self)
        super().save(*args, **kwargs)


class Revision(_Final):
    """An immutable version of an announcement's content. Its texts are the ``RevisionText`` rows, one a language."""

    announcement = models.ForeignKey(Announcement, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    language = models.CharField(max_length=12)  # the language it was written in
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["announcement", "number"], name="one_revision_per_number")]
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.announcement_id}/{self.number}"


class RevisionText(_Final):
    """A revision in one language. ``body`` is Markdown as typed; ``links`` is a list of ``{label, url}``."""

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=12)
    title = models.CharField(max_length=200)
    summary = models.CharField(max_length=500)
    body = models.TextField(max_length=50_000, default="")
    links = models.JSONField(default=list)
    image_url = models.CharField(max_length=500, default="")
    image_alt = models.CharField(max_length=500, default="")
    contact = models.CharField(max_length=300, default="")
    change = models.CharField(max_length=300, default="")  # what this revision changed, for readers

    class Meta:
        constraints = [models.UniqueConstraint(fields=["revision", "language"], name="one_text_per_language")]

    def __str__(self) -> str:
        return f"{self.revision_id}/{self.language}"
