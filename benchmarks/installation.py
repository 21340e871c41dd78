"""The product as it ships, started for a benchmark: its supervisor, its Valkey, its workers, a database on a real disk.

Django is set up in this process, so a process can hold one installation in its life: ``__main__`` gives each its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django
import psutil
import psycopg

from dispatcher.embedded import programs
from dispatcher.embedded.start import PARTS, Embedded, Options
from tests.support import postgres

DATABASES = ("sqlite", "postgres")
START_SECONDS = 120.0
# The far side is smtp-sink, so the practice town stays at home.
_PARTS = tuple(part for part in PARTS if part != "practice")


@dataclass(frozen=True, slots=True)
class Installation:
    """A running product. ``postmaster`` is the process of its PostgreSQL, where it has one."""

    embedded: Embedded
    loop: asyncio.AbstractEventLoop
    postmaster: int | None

    def pool(self, name: str) -> list[psutil.Process]:
        """The processes of a worker's pool."""
        pid = self.embedded.child(name).pid
        return psutil.Process(pid).children() if pid else []

    def processor_seconds(self) -> dict[str, float]:
        """Seconds of processor time used so far, by part: workers, database, Valkey, web."""
        mains = {name: child.pid for name, child in self.embedded.supervisor.children.items() if child.pid}
        workers = [pid for name, pid in mains.items() if name in programs.POOLS]
        others = [mains[name] for name in ("web", "beat") if name in mains]
        used = {"workers": workers, "Valkey": [mains["redis"]], "web and beat": others}
        if self.postmaster is not None:
            used["PostgreSQL"] = [self.postmaster]
        return {part: sum(map(processor_seconds, pids)) for part, pids in used.items()}


def processor_seconds(pid: int) -> float:
    """Seconds of processor time of a process, of those under it, and of those under it that have ended."""
    process = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:4]) for each in (process, *process.children(recursive=True)))


def disk() -> Path:
    """Where databases live during a benchmark: on a disk, so that a commit costs what it costs in production."""
    return Path(os.environ.get("TMPDIR") or "/var/tmp")  # noqa: S108 - only folders of our own are made in it


@contextmanager
def running(folder: Path, database: str, far_side: str) -> Iterator[Installation]:
    """Starts the product in ``folder`` and sets Django up for it; ``far_side`` is the host and port it may mail to."""
    for name in list(os.environ):
        if name.startswith("OMROEPER_") or name in {"DATABASE_URL", "REDIS_URL"}:
            del os.environ[name]  # settings of an installation of the developer's own
    # An install has its byte code on disk: compiling at each start takes time, and memory that stays taken.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with _database(folder, database) as (url, postmaster):
        environment = {
            "OMROEPER_EGRESS": far_side,
            "OMROEPER_GRACE_SECONDS": "0",  # the grace is a wait, not work
            "DATABASE_URL": url,
        }
        embedded = Embedded(Options(data=folder / "data", port=0, parts=_PARTS, environment=environment))
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="installation", daemon=True)
        thread.start()
        try:
            asyncio.run_coroutine_threadsafe(embedded.__aenter__(), loop).result(START_SECONDS)
            try:
                _set_up_django(embedded.environment)
                yield Installation(embedded, loop, postmaster)
            finally:
                asyncio.run_coroutine_threadsafe(embedded.__aexit__(), loop).result(START_SECONDS)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)


@contextmanager
def _database(folder: Path, kind: str) -> Iterator[tuple[str, int | None]]:
    if kind == "sqlite":
        yield "", None
        return
    server = postgres.start(folder.parent)
    try:
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE omroeper")
        yield server.url("omroeper"), server.process.pid
    finally:
        server.stop()


def _set_up_django(environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    os.environ["OMROEPER_LOG_LEVEL"] = "WARNING"  # here; the workers log as they do by themselves
    django.setup()
