"""The data folder, the secret key and the lock."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dispatcher.embedded import layout as layouts
from dispatcher.embedded.layout import Layout, claim, is_claimed, prepare
from dispatcher.embedded.problems import CannotStart


@pytest.fixture
def no_key_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMROEPER_SECRET_KEY")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("no_key_given")
def test_first_start_makes_a_key_that_only_we_can_read_and_keeps_it(scratch_folder: Path) -> None:
    data = scratch_folder / "new" / "data"
    prepare(data)
    key = data / "secret.key"
    first = key.read_text()
    prepare(data)
    assert len(first.strip()) >= 50
    assert mode(key) == 0o600
    assert mode(data) == 0o700
    assert key.read_text() == first
    assert sorted(file.name for file in data.iterdir()) == ["logs", "practice", "redis", "run", "secret.key"]


def test_a_key_that_is_given_is_not_written_down(scratch_folder: Path) -> None:
    assert os.environ["OMROEPER_SECRET_KEY"]
    assert not (prepare(scratch_folder / "data").data / "secret.key").exists()


def test_a_shallow_folder_keeps_its_sockets_inside(layout: Layout) -> None:
    assert layout.sockets == layout.data / "run" / "sockets"
    assert mode(layout.sockets) == 0o700


@pytest.mark.parametrize("name", ["d" * 120, "Ω gemeente #1?"])
def test_a_deep_or_odd_path_gets_a_short_folder_for_sockets(
    scratch_folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = scratch_folder / "tmp"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    data = scratch_folder / name / "data"
    layout = prepare(data)
    assert layout.sockets.parent == elsewhere
    assert len(os.fsencode(layout.redis_socket)) <= 103
    assert mode(layout.sockets) == 0o700
    assert (data / "run" / "sockets-at").read_text().strip() == str(layout.sockets)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch_folder))  # another TMPDIR finds the recorded one
    assert prepare(data) == layout


def test_a_socket_folder_that_others_can_enter_is_refused(
    scratch_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(scratch_folder))
    data = scratch_folder / ("d" * 120)
    prepare(data).sockets.chmod(0o755)
    with pytest.raises(CannotStart, match="not yours alone"):
        prepare(data)


def test_a_file_in_the_way_is_said_with_the_remedy(scratch_folder: Path) -> None:
    (scratch_folder / "data").write_text("")
    with pytest.raises(CannotStart, match="OMROEPER_DATA=") as told:
        prepare(scratch_folder / "data")
    assert told.value.exit_code == 2


def test_a_path_too_long_for_the_system_is_said(scratch_folder: Path) -> None:
    with pytest.raises(CannotStart, match="too long"):
        prepare(scratch_folder / ("d" * 300))


def test_a_disk_that_is_nearly_full_is_said(scratch_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layouts, "NEEDED_BYTES", 2**60)
    with pytest.raises(CannotStart, match="MB left") as told:
        prepare(scratch_folder / "data")
    assert told.value.exit_code == 1


def test_no_permission_is_said(scratch_folder: Path) -> None:
    closed = scratch_folder / "closed"
    closed.mkdir(mode=0o500)
    # Root may write anywhere, so whoever runs this does it as somebody who may not; imports come first.
    program = """
import os, sys
from pathlib import Path
from dispatcher.embedded.layout import prepare
from dispatcher.embedded.problems import CannotStart
if os.geteuid() == 0:
    os.chmod(Path(sys.argv[1]).parent.parent, 0o755)
    os.setuid(65534)
try:
    prepare(Path(sys.argv[1]))
except CannotStart as error:
    print(error)
    sys.exit(error.exit_code)
"""
    done = subprocess.run([sys.executable, "-c", program, closed / "data"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "")
    assert "You may not write in" in done.stdout
    assert "OMROEPER_DATA=" in done.stdout


def test_a_second_run_is_refused_and_names_the_first(layout: Layout) -> None:
    with claim(layout):
        assert is_claimed(layout.data)
        with pytest.raises(CannotStart, match=f"process {os.getpid()}"), claim(layout):
            pytest.fail("two runs hold one data folder")
    assert not is_claimed(layout.data)


def test_a_stale_process_id_means_nothing(layout: Layout) -> None:
    # The id of a process that lives: only the lock counts, not who is named in the file.
    (layout.run / "lock").write_text(f"{os.getppid()}\n")
    assert not is_claimed(layout.data)
    with claim(layout):
        assert (layout.run / "lock").read_text() == f"{os.getpid()}\n"
