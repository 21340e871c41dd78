"""``setup`` as a municipality meets it: from a file, by its questions, again, and from practice to production."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.town import COMMAND

# An installation of its own, embedded: whatever database the suite runs on.
FOREIGN = ("DATABASE_URL", "REDIS_URL")
PASSWORD = "een lang geheim woord"
ANSWERS: dict[str, Any] = {
    "base_url": "https://nieuws.losser.nl/",
    "names": {"nl": "Gemeente Losser", "en": "Municipality of Losser"},
    "topics": [{"names": {"nl": "Werk aan de weg", "en": "Road works"}}],
    "districts": ["Losser", "Glane"],
    "outlets": [
        {
            "name": "email", "label": "E-mail", "channel": "email",
            "settings": {"host": "smtp.losser.nl", "sender": "berichten@losser.nl"},
        }
    ],
    "administrator": {"email": "Beheer@losser.nl", "password": PASSWORD},
}  # fmt: skip


def _environment(data: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN and "OMROEPER" not in name}
    return {**kept, "OMROEPER_DATA": str(data), "COLUMNS": "200"}


def _run(data: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments], env={**_environment(data), **more}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip


def _setup(data: Path, answers: dict[str, Any], **more: str) -> subprocess.CompletedProcess[str]:
    data.mkdir(parents=True, exist_ok=True)
    file = data.with_suffix(".json")
    file.write_text(json.dumps(answers))
    return _run(data, "setup", "--answers", str(file), **more)


def _rows(data: Path, statement: str, folder: str = "production") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(data / folder / "omroeper.sqlite3")) as database:
        return database.execute(statement).fetchall()


@pytest.fixture
def data(scratch_folder: Path) -> Path:
    return scratch_folder / "data"


def test_a_file_answers_everything_and_twice_is_as_once(data: Path) -> None:
    for _ in range(2):
        done = _setup(data, ANSWERS)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Nobody may write announcements yet." in done.stdout
    said = json.loads((data / "installation.json").read_text())
    assert (said["practice"], said["base_url"], said["data_set"]) == (False, "https://nieuws.losser.nl", "production")
    assert (data / "installation.json").stat().st_mode & 0o777 == 0o600
    assert _rows(data, "SELECT slug FROM audience_topic") == [("werk-aan-de-weg",)]
    assert sorted(_rows(data, "SELECT name FROM audience_district")) == [("Glane",), ("Losser",)]
    assert sorted(_rows(data, "SELECT name FROM dispatching_outlet")) == [("email",), ("website",)]
    assert _rows(data, "SELECT email FROM staff_employee") == [("beheer@losser.nl",)]
    assert PASSWORD not in (data / "production" / "omroeper.sqlite3").read_bytes().decode("latin-1")
    changed = {**ANSWERS, "base_url": "https://berichten.losser.nl", "names": {**ANSWERS["names"], "nl": "De gemeente"}}
    assert _setup(data, changed).returncode == 0
    assert "De gemeente" in str(_rows(data, "SELECT names FROM town_town"))
    shown = json.loads(_run(data, "check", "--json").stdout)
    assert not [row for row in shown if row["outlet"] == "setup" and row["level"] == "fault"], shown


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_stored(data: Path) -> None:
    outlet = {"name": "email", "label": "E-mail", "channel": "email", "settings": {"host": "2130706433", "port": 99999}}
    wrong = {**ANSWERS, "base_url": "http://nieuws.losser.nl", "names": {"nl": "Gemeente Losser"}, "outlets": [outlet]}
    done = _setup(data, wrong)
    assert done.returncode == 2
    for field in ("base_url", "names.en", "settings.host", "settings.port", "settings.sender"):
        assert f"{field}:" in done.stderr
    assert "5 to mend. Nothing was stored." in done.stderr
    assert not (data / "installation.json").exists()
    assert _rows(data, "SELECT * FROM town_town") == []
    easy = {**ANSWERS, "administrator": {"email": "beheer@losser.nl", "password": "1234"}}
    done = _setup(data, easy)
    assert (done.returncode, "administrator.password:" in done.stderr) == (2, True)
    assert _rows(data, "SELECT * FROM dispatching_outlet") == [], "what came before it in the same run is undone"


def test_the_password_may_come_from_the_environment_and_unknown_fields_are_named(data: Path) -> None:
    asked = {**ANSWERS, "administrator": {"email": "beheer@losser.nl"}}
    assert _setup(data, asked, OMROEPER_ADMINISTRATOR_PASSWORD=PASSWORD).returncode == 0
    done = _setup(data, {**ANSWERS, "colour": "red"})
    assert (done.returncode, "colour" in done.stderr) == (2, True)


def test_from_practice_to_production_nothing_of_the_example_town_comes_along(data: Path) -> None:
    practice = _setup(data, {**ANSWERS, "practice": True, "base_url": "http://localhost:8700", "outlets": []})
    assert practice.returncode in {0, 1}, practice.stderr
    load = "import django; django.setup(); from dispatcher import example_town as t; t.load_town(); t.populate(5)"
    environment = {**_environment(data), "DJANGO_SETTINGS_MODULE": "dispatcher.config.settings"}
    subprocess.run([COMMAND.with_name("python"), "-c", load], env=environment, check=True, timeout=60)
    assert _rows(data, "SELECT count(*) FROM audience_address WHERE value LIKE '%practice.invalid'", "") == [(5,)]

    refused = _run(data, "run", "--once", OMROEPER_PRACTICE="0")
    assert refused.returncode == 2
    assert "This data set is the practice town's" in refused.stderr
    assert "omroeper setup" in refused.stderr
    shown = json.loads(_run(data, "check", "--json", OMROEPER_PRACTICE="0").stdout)
    assert any("practice town's" in row["what"] and row["level"] == "fault" for row in shown)

    assert _setup(data, ANSWERS).returncode == 0
    assert _rows(data, "SELECT count(*) FROM audience_address") == [(0,)]
    assert _rows(data, "SELECT count(*) FROM dispatching_outlet WHERE name = 'email'") == [(1,)]
    assert _rows(data, "SELECT count(*) FROM audience_address", "") == [(5,)], "the practice town stays where it is"
    loaded = subprocess.run(
        [COMMAND.with_name("python"), "-c", load], env=environment, check=False, timeout=60, capture_output=True
    )
    assert b"NotForProduction" in loaded.stderr


def _converse(data: Path, turns: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """Answers each question of ``setup`` at a terminal; the exit code and all that was shown.

    A hidden answer counts only from the space behind its question on: what was typed before is thrown away (getpass).
    """
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever started the tests may have had it ignored
        os.execve(COMMAND, [str(COMMAND), "setup"], _environment(data))  # noqa: S606
    shown, at, until = "", 0, time.monotonic() + 120

    def more() -> bool:
        nonlocal shown
        assert time.monotonic() < until, f"nothing more came after:\n{shown}"
        if not select.select([terminal], [], [], 1)[0]:
            return True
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            return False
        shown += chunk.decode(errors="replace")
        return bool(chunk)

    try:
        for question, answer in turns:
            while question not in shown[at:]:
                assert more(), f"{question!r} was not asked:\n{shown}"
            at = shown.index(question, at) + len(question)
            os.write(terminal, f"{answer}\n".encode())
        while more():
            pass
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(terminal)
        status = os.waitpid(pid, 0)[1]
    return os.waitstatus_to_exitcode(status), shown


def test_its_questions_can_be_answered_one_by_one_and_wrong_answers_are_asked_again(data: Path) -> None:
    code, shown = _converse(
        data,
        [
            ("Is this for real?", "y"),
            ("Address of the site", "http://nieuws.losser.nl"),
            ("it has to be https", "https://nieuws.losser.nl"),
            ("Networks of the proxies", "10.0.0.0/8"),
            ("without a public address", ""),
            ("Languages [", ""),
            ("municipality (nl)", "Gemeente Losser"),
            ("municipality (en)", "Municipality of Losser"),
            ("usual topics?", "y"),
            ("Districts", "Losser, Glane"),
            ("Send e-mail?", "y"),
            ("host", "smtp.losser.nl"),
            ("port [587]", "465"),
            ("security [starttls]", "tls"),
            ("username", ""),
            ("password: ", ""),
            ("sender", "nonsense"),
            ("is no plain e-mail address", "berichten@losser.nl"),
            ("Another outlet", ""),
            ("E-mail address", "beheer@losser.nl"),
            ("Name", ""),
            ("Password: ", PASSWORD),
            ("The same again: ", PASSWORD),
            ("whether they can work?", "n"),
        ],
    )
    assert code == 0, shown
    assert PASSWORD not in shown
    assert "Stored." in shown
    assert json.loads((data / "installation.json").read_text())["trusted_proxies"] == "10.0.0.0/8"
    assert len(_rows(data, "SELECT slug FROM audience_topic")) >= 6
    assert _rows(data, "SELECT email FROM staff_employee") == [("beheer@losser.nl",)]


def test_given_up_halfway_nothing_has_changed(data: Path) -> None:
    turns = [("for real?", "y"), ("Address of the site", "https://nieuws.losser.nl"), ("Networks of the", "")]
    code, _ = _converse(data, [*turns, ("without a public address", ""), ("Languages [", "\x03")])
    assert code != 0
    assert not (data / "installation.json").exists()
