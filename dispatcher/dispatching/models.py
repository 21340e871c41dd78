"""The ledger: what goes out, to whom, where each delivery stands. The database is the truth, Redis a doorbell.

Rows are written by ``plan`` and changed by ``settle``, ``leasing`` and ``holders`` in SQL, never through ``save()``.
Two clocks: ``*_at`` is wall time for people and schedules; ``lease_until`` is the lease clock (``clock``), in seconds.
"""

from __future__ import annotations

import secrets

from django.db import models

from dispatcher.announcements.models import Announcement, Revision

# Django finds the models of an app through this module.
from dispatcher.dispatching.life import Beat as Beat  # noqa: PLC0414 - meant for others to import from here
from dispatcher.dispatching.life import Worker as Worker  # noqa: PLC0414


def new_key() -> str:
    """A random key of 128 bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


class Circuit(models.TextChoices):
    CLOSED = "closed"
    OPEN = "open"  # the outlet is down: nothing is tried before ``retry_at``
    PROBING = "probing"  # one worker tries


class Outlet(models.Model):
    """A configured instance of a channel. Rate, circuit, pause and retry-after live here, shared by all workers.

    ``settings`` is encrypted (``secretbox``). ``rate`` is messages per second, null for no limit; ``rate_next`` is when
    the next group may start (lease clock). ``groups`` is who hears through it. ``slots`` is how many batches may be in
    hand at once; while the circuit is not closed it is one.
    """

    name = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    channel = models.CharField(max_length=20)
    settings = models.TextField(default="")
    languages = models.JSONField(default=list)  # languages it carries; empty means all
    groups = models.JSONField(default=list)  # audience groups it serves; empty means all
    enabled = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    rate = models.FloatField(null=True)
    rate_next = models.FloatField(default=0)
    slots = models.PositiveSmallIntegerField(default=8)
    paused_at = models.DateTimeField(null=True)
    paused_by = models.CharField(max_length=64, default="")
    pause_reason = models.CharField(max_length=300, default="")
    circuit = models.CharField(max_length=8, choices=Circuit, default=Circuit.CLOSED)
    circuit_reason = models.CharField(max_length=300, default="")
    circuit_since = models.DateTimeField(null=True)
    needs_person = models.BooleanField(default=False)
    retry_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class DispatchAct(models.TextChoices):
    ANNOUNCE = "announce"
    UPDATE = "update"
    WITHDRAW = "withdraw"
    NOTICE = "notice"


class Dispatch(models.Model):
    """One fan-out of one revision. Unique on revision and act: pressed twice is sent once.

    ``start_at`` is publish time plus the grace in which it can still be stopped. ``stages`` lists who hears when:
    ``[{"groups": ["colleague"], "delay": 0}, …]``, the delay in seconds since ``start_at``. ``ended_at`` is set when
    a later dispatch, a stop, or the expiry ended it: nothing that is still due in it goes out. A ``notice`` has no
    revision; ``notice`` then holds its kind and texts.
    """

    key = models.CharField(max_length=32, unique=True, default=new_key)
    announcement = models.ForeignKey(Announcement, null=True, on_delete=models.PROTECT, related_name="dispatches")
    revision = models.ForeignKey(Revision, null=True, on_delete=models.PROTECT, related_name="dispatches")
    act = models.CharField(max_length=10, choices=DispatchAct)
    notice = models.JSONField(default=dict)
    reason = models.JSONField(default=dict)  # why it was withdrawn, by language
    urgent = models.BooleanField(default=False)
    stages = models.JSONField(default=list)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=64)
    start_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    planned_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=12, default="")  # replaced, withdrawn, expired, stopped

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "act"],
                condition=models.Q(act__in=["announce", "update", "withdraw"]) & ~models.Q(ended_why="stopped"),
                name="one_dispatch_per_revision_and_act",
            )
        ]
        indexes = [models.Index(fields=["start_at"], condition=models.Q(planned_at=None), name="dispatch_unplanned")]

    def __str__(self) -> str:
        return f"{self.act} {self.key}"


class ComposedCopy(models.Model):
    """The exact copy that a dispatch puts out on an outlet: written once at planning, read by every send."""

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="copies")
    outlet = models.ForeignKey(Outlet, on_delete=models.PROTECT)
    language = models.CharField(max_length=12)
    act = models.CharField(max_length=10)
    early = models.BooleanField(default=False)
    content = models.TextField()  # channels.contract.Copy as JSON

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["dispatch", "outlet", "language", "act", "early"], name="one_copy")
        ]

    def __str__(self) -> str:
        return f"{self.dispatch_id}/{self.outlet_id}/{self.language}"


class Batch(models.Model):
    """The unit of queueing and leasing: up to 500 deliveries of one dispatch, outlet, language, act and stage.

    ``lease_token`` is a fencing number: it rises with every lease, and only its holder can start or change anything.
    ``handed`` marks the position below which deliveries were released to the channel in this run, ``cutoff`` the wall
    time at which the run began: an open delivery below the mark and due before the cutoff is in hand. ``due_at`` is
    when something in it is next due; null when all is settled. The counters are sums over its deliveries.
    """

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="batches")
    outlet = models.ForeignKey(Outlet, on_delete=models.PROTECT, related_name="batches")
    lane = models.CharField(max_length=16)
    language = models.CharField(max_length=12)
    act = models.CharField(max_length=10)
    stage = models.PositiveSmallIntegerField(default=0)
    early = models.BooleanField(default=False)
    number = models.PositiveIntegerField(default=0)
    size = models.PositiveIntegerField(default=0)
    needs_page = models.BooleanField(default=False)  # handed over only once the page is accepted
    page_by = models.DateTimeField(null=True)  # an emergency does not wait for the page beyond this
    starts_at = models.DateTimeField(null=True)  # when its stage begins
    due_at = models.DateTimeField(null=True)
    rung_at = models.FloatField(null=True)  # lease clock
    lease_token = models.PositiveBigIntegerField(default=0)
    lease_until = models.FloatField(null=True)
    leased_by = models.CharField(max_length=80, default="")
    handed = models.PositiveIntegerField(default=0)
    cutoff = models.DateTimeField(null=True)
    closed = models.BooleanField(default=False)  # its dispatch was ended
    barren = models.PositiveSmallIntegerField(default=0)  # leases in a row that died without a receipt
    accepted = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    moved_at = models.DateTimeField(null=True)  # last time a receipt came in, or it turned out that none can

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dispatch", "outlet", "language", "act", "stage", "early", "number"],
                name="one_batch_per_number",
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="batch_due"),
            models.Index(fields=["dispatch"], condition=models.Q(needs_page=False), name="batch_of_page"),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class DeliveryState(models.TextChoices):
    """``due`` is open. The others are settled unless ``due_at`` says that the policy repeats them."""

    DUE = "due"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    GONE = "gone"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Delivery(models.Model):
    """One row of the ledger: one target of one dispatch on one outlet, and its latest receipt.

    ``target`` is the address's primary key for a direct outlet, the language (or empty) for a broadcast one, with
    ``early:`` before it for the copy that colleagues and partners read first. A delivery is open exactly while
    ``due_at`` is set. ``reason`` and ``detail`` are those of the receipt, or why it was skipped: ``left``,
    ``withdrawn``, ``replaced``, ``expired``, ``suppressed``, ``stopped``. ``follows`` is the delivery of the replaced
    dispatch that was in hand when this one was planned: until that is settled nobody knows what to say here.
    """

    dispatch = models.ForeignKey(Dispatch, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    outlet = models.ForeignKey(Outlet, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    batch = models.ForeignKey(Batch, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    target = models.CharField(max_length=40)
    address = models.ForeignKey(
        "audience.Address", null=True, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.DUE)
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=24, default="")
    detail = models.CharField(max_length=200, default="")
    remote_id = models.CharField(max_length=300, default="")
    url = models.CharField(max_length=500, default="")
    settled_at = models.DateTimeField(null=True)
    previous = models.CharField(max_length=300, default="")  # remote id of what this target got before
    previous_url = models.CharField(max_length=500, default="")
    follows = models.BigIntegerField(null=True)
    holds = models.BooleanField(default=False)  # with follows: an earlier message of this announcement is there anyway

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dispatch", "outlet", "target"], name="one_delivery_per_target")]
        indexes = [
            models.Index(fields=["batch", "position"], name="delivery_in_batch"),
            models.Index(fields=["follows"], condition=models.Q(follows__isnull=False), name="delivery_follows"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class PastReceipt(models.Model):
    """Each receipt that is more than a first acceptance: no, doubt, later attempts, and what came too late.

    A first attempt that was accepted stands on the delivery alone, so a smooth mailing writes none of these.
    """

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="past_receipts")
    attempt = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=8)
    reason = models.CharField(max_length=24)
    detail = models.CharField(max_length=200, default="")
    remote_id = models.CharField(max_length=300, default="")
    at = models.DateTimeField()
    late = models.BooleanField(default=False)  # from a holder whose lease was gone

    def __str__(self) -> str:
        return f"{self.outcome} of {self.delivery_id}"


class ProofResult(models.TextChoices):
    SAME = "same"
    DIFFERS = "differs"
    MISSING = "missing"
    UNREACHABLE = "unreachable"


class Proof(models.Model):
    """What reading a public copy back showed. ``due_at`` is when it is read again, null when no more is needed."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, related_name="proof")
    result = models.CharField(max_length=11, choices=ProofResult, default="", blank=True)
    seen = models.TextField(default="")
    detail = models.CharField(max_length=200, default="")
    at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="proof_due")]

    def __str__(self) -> str:
        return f"{self.result or 'not read yet'}: {self.delivery_id}"


class VaultEntry(models.Model):
    """State that all workers of an outlet share (``channels.contract.Vault``). The value is encrypted."""

    outlet = models.ForeignKey(Outlet, on_delete=models.CASCADE)
    name = models.CharField(max_length=60)
    value = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["outlet", "name"], name="one_vault_entry")]

    def __str__(self) -> str:
        return self.name
