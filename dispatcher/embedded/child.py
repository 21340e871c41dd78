"""One child process of the supervisor, from its start over its restarts to its end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from logging import Logger
from pathlib import Path
from typing import IO, Any

from . import tether
from .layout import Layout
from .problems import CannotStart
from .state import ChildState

LOG_BYTES = 5_000_000
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and how to know that it is ready.

    ``rank`` orders the end: children of a higher rank are stopped first, those of one rank together. ``ready`` is asked
    every 50 ms until it says yes. A program that ``speaks`` writes one line of JSON about itself to standard output;
    it is ready once that line is there. ``patience`` and ``grace`` are seconds: to become ready, to end after SIGTERM.
    """

    name: str
    argv: Sequence[str]
    rank: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[int], Awaitable[bool]] | None = None  # is given the process id
    speaks: bool = False
    patience: float = 60
    grace: float = 30


def pause_before_restart(deaths: int) -> float:
    """Seconds to wait before a restart, after so many deaths within a minute.

    Short for a dozen: a worker's main process ends at each queue entry that is not JSON, and ten of those in a row
    must not hold up the mail. After that it doubles up to half a minute, so that a broken program costs little.
    """
    return 0.1 if deaths <= 12 else min(30.0, 0.5 * 2.0 ** (deaths - 12))


