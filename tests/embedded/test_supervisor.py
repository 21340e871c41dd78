"""Children: started, restarted, ended with all they started."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from dispatcher.embedded import child as children
from dispatcher.embedded import leftovers, state
from dispatcher.embedded.child import Program, exit_text, pause_before_restart, rotate, telling_line
from dispatcher.embedded.heartbeats import Heartbeats
from dispatcher.embedded.layout import Layout
from dispatcher.embedded.problems import CannotStart
from dispatcher.embedded.supervisor import Supervisor
from tests.support.processes import lives


def shell(name: str, script: str, rank: int = 0, grace: float = 10) -> Program:
    """A child that runs a shell script. It is ready at once."""
    return Program(name=name, argv=["sh", "-c", script], rank=rank, grace=grace, patience=10)


def supervise(layout: Layout, frozen_after: float | None = None) -> Supervisor:
    return Supervisor(layout, os.environ, frozen_after=frozen_after)


async def written(file: Path) -> str:
    """The first line of a file, once it is there."""
    async with asyncio.timeout(10):
        while not (file.exists() and file.read_text().endswith("\n")):
            await asyncio.sleep(0.01)
    return file.read_text().splitlines()[0]


async def gone(pid: int) -> None:
    async with asyncio.timeout(10):
        while lives(pid):
            await asyncio.sleep(0.01)


def test_everything_a_child_started_ends_with_the_supervisor(layout: Layout) -> None:
    async def scene() -> tuple[int, int]:
        async with supervise(layout) as supervisor:
            # The grandchild ignores SIGTERM: only the end of the whole group reaches it.
            await supervisor.start(
                shell("a", f"sh -c 'trap \"\" TERM; echo $$ > {layout.run}/pid; sleep 60' & sleep 60")
            )
            main = supervisor.children["a"].pid
            assert main is not None
            grandchild = int(await written(layout.run / "pid"))
            assert lives(main)
            assert lives(grandchild)
            return main, grandchild

    main, grandchild = asyncio.run(scene())
    assert not lives(main)
    assert not lives(grandchild)
    assert not layout.state.exists()


def test_a_child_that_ends_is_started_again_and_counted(layout: Layout) -> None:
    async def scene() -> None:
        async with supervise(layout) as supervisor:
            await supervisor.start(shell("a", "sleep 60"))
            child = supervisor.children["a"]
            first = child.pid
            child.signal(signal.SIGKILL)
            await child.until(lambda: child.status == "ready" and child.pid != first)
            found = state.read(layout.state)
            assert found is not None
            assert (found.children[0].restarts, found.children[0].last_exit) == (1, -signal.SIGKILL)
            assert found.children[0].pid == child.pid

    asyncio.run(scene())
    assert "a ended (by SIGKILL) and starts again" in (layout.logs / "supervisor.log").read_text()


def test_a_child_that_cannot_be_started_for_a_while_is_tried_again(layout: Layout) -> None:
    async def scene() -> None:
        async with supervise(layout) as supervisor:
            await supervisor.start(shell("a", "sleep 60"))
            child = supervisor.children["a"]
            layout.logs.rename(layout.data / "elsewhere")  # its log cannot be opened
            child.signal(signal.SIGKILL)
            await child.until(lambda: child.restarts == 3)
            layout.logs.mkdir()
            await child.until(lambda: child.status == "ready")

    asyncio.run(scene())
    assert "a cannot be started: [Errno 2]" in (layout.data / "elsewhere" / "supervisor.log").read_text()


def test_what_a_child_started_ends_when_the_child_dies(layout: Layout) -> None:
    async def scene() -> None:
        async with supervise(layout) as supervisor:
            await supervisor.start(shell("a", f"sleep 60 & echo $! > {layout.run}/pid; wait"))
            grandchild = int(await written(layout.run / "pid"))
            supervisor.children["a"].signal(signal.SIGKILL)
            await gone(grandchild)

    asyncio.run(scene())


def test_a_child_that_ends_at_once_is_said_with_its_telling_line(layout: Layout) -> None:
    async def scene() -> None:
        async with supervise(layout) as supervisor:
            await supervisor.start(
                Program(name="a", argv=["sh", "-c", "echo no room >&2; exit 3"], ready=never, patience=10)
            )

    with pytest.raises(CannotStart, match=r"a ended at once \(exit status 3\). It said: no room"):
        asyncio.run(scene())


def test_a_child_that_is_never_ready_is_said(layout: Layout) -> None:
    async def scene() -> None:
        async with supervise(layout) as supervisor:
            await supervisor.start(Program(name="a", argv=["sleep", "60"], ready=never, patience=0.3))

    with pytest.raises(CannotStart, match=r"a is not ready after 0.3 seconds"):
        asyncio.run(scene())


def test_a_command_that_does_not_exist_is_said(layout: Layout) -> None:
    async def scene() -> None:
        async with supervise(layout) as supervisor:
            await supervisor.start(Program(name="a", argv=["/no/such/command"], ready=never))

    with pytest.raises(CannotStart, match="a "):
        asyncio.run(scene())


async def never(_: int) -> bool:
    return False


def test_a_child_that_speaks_is_ready_when_it_has_spoken(layout: Layout) -> None:
    async def scene() -> None:
        async with supervise(layout) as supervisor:
            script = "echo starting; echo '{\"web\": 8701}'; echo more; sleep 60"
            await supervisor.start(Program(name="a", argv=["sh", "-c", script], speaks=True, patience=10))
            assert supervisor.children["a"].said == {"web": 8701}
            async with asyncio.timeout(10):
                while (layout.logs / "a.log").read_text() != "starting\nmore\n":
                    await asyncio.sleep(0.01)

    asyncio.run(scene())


def test_higher_ranks_stop_first_and_get_time_to_finish(layout: Layout) -> None:
    order = layout.run / "order"

    def says(name: str, delay: float) -> str:
        at_end = f"sleep {delay}; echo {name} >> {order}; exit"
        return f"trap '{at_end}' TERM; echo up > {layout.run}/{name}; while :; do sleep 0.05; done"

    async def scene() -> None:
        async with supervise(layout) as supervisor:
            await supervisor.start(shell("redis", says("redis", 0)), shell("worker", says("worker", 0.3), rank=3))
            await written(layout.run / "redis")
            await written(layout.run / "worker")

    asyncio.run(scene())
    assert order.read_text().split() == ["worker", "redis"]


def test_a_child_that_does_not_end_is_killed(layout: Layout) -> None:
    async def scene() -> int:
        async with supervise(layout) as supervisor:
            await supervisor.start(
                shell("a", f"trap '' TERM; echo up > {layout.run}/up; while :; do sleep 1; done", grace=0.2)
            )
            await written(layout.run / "up")
            return supervisor.children["a"].pid or 0

    assert not lives(asyncio.run(scene()))
    assert "did not end within 0.2 seconds and is killed" in (layout.logs / "supervisor.log").read_text()


def test_a_killed_supervisor_leaves_nothing_to_the_next_start(layout: Layout) -> None:
    """Its children die with it; what they had started has lost its parent and is ended by the next start."""
    program = f"""
