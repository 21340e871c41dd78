"""Signs of life in the database: what runs now and then, and the processes that work."""

from __future__ import annotations

from django.db import models


class Beat(models.Model):
    """When each kind of upkeep last ran, and by whom. One row a kind; the sweep's is its mutual restraint too."""

    name = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    by = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.name


class Worker(models.Model):
    """A pool process and its last sign of life, noted by the main process over it. ``name`` is ``Batch.leased_by``.

    ``pool`` is the part it belongs to (``w-mail``), ``lanes`` what that serves, ``memory`` what it alone uses, in MB.
    """

    name = models.CharField(max_length=80, unique=True)
    pool = models.CharField(max_length=40)
    lanes = models.JSONField(default=list)
    memory = models.PositiveIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["pool", "name"]

    def __str__(self) -> str:
        return self.name
