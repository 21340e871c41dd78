"""Who is at work: each pool process with its last sign of life, and the batches that are in hand.

The main process of a worker looks at the heartbeats of its pool (``liveness``) and notes them in the ledger, so that
the queue page shows workers of other machines too. What a process does is not noted: the lease of a batch says it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.timezone import now

from dispatcher.dispatching import clock
from dispatcher.dispatching.models import Batch, Worker

# A process that is at work is noted this often, in seconds; after SILENT_SECONDS without a sign it counts as silent.
NOTE_SECONDS = 5.0
SILENT_SECONDS = 15.0
# A silent process is shown for this long if others of its pool live, and for a day where none does.
SHOWN_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InHand:
    """A batch under a live lease: ``open`` of its ``size`` are not settled."""

    batch: Batch
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """A pool process. ``silent``: no sign of life for ``SILENT_SECONDS``; what it held moves to others by itself."""

    worker: Worker
    silent: bool
    in_hand: list[InHand]


def note(pool: str, lanes: Sequence[str], seen: Mapping[str, tuple[datetime, int | None]]) -> None:
    """Writes down the processes of a pool: name to last sign of life and memory in MB."""
    Worker.objects.bulk_create(
        [
            Worker(name=name, pool=pool, lanes=list(lanes), at=at, memory=memory)
            for name, (at, memory) in sorted(seen.items())
        ],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["pool", "lanes", "at", "memory"],
    )


def forget(names: Iterable[str]) -> None:
    """Takes processes off the list that ended in good order."""
    Worker.objects.filter(name__in=list(names)).delete()


def tidy() -> None:
    """Takes off the list who has been silent for a day."""
    Worker.objects.filter(at__lt=now() - timedelta(days=1)).delete()


def in_hand(outlet_id: int | None = None) -> list[InHand]:
    """The batches under a live lease, those of one outlet or all."""
    only: tuple[str, list[Any]] = ("AND b.outlet_id = %s", [outlet_id]) if outlet_id is not None else ("", [])
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT b.id FROM dispatching_batch b WHERE b.lease_until IS NOT NULL AND b.due_at IS NOT NULL"
            f" AND NOT {clock.lease_over('b.')} {only[0]}",
            only[1],
        )
        held = [row[0] for row in cursor.fetchall()]
    batches = Batch.objects.filter(pk__in=held).select_related("outlet", "dispatch__announcement").order_by("pk")
    return [InHand(batch=b, open=b.size - b.accepted - b.rejected - b.gone - b.unknown - b.skipped) for b in batches]


def at_work(held: Sequence[InHand]) -> list[AtWork]:
    """The processes, with what each holds of ``held``."""
    moment = now()
    workers = list(Worker.objects.all())
    quiet = {worker.pk for worker in workers if (moment - worker.at).total_seconds() > SILENT_SECONDS}
    alive = {worker.pool for worker in workers if worker.pk not in quiet}
    return [
        AtWork(
            worker=worker,
            silent=worker.pk in quiet,
            in_hand=[each for each in held if each.batch.leased_by == worker.name],
        )
        for worker in workers
        if worker.pool not in alive or (moment - worker.at).total_seconds() <= SHOWN_SECONDS
    ]
