"""``run``: Ctrl-C, a second run, what is left afterwards. The parts are left out: only the start and the end matter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from dispatcher.embedded import leftovers, state

PROGRAM = """
import asyncio, os, sys
from pathlib import Path
from dispatcher.embedded.problems import CannotStart
from dispatcher.embedded.start import Options, run

async def work(town):
    print("up", flush=True)
    if sys.argv[2] == "hang":
        await asyncio.Event().wait()
    return int(sys.argv[2])

options = Options(data=Path(sys.argv[1]), port=0, parts=(), migrate=False)
try:
    code = asyncio.run(run(options, work, stay=sys.argv[3] == "stay"))
except CannotStart as error:
    print(error, file=sys.stderr)
    code = error.exit_code
sys.exit(code)
"""


# The database is of no interest here: its own file, which nothing opens.
ENVIRONMENT = {**os.environ, "DATABASE_URL": ""}


@contextmanager
def running(data: Path, work: str = "0", stay: str = "stay") -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own, once it is up; killed if it still is there afterwards."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, data, work, stay],
        env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def data(scratch_folder: Path) -> Path:
    return scratch_folder / "data"


def token(data: Path) -> str:
    found = state.running(data)
    assert found is not None
    return found.token


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_stops_all_and_is_no_failure(data: Path, number: int) -> None:
    with running(data) as process:
        mark = token(data)
        assert len(leftovers.carrying(mark)) == 1  # Redis
        process.send_signal(number)
        assert process.wait(30) == 0
    assert leftovers.carrying(mark) == []
    assert state.running(data) is None
    assert not (data / "run" / "supervisor.json").exists()


@pytest.mark.parametrize(("work", "stay", "code"), [("hang", "leave", 1), ("hang", "stay", 0)])
def test_ctrl_c_before_the_work_is_done(data: Path, work: str, stay: str, code: int) -> None:
    with running(data, work, stay) as process:
        mark = token(data)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == code
    assert leftovers.carrying(mark) == []


def test_a_second_ctrl_c_does_not_wait(data: Path) -> None:
    with running(data) as process:
        found = state.running(data)
        assert found is not None
        redis = psutil.Process(found.children[0].pid)
        redis.suspend()  # it will not end when it is asked to
        process.send_signal(signal.SIGINT)
        while "stopping" not in (data / "logs" / "supervisor.log").read_text():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert not redis.is_running()
    assert "did not end within" not in (data / "logs" / "supervisor.log").read_text()


@pytest.mark.parametrize("code", ["0", "1"])
def test_what_the_work_returns_is_what_the_run_returns(data: Path, code: str) -> None:
    with running(data, code, "leave") as process:
        assert process.wait(30) == int(code)
    assert state.running(data) is None


def test_a_second_run_is_refused_and_the_first_goes_on(data: Path) -> None:
    with running(data) as first:
        second = subprocess.run(
            [sys.executable, "-c", PROGRAM, data, "0", "stay"],
            env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert second.returncode == 1
        assert second.stderr.strip().startswith(f"Omroeper runs on {data} already (process {first.pid}).")
        assert "Traceback" not in second.stderr
        assert first.poll() is None
        first.send_signal(signal.SIGINT)
        assert first.wait(30) == 0


def test_the_next_run_after_a_killed_one_starts_as_usual(data: Path) -> None:
    with running(data) as first:
        mark = token(data)
        first.kill()
        first.wait()
    with running(data) as second:
        assert leftovers.carrying(mark) == []
        found = json.loads((data / "run" / "supervisor.json").read_text())
        assert found["pid"] == second.pid
        second.send_signal(signal.SIGINT)
        assert second.wait(30) == 0
