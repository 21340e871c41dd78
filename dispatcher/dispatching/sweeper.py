"""The sweep's timer: a thread that any long-lived process may run."""

from __future__ import annotations

import threading

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from dispatcher.dispatching import sweep

log = structlog.get_logger("omroeper.sweeper")


class Sweeper:
    """Sweeps every ``SWEEP_SECONDS`` in a thread of its own, until stopped. Errors are logged and survived."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    def start(self, by: str) -> None:
        """Starts the thread; ``by`` names the process in the record of the last sweep."""
        threading.Thread(target=self._run, args=(by,), daemon=True, name="sweeper").start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self, by: str) -> None:
        while not self._stopped.wait(settings.SWEEP_SECONDS):
            try:
                sweep.sweep(by)
            except DatabaseError as error:
                log.warning("sweep.database", error=str(error)[:200])
            except Exception:
                log.exception("sweep.failed")
            finally:
                # Nothing stays open between sweeps: a process that forks must not share a connection.
                connection.close()