class Child:
    """Runs a ``Program`` in a session of its own and starts it again whenever it ends unasked.

    On Linux it dies with us, whatever happens to us. What it started dies with it: its process group is ended.
    """

    def __init__(
        self, program: Program, layout: Layout, environment: Mapping[str, str], changed: Callable[[], None], log: Logger
    ) -> None:
        self.program = program
        self.status = "stopped"
        self.pid: int | None = None
        self.restarts = 0
        self.last_exit: int | None = None
        self.said: dict[str, Any] = {}
        self._since = datetime.now(UTC)
        self._log_file = layout.logs / f"{program.name}.log"
        self._environment = {**environment, **program.environment}
        self._changed = changed
        self._log = log
        self._deaths: deque[float] = deque(maxlen=64)
        self._leave = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._moved = asyncio.Condition()

    def report(self) -> ChildState:
        return ChildState(
            name=self.program.name,
            status=self.status,
            pid=self.pid,
            restarts=self.restarts,
            since=self._since.isoformat(timespec="milliseconds"),
            last_exit=self.last_exit,
        )

    async def start(self) -> None:
        """Returns when the child is ready.

        Raises:
            CannotStart: if it ends, or is not ready within its patience; quotes its last line.
        """
        self._leave.clear()
        self.status = "starting"
        self._life = asyncio.create_task(self._live(), name=f"child {self._name}")
        try:
            async with asyncio.timeout(self.program.patience):
                await self.until(lambda: self.status != "starting")
        except TimeoutError:
            await self.stop(grace=0)
            raise CannotStart(
                f"{self._name} is not ready after {self.program.patience:g} seconds. {self._quote()}"
            ) from None
        if self.status != "ready":
            code = self.last_exit
            await self.stop(grace=0)
            try:
                await self._life
            except OSError as error:
                raise CannotStart(f"{self._name} cannot be started: {error}") from error
            raise CannotStart(f"{self._name} ended at once ({exit_text(code)}). {self._quote()}")

    async def stop(self, grace: float | None = None) -> None:
        """Asks the child to end (SIGTERM), waits for ``grace`` seconds, then ends its whole group (SIGKILL).

        ``grace`` 0 kills the group at once.
        """
        self._leave.set()
        if self._life is None:
            return
        limit = self.program.grace if grace is None else grace
        if limit:
            self.signal(signal.SIGTERM)
        else:
            self.kill()
        _, late = await asyncio.wait([self._life], timeout=limit or 5)
        if late:
            self._log.warning("%s did not end within %g seconds and is killed", self._name, limit)
            self.kill()
            await asyncio.wait([self._life])

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until the condition holds; it is looked at each time something changes here."""
        async with self._moved:
            await self._moved.wait_for(condition)

    def signal(self, number: int) -> None:
        """Sends a signal to the child's main process, if it runs."""
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    @property
    def _name(self) -> str:
        return self.program.name

    async def _live(self) -> None:
        lives = 0
        try:
            while not self._leave.is_set():
                try:
                    await self._one_life()
                except OSError as error:
                    if lives == 0:
                        raise
                    self._log.error("%s cannot be started: %s", self._name, error)
                lives += 1
                if self._leave.is_set():
                    break
                self._deaths.append(time.monotonic())
                pause = pause_before_restart(sum(1 for at in self._deaths if time.monotonic() - at < 60))
                await self._move("waiting", pid=None)
                self._log.warning(
                    "%s ended (%s) and starts again in %g s", self._name, exit_text(self.last_exit), pause
                )
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._leave.wait(), pause)
                self.restarts += not self._leave.is_set()
        finally:
            await self._move("stopped", pid=None)

    async def _one_life(self) -> None:
        """From start to end.

        Raises:
            OSError: if it could not be started at all.
        """
        process, spoken = await self._spawn()
        await self._move("starting", pid=process.pid)
        if self._leave.is_set():  # asked to stop while it was being started
            self.kill()
        watcher = asyncio.create_task(self._watch(process.pid, spoken))
        self.last_exit = await process.wait()
        self.kill()
        if spoken is not None and self.status == "ready":
            await asyncio.wait([watcher], timeout=1)  # its last words
        watcher.cancel()

    async def _spawn(self) -> tuple[Process, asyncio.StreamReader | None]:
        argv = list(self.program.argv)
        if sys.platform == "linux":
            argv = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *argv]
        rotate(self._log_file)
        with ExitStack() as files:
            log: IO[bytes] = files.enter_context(self._log_file.open("ab"))
            spoken, heard = None, log
            if self.program.speaks:
                # A pipe of our own: asyncio's would have us wait for whoever else holds its other end.
                reading, writing = os.pipe()
                spoken, heard = os.fdopen(reading, "rb", 0), files.enter_context(os.fdopen(writing, "wb", 0))
            process = await asyncio.create_subprocess_exec(
                *argv,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=heard,
                stderr=log,
                start_new_session=True,
            )
        return process, await _stream(spoken) if spoken else None

    async def _watch(self, pid: int, spoken: asyncio.StreamReader | None) -> None:
        """Brings one life of the child from starting to ready, then keeps carrying what it says to the log."""
        if spoken is not None:
            self.said = await self._first_words(spoken)
        ready = self.program.ready
        while ready is not None and not await ready(pid):  # noqa: ASYNC110 - it has no way to tell us
            await asyncio.sleep(POLL_SECONDS)
        await self._move("ready", pid=pid)
        if spoken is not None:
            while text := await spoken.read(65536):
                self._note(text)

    async def _first_words(self, stream: asyncio.StreamReader) -> dict[str, Any]:
        while line := await stream.readline():
            with suppress(ValueError):
                words = json.loads(line)
                if isinstance(words, dict):
                    return words
            self._note(line)
        await asyncio.Event().wait()  # it closed its output: the end of the process tells the rest
        return {}

    def _note(self, text: bytes) -> None:
        with suppress(OSError), self._log_file.open("ab") as log:  # a full disk costs the text, not the child
            log.write(text)

    async def _move(self, status: str, pid: int | None) -> None:
        self.status, self.pid, self._since = status, pid, datetime.now(UTC)
        self._changed()
        async with self._moved:
            self._moved.notify_all()

    def kill(self) -> None:
        """Kills the child's main process and whatever is left of what it started."""
        if self.pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def _quote(self) -> str:
        last = telling_line(self._log_file)
        return (f"It said: {last} — " if last else "") + f"the rest is in {self._log_file}"


async def _stream(pipe: IO[bytes]) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader


def rotate(file: Path) -> None:
    """Puts a log that has grown large aside, as ``<name>.log.1``; one old log is kept."""
    with suppress(FileNotFoundError):
        if file.stat().st_size > LOG_BYTES:
            file.replace(file.with_name(file.name + ".1"))


def telling_line(file: Path) -> str:
    """The line of a log's end that says why it ended: the last that names an error, else the last with text.

    Cut to 300 characters; empty where there is no log.
    """
    with suppress(OSError), file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - 4096))
        lines = [line.strip() for line in log.read().decode(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if re.match(r"(\w+\.)*\w*(Error|Exception|Exit)\b", line)]
        return (errors or lines or [""])[-1][:300]
    return ""


def exit_text(code: int | None) -> str:
    """How a process ended, in words."""
    if code is None:
        return "it did not start"
    if code < 0:
        with suppress(ValueError):
            return f"by {signal.Signals(-code).name}"
    return f"exit status {code}"
