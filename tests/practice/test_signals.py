"""The server stops the process at the other end at an exact moment of its conversation."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.practice import Practice
from tests.support.raw_smtp import RawSmtp

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="whose connection it is, a process may only ask on Linux"
)

SENDER = """
import sys
from tests.support.raw_smtp import RawSmtp
with RawSmtp(int(sys.argv[1])) as client:
    for number in range(int(sys.argv[3])):
        print(client.deliver(f"{sys.argv[2]}-{number}").decode().strip(), flush=True)
"""
PARENT = """
import subprocess, sys
print("started", flush=True)
sys.exit(subprocess.call([sys.executable, "-c", *sys.argv[1:]]))
"""


def start_sender(practice: Practice, key: str, count: int, *, through: str = "") -> subprocess.Popen[str]:
    """A process that sends ``count`` messages one by one and says each answer; ``through`` another that starts it."""
    code = [through, SENDER] if through else [SENDER]
    return subprocess.Popen(
        [sys.executable, "-c", *code, str(practice.smtp_port), key, str(count)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that the test started: none is left behind."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        for left in [*_below(process.pid), process.pid]:
            if psutil.pid_exists(left):
                os.kill(left, signal.SIGKILL)
        process.wait(10)
        if process.stdout:
            process.stdout.close()


def _below(pid: int) -> list[int]:
    if not psutil.pid_exists(pid):
        return []
    return [child.pid for child in psutil.Process(pid).children(recursive=True)]


def test_the_sender_is_killed_at_the_nth_message_before_it_hears_the_answer(
    practice: Practice, key: str, started: list[subprocess.Popen[str]]
) -> None:
    practice.switch({"kind": "signal", "moment": "after-dot", "after": 2})
    started.append(start_sender(practice, key, 5))

    said, _ = started[0].communicate(timeout=20)

    assert started[0].returncode == -signal.SIGKILL
    assert len(said.splitlines()) == 2
    assert [line.key for line in practice.record.lines() if line.key.startswith(key)] == [
        f"{key}-{number}" for number in range(3)
    ]
    event = practice.wait_for_event("signal sent")
    assert (event["pid"], event["signal"], event["moment"]) == (started[0].pid, "SIGKILL", "after-dot")


def test_the_sender_can_be_killed_after_a_recipient_so_that_nothing_of_the_message_came(
    practice: Practice, key: str, started: list[subprocess.Popen[str]]
) -> None:
    practice.switch({"kind": "signal", "moment": "rcpt", "after": 1})
    started.append(start_sender(practice, key, 5))

    started[0].communicate(timeout=20)

    assert started[0].returncode == -signal.SIGKILL
    assert [line.key for line in practice.record.lines() if line.key.startswith(key)] == [f"{key}-0"]


def test_the_sender_can_be_killed_when_the_answer_has_left(
    practice: Practice, key: str, started: list[subprocess.Popen[str]]
) -> None:
    practice.switch({"kind": "signal", "moment": "after-reply", "after": 1})
    started.append(start_sender(practice, key, 5))

    started[0].communicate(timeout=20)

    assert started[0].returncode == -signal.SIGKILL
    assert practice.record.has(f"{key}-1") and not practice.record.has(f"{key}-2")


def test_a_frozen_sender_goes_on_where_it_was(
    practice: Practice, key: str, started: list[subprocess.Popen[str]]
) -> None:
    practice.switch({"kind": "signal", "moment": "after-dot", "after": 1, "signal": "SIGSTOP"})
    started.append(start_sender(practice, key, 4))
    pid = practice.wait_for_event("signal sent")["pid"]
    practice.record.wait(lambda record: record.has(f"{key}-1"))

    assert pid == started[0].pid
    assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
    os.kill(pid, signal.SIGCONT)

    said, _ = started[0].communicate(timeout=20)
    assert len(said.splitlines()) == 4


def test_the_signal_can_go_to_the_one_that_started_the_sender(
    practice: Practice, key: str, started: list[subprocess.Popen[str]]
) -> None:
    practice.switch({"kind": "signal", "moment": "after-dot", "to": "parent"})
    started.append(start_sender(practice, key, 1, through=PARENT))

    assert started[0].wait(20) == -signal.SIGKILL

    event = practice.wait_for_event("signal sent")
    assert event["pid"] == started[0].pid
    assert event["peer"] != event["pid"]


def test_nobody_is_signalled_who_must_be_left_alone(practice: Practice, key: str) -> None:
    """Here the sender is what started the practice town: as the supervisor is."""
    practice.switch("kill")

    with RawSmtp(practice.smtp_port) as client:
        assert client.deliver(key).startswith(b"250 ")

    assert f"process {os.getpid()}" in practice.wait_for_event("signal not sent")["why"]
    assert "is niet gestuurd" in practice.get("/faults").text


def test_the_record_names_the_process_that_sent(
    practice: Practice, key: str, started: list[subprocess.Popen[str]]
) -> None:
    started.append(start_sender(practice, key, 2))
    started[0].communicate(timeout=20)

    assert {line.pid for line in practice.record.lines() if line.key.startswith(key)} == {started[0].pid}
