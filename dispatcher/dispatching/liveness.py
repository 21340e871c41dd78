"""Signs of life: what Celery's own signals tell about its processes, and the sweep's timer in each of them.

* Each pool process touches a file of its own every second. A supervisor that sees it go stale ends the process: on
  SQLite a process frozen inside a transaction stops all writers, and nothing but its end lets them go on.
* Each worker's main process sweeps, so that work goes on whatever happens to beat.
* A pipe that the main process keeps open tells its pool when to stop before the next group: it is closed on a warm
  shutdown, and by the kernel when the main process dies.
"""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path
from typing import Any

import structlog
from celery.signals import (
    worker_init,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)
from django.conf import settings

from dispatcher.dispatching import process
from dispatcher.dispatching.sweeper import Sweeper

log = structlog.get_logger("omroeper.liveness")

HEARTBEATS: Path = settings.DATA / "run" / "heartbeats"
BEAT_SECONDS = 1.0
_sweeper = Sweeper()
_pipe: list[int] = []


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
def start_sweeping(**_: Any) -> None:
    _sweeper.start(f"worker:{os.getpid()}")


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
    mine.touch()
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
