"""The practice town as a process of its own, for tests that need a real mail server with faults on demand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.recorder import LOOK_EVERY, Recorder

ROOT = Path(__file__).parents[2]
PEERS = ("mail", "timeline", "push", "colleagues")
Fault = Mapping[str, Any]


class PracticeControl:
    """What can be asked of a practice town that runs, over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        self._client.cookies.clear()  # a language once chosen would stay
        return self._client.get(path, params=parameters)

    def post(self, path: str, **form: str) -> httpx.Response:
        return self._client.post(path, data=form)

    def switch(self, *faults: Fault | str, peer: str = "mail") -> dict[str, Any]:
        """Switches on exactly these faults of a far side (``mail``, ``timeline``, ``push``, ``colleagues``).

        A string names a preset. See ``GET /faults/<peer>`` for what there is.
        """
        wanted = [{"preset": fault} if isinstance(fault, str) else dict(fault) for fault in faults]
        answer = self._client.put(f"/faults/{peer}", json=wanted)
        assert answer.status_code == 200, answer.text
        state: dict[str, Any] = answer.json()
        return state

    def clear(self) -> None:
        """Switches all faults of all far sides off."""
        for peer in PEERS:
            assert self._client.delete(f"/faults/{peer}").status_code == 200

    def state(self, peer: str = "mail") -> dict[str, Any]:
        """``faults`` that are on, each with ``struck``; ``events`` that happened."""
        found: dict[str, Any] = self._client.get(f"/faults/{peer}").json()
        return found

    def wait_for_event(self, event: str, *, peer: str = "mail", timeout: float = 30) -> dict[str, Any]:
        """The latest event of that name (``signal sent``, ``signal not sent``) since faults were last switched.

        Raises:
            AssertionError: there is none within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        while not (found := [entry for entry in self._since_switched(peer) if entry["event"] == event]):
            assert time.monotonic() < deadline, f"no '{event}' within {timeout:g} s"
            time.sleep(LOOK_EVERY)
        latest: dict[str, Any] = found[-1]
        return latest

    def _since_switched(self, peer: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.state(peer)["events"]
        switched = [number for number, entry in enumerate(events) if entry["event"] == "switched"]
        return events[switched[-1] + 1 :] if switched else events

    def close(self) -> None:
        self._client.close()


class Practice(PracticeControl):
    """``with Practice(folder) as practice``: starts it on free ports, ends it afterwards."""

    def __init__(self, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self._process = start(["--data", str(folder), *arguments], environment)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        self.said: dict[str, Any] = json.loads(line)
        self.smtp_port: int = self.said["smtp_port"]
        self.pid = self._process.pid
        self.record = Recorder(Path(self.said["record"]))
        self.records = {
            peer: Recorder(Path(self.said[f"{peer}_record"])) if peer != "mail" else self.record for peer in PEERS
        }
        self.ports: dict[str, int] = {peer: self.said[f"{peer}_port"] for peer in PEERS if peer != "mail"}
        super().__init__(f"http://localhost:{self.said['web_port']}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._process.poll() is None:
            self._process.terminate()
        self.ended()

    def terminate(self) -> None:
        self._process.terminate()

    def ended(self) -> tuple[int, str]:
        """Waits for its end: exit code and what it said on standard error."""
        _, said = finish(self._process)
        return self._process.returncode, said


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Waits for the end of a process: what it said. One that does not end is killed, and the test fails."""
    try:
        return process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


def start(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Starts ``python -m dispatcher.practice``; the caller ends it."""
    clean = {name: value for name, value in os.environ.items() if name != "OMROEPER_PRACTICE"}
    return subprocess.Popen(
        [sys.executable, "-m", "dispatcher.practice", *arguments],
        cwd=ROOT,
        env={**clean, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
