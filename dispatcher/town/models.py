"""The municipality: one row, written by ``acts.set_up`` and read through ``reading.town``."""

from __future__ import annotations

from django.db import models


class Town(models.Model):
    """``names`` by language, ``languages`` in the order in which they are offered, the first one always there.

    ``practice`` says whose data set this is: that of the practice town is never sent from production.
    """

    ONE = 1

    names = models.JSONField(default=dict)
    languages = models.JSONField(default=list)
    practice = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_town")]

    def __str__(self) -> str:
        return next(iter(self.names.values()), "town")
