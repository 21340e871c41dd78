"""Signs of life: what Celery's own signals tell about its processes, and the sweep's timer in each of them.

* Each pool process touches a file of its own every second. A supervisor that sees it go stale ends the process: on
  SQLite a process frozen inside a transaction stops all writers, and nothing but its end lets them go on.
* Each worker's main process sweeps, so that work goes on whatever happens to beat.
* It notes the processes of its pool in the ledger too (``workers``): the queue page shows those of all machines.
* A pipe that the main process keeps open tells its pool when to stop before the next group: it is closed on a warm
  shutdown, and by the kernel when the main process dies.
"""

from __future__ import annotations

import gc
import os
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from celery.signals import (
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from django.conf import settings
from django.db import DatabaseError, connection

from dispatcher.dispatching import process, workers
from dispatcher.dispatching.sweeper import Sweeper

log = structlog.get_logger("omroeper.liveness")

HEARTBEATS: Path = settings.DATA / "run" / "heartbeats"
BEAT_SECONDS = 1.0
_sweeper = Sweeper()
_pipe: list[int] = []
_ended = threading.Event()
_noted: set[str] = set()


@worker_init.connect
def prepare_pool(**_: Any) -> None:
    """Before the pool is forked: a pipe, so that each of its processes has the reading end, and memory to share.

    What is loaded by now is left out of garbage collection, which would write to each object and so copy it: a pool
    process then has 45 MB of its own where it had 68.
    """
    _pipe[:] = os.pipe()
    gc.collect()
    gc.freeze()


@worker_ready.connect
def start_sweeping(sender: Any, **_: Any) -> None:
    """In the main process: the sweep's timer, and the notes about its pool. ``sender`` is Celery's consumer."""
    _sweeper.start(f"worker:{os.getpid()}")
    pool = str(sender.hostname).partition("@")[0]
    lanes = sorted(sender.app.amqp.queues.consume_from)
    threading.Thread(target=_note, args=(pool, lanes), daemon=True, name="notes").start()


def _note(pool: str, lanes: list[str]) -> None:
    while True:
        try:
            if seen := _seen():
                _noted.update(seen)
                workers.note(pool, lanes, seen)
        except DatabaseError as error:
            log.warning("workers.database", error=str(error)[:200])
        finally:
            connection.close()
        if _ended.wait(workers.NOTE_SECONDS):
            return


def _seen() -> dict[str, tuple[datetime, int | None]]:
    """The processes of this worker's pool: name to last sign of life and memory in MB."""
    found = {}
    for file in HEARTBEATS.iterdir():
        with suppress(OSError, ValueError):  # gone meanwhile, or not a heartbeat
            if int(file.read_text() or 0) == os.getpid():
                at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
                found[f"{socket.gethostname()}:{file.name}"] = (at, _memory(file.name))
    return found


def _memory(pid: str) -> int | None:
    """What a process alone uses, in MB; ``None`` where the system does not tell (macOS)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    own = [int(line.split()[1]) for line in lines if line.startswith(("Private_Clean:", "Private_Dirty:"))]
    return sum(own) // 1024


@worker_shutdown.connect
def take_off_the_list(**_: Any) -> None:
    """The main process ends in good order: nobody needs to wonder where its pool went."""
    _ended.set()
    try:
        workers.forget(_noted)
    except DatabaseError as error:
        log.warning("workers.database", error=str(error)[:200])


@worker_shutting_down.connect
def ask_pool_to_stop(**_: Any) -> None:
    _sweeper.stop()
    if len(_pipe) == 2:
        os.close(_pipe.pop())


@worker_process_init.connect
def begin_process(**_: Any) -> None:
    """In each pool process after its fork: a heartbeat, and an ear for the end."""
    HEARTBEATS.mkdir(parents=True, exist_ok=True)
    mine = HEARTBEATS / str(os.getpid())
    mine.write_text(str(os.getppid()))
    threading.Thread(target=_beat, args=(mine,), daemon=True, name="heartbeat").start()
    if len(_pipe) == 2:
        os.close(_pipe.pop())
    if _pipe:
        threading.Thread(target=_listen, args=(_pipe[0],), daemon=True, name="end of main").start()


def _beat(mine: Path) -> None:
    waiting = threading.Event()
    while not waiting.wait(BEAT_SECONDS):
        mine.touch()


def _listen(reading_end: int) -> None:
    os.read(reading_end, 1)
    process.current().stopping.set()


@worker_process_shutdown.connect
def end_process(**_: Any) -> None:
    (HEARTBEATS / str(os.getpid())).unlink(missing_ok=True)