import asyncio, os, signal
from pathlib import Path
from dispatcher.embedded.child import Program
from dispatcher.embedded.layout import prepare
from dispatcher.embedded.supervisor import Supervisor
from tests.support.processes import lives

async def main():
    layout = prepare(Path({str(layout.data)!r}))
    async with Supervisor(layout, os.environ, frozen_after=None) as supervisor:
        script = "sleep 60 & echo $! > {layout.run}/pid; wait"
        await supervisor.start(Program(name="a", argv=["sh", "-c", script]))
        while not (layout.run / "pid").exists():
            await asyncio.sleep(0.01)
        print(supervisor.children["a"].pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    main, grandchild = int(done.stdout), int((layout.run / "pid").read_text())
    asyncio.run(gone(main))
    assert lives(grandchild)
    assert leftovers.end(layout) == [grandchild]
    assert not lives(grandchild)
    assert leftovers.end(layout) == []


def heart(folder: Path, freezes: bool) -> str:
    beats = f"touch {folder}/$$" if freezes else f"while :; do touch {folder}/$$; sleep 0.1; done"
    return f"{beats}; sleep 60"


@pytest.mark.parametrize(("freezes", "killed"), [(True, True), (False, False)])
def test_a_pool_process_without_a_sign_of_life_is_killed(layout: Layout, freezes: bool, killed: bool) -> None:
    async def scene() -> bool:
        async with supervise(layout, frozen_after=0.6) as supervisor:
            await supervisor.start(
                shell("w", f"sh -c '{heart(layout.heartbeats, freezes)}' & echo $! > {layout.run}/pid; wait; sleep 60")
            )
            pid = int(await written(layout.run / "pid"))
            until = time.monotonic() + 2.5
            while lives(pid) and time.monotonic() < until:
                await asyncio.sleep(0.02)
            return not lives(pid)

    assert asyncio.run(scene()) is killed


def test_a_heartbeat_file_cannot_aim_at_a_process_that_is_not_ours(layout: Layout) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:

        async def scene() -> None:
            async with supervise(layout, frozen_after=0.2) as supervisor:
                await supervisor.start(shell("w", "sleep 60"))
                file = layout.heartbeats / str(stranger.pid)
                file.touch()
                async with asyncio.timeout(10):
                    while file.exists():
                        await asyncio.sleep(0.02)

        asyncio.run(scene())
        assert lives(stranger.pid)
    finally:
        stranger.kill()
        stranger.wait()


def test_a_clock_that_is_set_does_not_look_like_a_frozen_process(layout: Layout) -> None:
    file = layout.heartbeats / "12345"
    file.touch()
    hearts = Heartbeats(layout.heartbeats, limit=10)
    assert hearts.frozen(now=0) == []
    os.utime(file, (1, 1))  # fifty years back
    assert hearts.frozen(now=9) == []
    assert hearts.frozen(now=18) == []
    assert hearts.frozen(now=20) == [12345]


@pytest.mark.parametrize(
    ("deaths", "seconds"), [(1, 0.1), (10, 0.1), (12, 0.1), (13, 1.0), (14, 2.0), (18, 30.0), (1000, 30.0)]
)
def test_pauses_before_a_restart(deaths: int, seconds: float) -> None:
    assert pause_before_restart(deaths) == seconds


@pytest.mark.parametrize(
    ("code", "words"), [(0, "exit status 0"), (2, "exit status 2"), (-9, "by SIGKILL"), (None, "it did not start")]
)
def test_how_a_process_ended_in_words(code: int | None, words: str) -> None:
    assert exit_text(code) == words


def test_a_large_log_is_put_aside_and_one_old_one_kept(scratch_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "LOG_BYTES", 10)
    log = scratch_folder / "a.log"
    texts: Sequence[str] = ("short\n", "long enough to go\n", "long enough to go too\n")
    for text in texts:
        with log.open("a") as stream:
            stream.write(text)
        rotate(log)
    assert not log.exists()
    assert [file.read_text() for file in scratch_folder.iterdir()] == [texts[2]]
    assert telling_line(scratch_folder / "a.log.1") == "long enough to go too"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("one\ntwo\n\n", "two"),
        ("Traceback\n  File\nsome.OperationalError: no disk\nshut down\n", "some.OperationalError: no disk"),
        ("Errors: 0\nready\n", "ready"),
    ],
)
def test_the_line_that_says_why(scratch_folder: Path, text: str, line: str) -> None:
    (scratch_folder / "a.log").write_text(text)
    assert telling_line(scratch_folder / "a.log") == line
