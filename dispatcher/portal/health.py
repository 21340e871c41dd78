"""``/health``: whether this process can serve, and nothing else."""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse

SECONDS = 2.0


async def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """``ok``, or 503 where the database gave no row within ``SECONDS``."""
    try:
        async with asyncio.timeout(SECONDS):
            # A thread of its own: one that hangs on a frozen database holds up no other request.
            await sync_to_async(_read_a_row, thread_sensitive=False)()
    except (DatabaseError, TimeoutError):
        return HttpResponse("unavailable\n", status=503, headers=_HEADERS | {"Retry-After": "5"})
    return HttpResponse("ok\n", headers=_HEADERS)


_HEADERS = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


def _read_a_row() -> None:
    try:
        MigrationRecorder.Migration.objects.exists()
    finally:
        connection.close()
