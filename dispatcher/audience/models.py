"""Who wants to hear: subscribers, their addresses, and what and where they want to hear about."""

from __future__ import annotations

import secrets

from django.db import models


def new_public_id() -> str:
    """A random id of 128 bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


class Topic(models.Model):
    """What an announcement is about. ``names`` is a label by language, ``explanations`` a sentence by language that
    tells who chooses what to expect; a language may be missing.
    """

    slug = models.SlugField(max_length=40, unique=True)
    names = models.JSONField()
    explanations = models.JSONField(default=dict)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.slug


class District(models.Model):
    """A part of the town."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.name


class Subscriber(models.Model):
    """Someone who wants to hear: resident, entrepreneur, partner or colleague (``group``).

    ``epoch`` is part of every token made for them: raising it revokes them all.
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_public_id)
    group = models.CharField(max_length=12)
    language = models.CharField(max_length=12)
    district = models.ForeignKey(District, null=True, on_delete=models.SET_NULL)
    topics = models.ManyToManyField(Topic, related_name="subscribers")
    epoch = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["group", "district"], name="subscriber_group_district")]  # colleagues first

    def __str__(self) -> str:
        return self.public_id


class AddressState(models.TextChoices):
    PENDING = "pending"  # not confirmed yet: hears nothing but the request to confirm
    ACTIVE = "active"
    LEFT = "left"
    SUPPRESSED = "suppressed"  # the far side says that it does not exist, or its owner complained


class Address(models.Model):
    """Where one channel reaches one subscriber, in the channel's own normal form.

    ``public_id`` stands in leave links and Message-IDs in place of anything countable. ``consent_source`` is where
    the consent can be found: a form, a list with its date. ``consent_text`` names the version of the words that were
    agreed to, ``consent_at`` is when; empty where a list was imported. ``left_from`` is the state that it left from, so
    that an undo brings back that one; ``pending_from`` the state that it asked again from, to which a request that
    nobody confirms falls back.
    """

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="addresses")
    public_id = models.CharField(max_length=32, unique=True, default=new_public_id)
    channel = models.CharField(max_length=20)
    value = models.CharField(max_length=1000)
    state = models.CharField(max_length=10, choices=AddressState, default=AddressState.PENDING)
    state_reason = models.CharField(max_length=40, default="")
    state_at = models.DateTimeField(auto_now_add=True)
    left_from = models.CharField(max_length=10, choices=AddressState, default="", blank=True)
    consent_source = models.CharField(max_length=200, default="")
    consent_text = models.CharField(max_length=40, default="", db_default="")
    consent_at = models.DateTimeField(null=True)
    pending_from = models.CharField(max_length=10, choices=AddressState, default="", db_default="", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["channel", "value"], name="one_address_per_channel")]

    def __str__(self) -> str:
        return f"{self.channel}:{self.public_id}"


class RefusedTokens(models.Model):
    """How many wrong tokens came from a network (``203.0.113.0/24``) in the window that began at ``since``."""

    network = models.CharField(max_length=50)
    since = models.DateTimeField()
    refused = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["network", "since"], name="one_count_per_window")]

    def __str__(self) -> str:
        return f"{self.refused} from {self.network}"


class Tally(models.Model):
    """How often ``whose`` (a network, a keyed hash, a host) did ``what`` in the window that began at ``since``."""

    what = models.CharField(max_length=20)
    whose = models.CharField(max_length=100)
    since = models.DateTimeField()
    count = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["what", "whose"], name="one_tally")]

    def __str__(self) -> str:
        return f"{self.what}: {self.count}"


class UsedLogin(models.Model):
    """A log-in link that was used, by the SHA-256 of its token: it works once."""

    digest = models.CharField(max_length=64, unique=True)
    used_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.digest[:8]
