"""Our own Redis, and what is asked of a given one."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest
from redis import Redis

from dispatcher.embedded import doorbell, leftovers, ports
from dispatcher.embedded.layout import Layout, prepare
from dispatcher.embedded.problems import CannotStart
from dispatcher.embedded.supervisor import Supervisor


@pytest.fixture
def given() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A Redis that somebody else runs, on a port, with a password and shipped settings."""
    port = ports.choose(0, exactly=True, what="a test", option="--port")
    command = [
        str(doorbell.find_server()),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--requirepass",
        "pw",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as server:
        try:
            wait_for(port)
            yield server, port
        finally:
            server.kill()


def wait_for(port: int) -> None:
    for _ in range(500):
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        psutil.Process().cpu_percent(0.01)
    pytest.fail("the server did not start")


def supervise(layout: Layout) -> Supervisor:
    return Supervisor(layout, os.environ, frozen_after=None)


def test_ours_listens_on_a_private_socket_only_and_keeps_what_it_gets(layout: Layout) -> None:
    async def scene() -> None:
        async with supervise(layout) as supervisor:
            await supervisor.start(doorbell.program(layout))
            server = supervisor.children["redis"]
            assert server.pid is not None
            listening = [
                found for found in psutil.Process(server.pid).net_connections("inet") if found.status == "LISTEN"
            ]
            assert listening == []
            assert stat.S_IMODE(layout.redis_socket.stat().st_mode) == 0o600
            assert stat.S_IMODE(layout.redis_socket.parent.stat().st_mode) == 0o700
            with Redis.from_url(doorbell.url(layout)) as client:
                assert client.config_get("appendonly", "appendfsync", "maxmemory-policy", "port") == {
                    "appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "port": "0",
                }  # fmt: skip
                client.rpush("mail", "1", "2", "3")
            before = server.pid
            server.signal(signal.SIGKILL)
            await server.until(lambda: server.status == "ready" and server.pid != before)
            with Redis.from_url(doorbell.url(layout)) as client:
                assert client.lrange("mail", 0, -1) == [b"1", b"2", b"3"]

    asyncio.run(scene())


@pytest.mark.parametrize("frozen", [False, True])
def test_one_left_by_a_killed_run_is_ended(layout: Layout, frozen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "PATIENCE", 0.5)
    program = doorbell.program(layout)
    with left_running(program.argv, layout.redis_socket) as left:
        if frozen:
            left.send_signal(signal.SIGSTOP)

        async def scene() -> None:
            leftovers.end(layout)
            async with supervise(layout) as supervisor:
                await supervisor.start(program)
                with Redis.from_url(doorbell.url(layout)) as client:
                    assert client.info("server")["process_id"] == supervisor.children["redis"].pid

        asyncio.run(scene())
        assert left.wait(10) in (0, -signal.SIGTERM, -signal.SIGKILL)


def test_the_server_of_another_installation_is_left_alone(layout: Layout, scratch_folder: Path) -> None:
    other = prepare(scratch_folder / "other")
    with left_running(doorbell.program(other).argv, other.redis / "server.pid") as neighbour:
        # As if its process id had been ours once.
        (layout.redis / "server.pid").write_text((other.redis / "server.pid").read_text())
        assert leftovers.end(layout) == []
        assert neighbour.poll() is None


@contextmanager
def left_running(command: Sequence[str], sign: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server that no supervisor has, from when ``sign`` is there; killed afterwards."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as server:
        try:
            while not sign.exists():
                assert server.poll() is None
                psutil.Process().cpu_percent(0.01)
            yield server
        finally:
            server.kill()


def test_a_server_on_the_path_comes_before_the_bundled_one(
    scratch_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = scratch_folder / "redis-server"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    bundled = doorbell.find_server()
    monkeypatch.setenv("PATH", str(scratch_folder))
    assert doorbell.find_server() == own
    own.unlink()
    assert doorbell.find_server().name == "valkey-server"
    assert bundled.name in doorbell.SERVERS


def test_a_given_one_that_keeps_all_entries_is_taken(given: tuple[subprocess.Popen[bytes], int]) -> None:
    _, port = given
    address = f"redis://:pw@127.0.0.1:{port}/0"
    with Redis.from_url(address) as client:
        client.config_set("maxmemory-policy", "noeviction")
        doorbell.check(address)
        client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(CannotStart, match="maxmemory-policy is allkeys-lru") as told:
        doorbell.check(address)
    assert told.value.exit_code == 2
    with pytest.raises(CannotStart, match="refuses the password"):
        doorbell.check(f"redis://:wrong@127.0.0.1:{port}/0")


def test_one_that_does_not_answer_is_said_without_its_password() -> None:
    port = ports.choose(0, exactly=True, what="a test", option="--port")
    with pytest.raises(CannotStart, match=f"127.0.0.1:{port} .* does not answer") as told:
        doorbell.check(f"redis://:sesame@127.0.0.1:{port}/0")
    assert "sesame" not in str(told.value)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("redis://cache.example.org:6379/0", "without a password"),
        ("redis://10.0.0.5/0", "without a password"),
        ("localhost", "not an address"),
    ],
)
def test_addresses_that_are_refused_unseen(address: str, said: str) -> None:
    with pytest.raises(CannotStart, match=said):
        doorbell.check(address)
