"""The far side of the urgent benchmark: takes posts as a Mastodon server does, answers at once, and notes when.

A process of its own, so that its work is on nobody else's loop: ``python -m benchmarks.timeline`` says its port on
standard output. It has as much of the API as the product uses to post and to read back, and keeps posts in memory.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

import aiohttp
from aiohttp import web

HOST = "127.0.0.1"
TOKEN = "bench"  # noqa: S105 - it opens nothing


@dataclass(frozen=True, slots=True)
class Taken:
    """When the posts of one text were there whole: the first and the last, in seconds since the epoch."""

    posts: int
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """A running far side."""

    port: int

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def taken(self, holding: str) -> Taken:
        """What came of the posts whose text holds ``holding``."""
        with urlopen(f"{self.url}/taken", timeout=10) as answer:  # noqa: S310 - our own, on loopback
            moments = [at for text, at in json.load(answer) if holding in text]
        return Taken(len(moments), min(moments), max(moments))

    def alone(self, outlets: int, times: int) -> list[float]:
        """How long as many posts take side by side from a bare client, in seconds: nothing but the far side and it.

        Each outlet has a connection of its own that is kept, as with us.
        """
        return asyncio.run(self._alone(outlets, times))

    async def _alone(self, outlets: int, times: int) -> list[float]:
        body = json.dumps({"status": "x" * 400, "language": "nl", "visibility": "public"}).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        took = []
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=outlets)) as client:

            async def post() -> None:
                async with client.post(f"{self.url}/api/v1/statuses", data=body, headers=headers) as answer:
                    await answer.read()

            for _ in range(times + 1):
                began = time.perf_counter()
                await asyncio.gather(*(post() for _ in range(outlets)))
                took.append(time.perf_counter() - began)
        return took[1:]  # the first opened the connections


@contextmanager
def running() -> Iterator[Timeline]:
    """Starts the far side on a free port of loopback."""
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.timeline"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Timeline(int(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait()


class _Server:
    def __init__(self) -> None:
        self._posts: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}  # by Idempotency-Key
        self._taken: list[tuple[str, float]] = []

    def application(self) -> web.Application:
        application = web.Application()
        application.router.add_post("/api/v1/statuses", self._post)
        application.router.add_get("/api/v1/statuses/{number:\\d+}", self._read)
        application.router.add_get("/taken", self._tell)
        return application

    async def _post(self, request: web.Request) -> web.Response:
        sent = await request.json()
        key = request.headers.get("Idempotency-Key", "")
        number = self._numbers.get(key) if key else None
        if number is None:
            number = len(self._posts)
            address = f"http://{request.host}/@bench/{number}"
            made = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
            self._posts.append(
                {"id": str(number), "url": address, "content": f"<p>{sent['status']}</p>", "created_at": made}
            )
            if key:
                self._numbers[key] = number
                self._taken.append((sent["status"], time.time()))
        return web.json_response(self._posts[number])

    async def _read(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        if number >= len(self._posts):
            return web.json_response({"error": "Record not found"}, status=404)
        return web.json_response(self._posts[number])

    async def _tell(self, _: web.Request) -> web.Response:
        return web.json_response(self._taken)


async def _serve() -> None:
    runner = web.AppRunner(_Server().application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
