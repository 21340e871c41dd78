"""The processes of the small machine: what each is called, how it is started, when it is ready."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .child import Program
from .heartbeats import Heartbeats
from .layout import Layout
from .ports import HOST

# What is stopped first has the highest rank: workers hand back what they hold while everything they need is there.
REDIS_RANK, PRACTICE_RANK, WEB_RANK, WORKER_RANK = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Pool:
    """A Celery worker: the lanes it serves and how many processes it has."""

    lanes: tuple[str, ...]
    processes: int


# A lane that hangs holds up no lane of another pool. Names and sizes are those of docker-compose.yml too.
POOLS = {
    "w-urgent": Pool(("urgent",), 2),
    "w-fast": Pool(("transactional", "broadcast"), 2),
    "w-mail": Pool(("mail", "push", "upkeep"), 2),
    "w-apprise": Pool(("apprise",), 1),
}
CELERY = (sys.executable, "-m", "celery", "-A", "dispatcher.config.celery")


def worker(name: str, pool: Pool, layout: Layout, heartbeats: Heartbeats) -> Program:
    """A Celery worker, ready once a process of its pool gives a sign of life."""

    async def pool_lives(pid: int) -> bool:
        return heartbeats.alive_under(pid)

    # Two installations may share a Redis: a worker's name must say whose it is.
    house = hashlib.sha256(os.fsencode(layout.data)).hexdigest()[:8]
    return Program(
        name=name,
        rank=WORKER_RANK,
        argv=[
            *CELERY, "worker", "--hostname", f"{name}@{house}", "--queues", ",".join(pool.lanes),
            "--concurrency", str(pool.processes), "--without-gossip", "--without-mingle", "--loglevel", "INFO",
        ],
        ready=pool_lives,
    )  # fmt: skip


def beat(layout: Layout) -> Program:
    """Celery's clock. It holds nothing that must be handed back, so it gets little time to end."""
    argv = [*CELERY, "beat", "--schedule", str(layout.run / "beat-schedule"), "--pidfile", "", "--loglevel", "INFO"]
    return Program(name="beat", rank=WORKER_RANK, argv=argv, grace=5)


def web(port: int) -> Program:
    """The web server, ready once it answers a request."""
    argv = [
        sys.executable, "-m", "granian", "--interface", "asgi", "--host", HOST, "--port", str(port),
        "--workers", "1", "--workers-kill-timeout", "10", "--no-ws", "dispatcher.embedded.web:application",
    ]  # fmt: skip
    return Program(name="web", rank=WEB_RANK, argv=argv, ready=answers(port, "/health"), grace=15)


def practice(
    layout: Layout, smtp_port: int, web_port: int, far_sides: Mapping[str, int], *, site_port: int, site: str
) -> Program:
    """The practice town: the far sides that take what we send. It says on which ports it listens.

    ``far_sides`` has the ports of those that speak HTTP, by name. The town reads the public site on ``site_port`` of
    this machine, as residents do; ``site`` is how messages write its address.
    """
    argv = [
        sys.executable, "-m", "dispatcher.practice", "--data", str(layout.practice),
        "--smtp-port", str(smtp_port), "--web-port", str(web_port),
        "--site", f"http://localhost:{site_port}", "--links", site,
        *(part for name, port in far_sides.items() for part in (f"--{name}-port", str(port))),
    ]  # fmt: skip
    return Program(name="practice", rank=PRACTICE_RANK, argv=argv, speaks=True, grace=5)


def answers(port: int, path: str) -> Callable[[int], Coroutine[Any, Any, bool]]:
    """Whether an HTTP server on loopback gives a page that is not an error of its own."""

    async def asked(_: int) -> bool:
        with suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection(HOST, port)
                try:
                    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
                    status = (await reader.readline()).split()
                finally:
                    writer.close()
                return len(status) > 1 and int(status[1]) < 500
        return False

    return asked
