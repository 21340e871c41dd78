"""The record of who did what. Written by the acts and by nothing else."""

from __future__ import annotations

from django.db import models


class AuditEntry(models.Model):
    """One act or refused act. ``details`` never holds message bodies, addresses, tokens or secrets."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.CharField(max_length=64)
    act = models.CharField(max_length=40)
    subject = models.CharField(max_length=80)  # "announcement <public id>", "outlet <name>"
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["subject", "at"], name="audit_subject")]

    def __str__(self) -> str:
        return f"{self.actor} {self.act} {self.subject}"
