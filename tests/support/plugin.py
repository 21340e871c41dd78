"""Prepares the test run before Django's settings are read: a scratch data folder, a key, and the database.

Loaded by ``-p`` in pyproject.toml, since pytest-django reads the settings before any conftest. With
``OMROEPER_TEST_DATABASE=postgres`` the whole suite runs on a PostgreSQL of its own, else on SQLite files.

It also holds the rule on skips: one that is not listed in ``tests/skips.txt`` fails the run.
"""

from __future__ import annotations

import atexit
import fnmatch
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from dispatcher.locale import catalogues
from tests.support import postgres, scratch

SKIPS = Path(__file__).parents[1] / "skips.txt"
SESSION = "OMROEPER_TEST_SESSION"
FOREIGN = ("DATABASE_URL", "REDIS_URL", "OMROEPER_BASE_URL", "OMROEPER_SITE", "OMROEPER_PRACTICE", "OMROEPER_RUN")


class Run:
    """One test run; in a worker of pytest-xdist only the skips are of interest, the rest is the controller's."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.server: postgres.Postgres | None = None
        self.unlisted: list[str] = []

    def prepare(self) -> None:
        if SESSION in os.environ:  # a worker of pytest-xdist: all is inherited
            return
        scratch.sweep()
        atexit.register(self.clean)
        catalogues.compile_changed()
        self.folder = scratch.folder("tests")
        for name in FOREIGN:  # a developer's own installation is none of the tests' business
            os.environ.pop(name, None)
            os.environ.pop(f"{name}_FILE", None)
        os.environ[SESSION] = str(self.folder)
        os.environ["OMROEPER_DATA"] = str(self.folder / "data")
        os.environ["OMROEPER_SECRET_KEY"] = "of-no-use-outside-the-tests-0123456789abcdef0123456789"
        (self.folder / "data").mkdir()
        if os.environ.get("OMROEPER_TEST_DATABASE") == "postgres":
            self.server = postgres.start()
            os.environ["DATABASE_URL"] = self.server.url("omroeper")

    def clean(self) -> None:
        if self.server is not None:
            self.server.stop()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


_run = Run()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Iterator[None]:
    """Runs around pytest-django's own hook, which loads the settings."""
    _run.prepare()
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "town(parts, environment): runs a real installation; see tests/support/town.py")
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        # A file, as in production: a database in memory locks in another way.
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(Path(os.environ[SESSION]) / "test.sqlite3")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _judge_skip(report.nodeid, _reason(report.longrepr))


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _judge_skip(report.nodeid, _reason(report.longrepr))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _run.unlisted and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _run.unlisted:
        terminalreporter.section("skips that tests/skips.txt does not list", red=True)
        for line in _run.unlisted:
            terminalreporter.line(line)


def _judge_skip(nodeid: str, reason: str) -> None:
    said = f"{nodeid}: {reason.removeprefix('Skipped: ')}"
    for line in SKIPS.read_text().splitlines():
        if line and not line.startswith("#"):
            pattern, where, _ = (part.strip() for part in line.split("|", 2))
            if fnmatch.fnmatchcase(said, pattern) and (where == "anywhere" or not os.environ.get("CI")):
                return
    _run.unlisted.append(said)


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
