"""A real installation for tests: own Redis, own database, real processes, all ended afterwards.

``with Town(folder, database) as town`` runs the product's own supervisor on a thread of its own, so that tests stay
plain functions. Signals go only to processes that this town started.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil
from redis import Redis

from dispatcher.embedded import leftovers
from dispatcher.embedded.start import PARTS, Embedded, Options
from tests.support.databases import Database
from tests.support.practice import PracticeControl
from tests.support.recorder import Recorder

T = TypeVar("T")

# The pace of the fault matrix. Grace and stage delays only cost time where they are not what is tested.
PACE = {
    "OMROEPER_LEASE_SECONDS": "5",
    "OMROEPER_SWEEP_SECONDS": "2",
    "OMROEPER_WINDOW": "20",
    "OMROEPER_GRACE_SECONDS": "0",
    "OMROEPER_STAGE_DELAY_SECONDS": "0",
}
COMMAND = Path(sys.executable).with_name("omroeper")
START_SECONDS = 120.0


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which ``--json`` makes one JSON document."""
        return json.loads(self.out)


class Town:
    """An installation in ``folder``. ``parts`` start at once, the others by ``start``; see ``embedded.start.PARTS``.

    ``environment`` changes the pace and other settings. ``end_frozen`` off leaves frozen pool processes alone.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        *,
        parts: Collection[str] = PARTS,
        environment: Mapping[str, str] | None = None,
        end_frozen: bool = True,
    ) -> None:
        self.folder = folder
        self.database = database
        settings = {**PACE, "DATABASE_URL": database.url, **(environment or {})}
        self._embedded = Embedded(
            Options(data=folder, port=0, parts=parts, environment=settings, migrate=False, end_frozen=end_frozen)
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="town", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._do(self._embedded.__aenter__())
        except BaseException:
            self._end_loop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if "practice" in self.__dict__:
                self.practice.close()
            self._do(self._embedded.supervisor.stop(grace=0))
            self._do(self._embedded.__aexit__())
            left = leftovers.carrying(self._embedded.supervisor.token)
            for process in left:
                process.kill()
            assert not left, f"left behind: {left}"
        finally:
            self._end_loop()

    @property
    def urls(self) -> Mapping[str, str]:
        """``site``, ``town``, ``mailbox``, ``timeline``, ``push`` and ``colleagues``."""
        return self._embedded.urls

    @property
    def ports(self) -> Mapping[str, int]:
        """``web``, ``smtp``, ``town``, ``timeline``, ``push`` and ``colleagues``."""
        return self._embedded.ports

    @cached_property
    def practice(self) -> PracticeControl:
        """The faults of the far side: ``town.practice.switch({...})``."""
        return PracticeControl(self.urls["town"])

    @cached_property
    def recorder(self) -> Recorder:
        """What the mail server took, over all starts of this town."""
        return self.recorder_of("mail")

    def recorder_of(self, peer: str) -> Recorder:
        """What a far side took: ``mail``, ``timeline``, ``push`` or ``colleagues``."""
        return Recorder(self._embedded.layout.practice / peer / "record.jsonl")

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to work on this installation."""
        return self._embedded.environment

    @property
    def logs(self) -> Path:
        return self._embedded.layout.logs

    def start(self, *names: str) -> None:
        """Starts parts and waits until they are ready."""
        self._do(self._embedded.start(*names))

    def stop(self, *names: str, grace: float | None = None) -> None:
        """Stops parts as a deploy does (SIGTERM, time to hand back); ``grace`` 0 kills. They stay down."""
        self._do(self._embedded.stop(*names, grace=grace))

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Sends a signal to the main process of a part, which the supervisor replaces if it ends. Returns its id."""
        pid = self.main(name)
        self.signal(pid, number)
        return pid

    def cut_power(self) -> list[str]:
        """Kills every process of this town at once, Redis too; they stay down. Returns their names, for ``start``."""
        names = [name for name, child in self._embedded.supervisor.children.items() if child.pid is not None]
        self._do(self._embedded.stop(*names, grace=0))
        return names

    def restarted(self, name: str, after: int) -> int:
        """Waits until a part runs under another process id than ``after`` and is ready; returns the new one."""
        child = self._embedded.child(name)
        self._do(child.until(lambda: child.status == "ready" and child.pid != after))
        return self.main(name)

    def restarts(self, name: str) -> int:
        """How often the supervisor has started a part again."""
        return self._embedded.child(name).restarts

    def main(self, name: str) -> int:
        """The process id of a part."""
        pid = self._embedded.child(name).pid
        assert pid is not None, f"{name} does not run"
        return pid

    def pool(self, name: str) -> list[int]:
        """The process ids of a worker's pool."""
        return sorted(process.pid for process in psutil.Process(self.main(name)).children(recursive=True))

    def signal(self, pid: int, number: int) -> None:
        """Sends a signal to a process of this town: a part's main process, or one under it."""
        mains = {child.pid for child in self._embedded.supervisor.children.values()}
        above = {process.pid for process in psutil.Process(pid).parents()}
        assert mains & {pid, *above}, f"process {pid} is not of this town"
        os.kill(pid, number)

    def cli(self, *arguments: str | Path, timeout: float = 60, stdin: str | None = None) -> Ran:
        """Runs ``omroeper`` on this installation."""
        done = subprocess.run(
            [COMMAND, *map(str, arguments)],
            env={**os.environ, **self.environment},
            cwd=self.folder, capture_output=True, text=True, timeout=timeout, input=stdin, check=False,
        )  # fmt: skip
        return Ran(done.returncode, done.stdout, done.stderr)

    def redis(self) -> Redis:
        """A client of this town's Redis."""
        return Redis.from_url(self.environment["REDIS_URL"], socket_timeout=5, socket_connect_timeout=5)

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """What a statement gives on this town's database; placeholders are ``%s``."""
        return self.database.rows(statement, values)

    def until(self, condition: Callable[[], T], *, timeout: float = 30, what: str = "") -> T:
        """Looks until the condition holds, and returns what it gave.

        Raises:
            AssertionError: after ``timeout`` seconds, with the last lines of the logs.
        """
        deadline = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < deadline, f"{what or condition} did not come within {timeout:g} s\n{self.tails()}"
            time.sleep(0.02)
        return found

    def tails(self) -> str:
        """The end of each log, for the message of a failed test."""
        return "\n".join(
            f"== {file.name}\n" + "\n".join(file.read_text(errors="replace").splitlines()[-15:])
            for file in sorted(self.logs.glob("*.log"))
        )

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(START_SECONDS)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
