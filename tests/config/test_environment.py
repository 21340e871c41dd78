"""How settings are read from the environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher.config.environment import data_folder, number, text


def test_a_value_comes_before_its_file_and_both_before_the_default(
    scratch_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scratch_folder / "secret").write_text("  from the file\n\n")
    assert text("TOWN_SECRET", "default") == "default"
    monkeypatch.setenv("TOWN_SECRET_FILE", str(scratch_folder / "secret"))
    assert text("TOWN_SECRET", "default") == "from the file"
    monkeypatch.setenv("TOWN_SECRET", "given")
    assert text("TOWN_SECRET", "default") == "given"
    monkeypatch.setenv("TOWN_SECRET", "")
    assert text("TOWN_SECRET") == "from the file"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_said_with_its_variable(
    scratch_folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    file = scratch_folder / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("TOWN_SECRET_FILE", str(file))
    with pytest.raises(SystemExit, match=f"TOWN_SECRET_FILE names {file}, which cannot be read"):
        text("TOWN_SECRET")


def test_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert number("TOWN_NUMBER", 6) == 6
    monkeypatch.setenv("TOWN_NUMBER", "2.5")
    assert number("TOWN_NUMBER", 6) == 2.5
    monkeypatch.setenv("TOWN_NUMBER", "soon")
    with pytest.raises(SystemExit, match=r"TOWN_NUMBER is 'soon', which is not a number\. Example: TOWN_NUMBER=6"):
        number("TOWN_NUMBER", 6)


def test_the_data_folder_is_absolute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMROEPER_DATA", "somewhere")
    assert data_folder() == Path.cwd() / "somewhere"
    monkeypatch.setenv("OMROEPER_DATA", "~/somewhere")
    assert data_folder() == Path.home() / "somewhere"
    monkeypatch.delenv("OMROEPER_DATA")
    assert data_folder() == Path(__file__).parents[2] / ".omroeper"


def settings_with(**environment: str) -> str:
    """The databases that the settings read, in a process of its own."""
    program = "from dispatcher.config import settings; print(settings.DATABASES['default'])"
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PATH": "", **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_the_embedded_database_file_may_lie_in_any_folder(scratch_folder: Path) -> None:
    odd = scratch_folder / "a b#c?d%20e"
    assert f"'NAME': '{odd}/omroeper.sqlite3'" in settings_with(OMROEPER_DATA=str(odd))


def test_what_a_database_address_asks_for_is_kept_beside_our_own() -> None:
    found = settings_with(DATABASE_URL="postgres://a:b@db.example.org/c?sslmode=verify-full")
    assert "'sslmode': 'verify-full'" in found
    assert "synchronous_commit=on" in found
