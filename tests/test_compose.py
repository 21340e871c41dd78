"""docker-compose.yml: what it promises, and that its commands work without containers too."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from dispatcher.embedded import ports
from dispatcher.embedded.programs import POOLS
from tests.support.town import Town

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
WORKERS = {"worker-urgent": "w-urgent", "worker-fast": "w-fast", "worker-mail": "w-mail", "worker-apprise": "w-apprise"}


def test_there_is_a_service_for_every_pool_and_everything_around_it() -> None:
    assert set(SERVICES) == {"postgres", "redis", "migrate", "web", "beat", *WORKERS}
    assert set(WORKERS.values()) == set(POOLS)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["user"] not in ("", "root", "0", "0:0")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    if name != "migrate":
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


def test_only_the_website_is_reached_from_outside_and_through_a_proxy() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8700:8700"]
    }
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert {name for name, service in SERVICES.items() if service["networks"] == ["inside"]} == {"postgres", "redis"}


def test_passwords_are_files_and_have_no_default() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|DATABASE_URL|REDIS_URL", variable):
                assert variable.endswith("_FILE"), f"{name} has {variable} in the open"
                assert value.startswith("/run/secrets/")
                assert value.rpartition("/")[2] in service["secrets"]
    assert all(secret == {"file": f"secrets/{name}"} for name, secret in COMPOSE["secrets"].items())
    assert not re.search(r"\$\{\w+:-", TEXT), "a default where one should be asked"
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "secrets/" in ignored


def test_the_product_runs_with_production_settings() -> None:
    for name in ("migrate", "web", "beat", *WORKERS):
        assert SERVICES[name]["environment"]["OMROEPER_PRACTICE"] == "0"
        assert SERVICES[name]["environment"]["OMROEPER_BASE_URL"].startswith("${OMROEPER_BASE_URL:?")


@pytest.mark.parametrize(("service", "name"), WORKERS.items())
def test_a_pool_is_the_same_as_in_the_small_machine(service: str, name: str) -> None:
    command = SERVICES[service]["command"]
    assert option(command, "--queues") == ",".join(POOLS[name].lanes)
    assert option(command, "--concurrency") == str(POOLS[name].processes)
    assert option(command, "--hostname") == f"{name}@%h"


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_make_secrets_writes_every_secret_once(scratch_folder: Path) -> None:
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "-C", str(scratch_folder), "secrets"]
    first = subprocess.run(command, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stderr
    files = {file.name: file.read_text() for file in (scratch_folder / "secrets").iterdir()}
    assert set(files) == set(COMPOSE["secrets"])
    assert all(re.fullmatch(r"[\w:/@.]{40,}\n?", text) for text in files.values()), "what an address cannot hold"
    assert files["postgres_password"] in files["database_url"]
    assert files["redis_password"] in files["redis_url"]
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode != 0
    assert files == {file.name: file.read_text() for file in (scratch_folder / "secrets").iterdir()}


@contextmanager
def started(service: str, environment: dict[str, str], data: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Runs the command of a service as the compose file states it, with a data folder of its own."""
    command = ["/bin/sh" if part == "sh" else part for part in SERVICES[service]["command"]]
    command = [part.replace("%h", service).replace("/tmp/", f"{data}/") for part in command]  # noqa: S108
    if service == "web":
        command = [environment["TEST_PORT"] if part == "8700" else part for part in command]
    data.mkdir(parents=True, exist_ok=True)
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            command,
            env={**environment, "OMROEPER_DATA": str(data)},
            cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True,
        ) as process,
    ):  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture
def production(new_town: Callable[..., Town], scratch_folder: Path) -> dict[str, str]:
    """The environment of the compose file, with secrets as files, on a database and a Redis that are there."""
    town = new_town(parts=())
    folder = scratch_folder / "secrets"
    folder.mkdir()
    (folder / "database_url").write_text((town.database.url or f"sqlite:///{town.database.file}") + "\n")
    (folder / "redis_url").write_text(town.environment["REDIS_URL"] + "\n")
    (folder / "secret_key").write_text("k" * 60 + "\n")
    own = {name: value for name, value in os.environ.items() if not re.match("OMROEPER_|DATABASE_|REDIS_", name)}
    stated: dict[str, str | None] = SERVICES["web"]["environment"]
    environment = {name: value.replace("/run/secrets", str(folder)) for name, value in stated.items() if value}
    environment |= {
        "OMROEPER_BASE_URL": "https://nieuws.example.nl",
        "OMROEPER_SITE": str(scratch_folder / "site"),
        "DJANGO_SETTINGS_MODULE": "dispatcher.config.settings",
        "PATH": f"{Path(sys.executable).parent}:{own['PATH']}",
        "TEST_PORT": str(ports.choose(0, exactly=True, what="a test", option="--port")),
    }
    return {**own, **environment}


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        assert process.poll() is None, log.read_text()[-3000:]
        if condition():
            return
        time.sleep(0.05)
    pytest.fail(log.read_text()[-3000:])


def test_migrate_looks_at_the_servers_and_then_migrates(production: dict[str, str], scratch_folder: Path) -> None:
    log = scratch_folder / "migrate.log"
    with started("migrate", production, scratch_folder / "migrate", log) as process:
        assert process.wait(60) == 0, log.read_text()
    assert "No migrations to apply" in log.read_text()


def test_migrate_refuses_a_redis_that_is_not_there(production: dict[str, str], scratch_folder: Path) -> None:
    Path(production["REDIS_URL_FILE"]).write_text("redis://127.0.0.1:1/0\n")
    log = scratch_folder / "migrate.log"
    with started("migrate", production, scratch_folder / "migrate", log) as process:
        assert process.wait(60) == 2
    assert log.read_text().startswith("Redis at 127.0.0.1:1 (REDIS_URL) does not answer")


def test_the_same_commands_work_without_containers(production: dict[str, str], scratch_folder: Path) -> None:
    with ExitStack() as stack:
        running = {}
        for service in ("web", "beat", *WORKERS):
            log = scratch_folder / f"{service}.log"
            running[service] = (
                stack.enter_context(started(service, production, scratch_folder / service, log)), log,
            )  # fmt: skip
        until(lambda: website_answers(int(production["TEST_PORT"])), *running["web"])
        # Granian that is asked to stop while a worker of it starts waits for that one for ever.
        until(lambda: running["web"][1].read_text().count("Started worker-") == 2, *running["web"])
        until(lambda: any(scratch_folder.glob("beat/beat-schedule*")), *running["beat"])
        for service in WORKERS:
            process, log = running[service]
            until(partial(pool_is_ready, scratch_folder / service, log), process, log)
        for process, _ in running.values():
            process.terminate()
        for service, (process, log) in running.items():
            assert process.wait(35) in (0, -signal.SIGTERM), f"{service}: {log.read_text()[-2000:]}"


def website_answers(port: int) -> bool:
    server = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    with closing(server), suppress(OSError):
        server.request("GET", "/health")  # as the health check does
        return server.getresponse().status == 200
    return False


def pool_is_ready(data: Path, log: Path) -> bool:
    hearts = data / "run" / "heartbeats"  # what the health check looks at
    return hearts.is_dir() and any(hearts.iterdir()) and "ready." in log.read_text()
