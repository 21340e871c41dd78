"""``/health``: whether this process can serve, and nothing else."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse

SECONDS = 2.0
# Few threads of its own: a frozen database keeps these waiting and nothing else.
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="health")
_HEADERS = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


async def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """``ok``, or 503 where the database gave no row within ``SECONDS``."""
    try:
        async with asyncio.timeout(SECONDS):
            await asyncio.get_running_loop().run_in_executor(_THREADS, _read_a_row)
    except (DatabaseError, TimeoutError):
        return HttpResponse("unavailable\n", status=503, headers=_HEADERS | {"Retry-After": "5"})
    return HttpResponse("ok\n", headers=_HEADERS)


def _read_a_row() -> None:
    try:
        MigrationRecorder.Migration.objects.exists()
    finally:
        connection.close()
