"""Check: everything that must be so for announcements to go out, each with what to do where it is not."""

from __future__ import annotations

import shutil

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.timezone import now
from redis import Redis
from redis.exceptions import RedisError

from channels.contract import Finding, Level, SettingsInvalid
from dispatcher.dispatching.models import Beat, Outlet
from dispatcher.dispatching.outlets import build
from dispatcher.dispatching.secretbox import CannotOpen

ENOUGH_DISK = 500 * 1024 * 1024
SILENT_SECONDS = 60.0


async def check_outlets(name: str | None = None) -> list[dict[str, str]]:
    """Each outlet's findings: outlet, level (fine, warning, fault), what, remedy."""
    outlets = await sync_to_async(
        lambda: list(Outlet.objects.filter(name=name) if name else Outlet.objects.filter(enabled=True))
    )()
    rows = []
    for outlet in outlets:
        try:
            channel = build(outlet)
            async with channel:
                findings = await channel.check()
        except (SettingsInvalid, CannotOpen) as wrong:
            findings = [Finding(Level.FAULT, str(wrong), "Mend the outlet's settings.")]
        rows += [_row(outlet.name, finding) for finding in findings]
    return rows


def check_installation() -> list[dict[str, str]]:
    """Findings about database, Redis, disk, secret key, the sweep."""
    findings = [*_database(), *_redis(), *_disk(), *_secrets(), *_sweep()]
    return [_row("installation", finding) for finding in findings]


def _row(what: str, finding: Finding) -> dict[str, str]:
    return {"outlet": what, "level": str(finding.level), "what": finding.what, "remedy": finding.remedy}


def _database() -> list[Finding]:
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA synchronous")
                durable = cursor.fetchone()[0] >= 2
            else:
                cursor.execute("SHOW synchronous_commit")
                durable = cursor.fetchone()[0] not in {"off", "local"}
    except DatabaseError as error:
        return [
            Finding(Level.FAULT, f"The database does not answer: {str(error)[:150]}", "Start it, or mend DATABASE_URL.")
        ]
    if not durable:
        return [Finding(Level.FAULT, "The database does not wait for the disk.", "Set synchronous_commit to on.")]
    return [Finding(Level.FINE, f"Database: {connection.vendor}, commits reach the disk.")]


def _redis() -> list[Finding]:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as redis:
            policy = redis.config_get("maxmemory-policy").get("maxmemory-policy", "")
    except (RedisError, OSError, ValueError) as error:
        return [
            Finding(
                Level.FAULT,
                f"Redis does not answer ({type(error).__name__}).",
                "Start it; what waits goes out by itself then.",
            )
        ]
    if policy != "noeviction":
        return [Finding(Level.FAULT, f"Redis drops messages when full (maxmemory-policy {policy}).", "Set noeviction.")]
    return [Finding(Level.FINE, "Redis answers and drops nothing.")]


def _disk() -> list[Finding]:
    free = shutil.disk_usage(settings.DATA).free
    if free < ENOUGH_DISK:
        return [Finding(Level.FAULT, f"{free // 2**20} MB free in the data folder.", "Free some space.")]
    return [Finding(Level.FINE, f"{free // 2**30} GB free in the data folder.")]


def _secrets() -> list[Finding]:
    file = settings.DATA / "secret.key"
    if file.is_file() and file.stat().st_mode & 0o077:
        return [Finding(Level.FAULT, "Others may read the secret key.", f"chmod 600 {file}")]
    return [Finding(Level.FINE, "The secret key is readable by us only.")]


def _sweep() -> list[Finding]:
    beat = Beat.objects.filter(name="sweep").first()
    if beat is None:
        return [Finding(Level.WARNING, "Nothing has swept yet.", "Start the workers: omroeper run")]
    silent = (now() - beat.at).total_seconds()
    if silent > SILENT_SECONDS:
        return [Finding(Level.WARNING, f"No worker or web process has swept for {silent:.0f} s.", "Start the workers.")]
    return [Finding(Level.FINE, f"Last sweep {silent:.0f} s ago by {beat.by}.")]
