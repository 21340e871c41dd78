"""What holds for the project as a whole: names, locks, skips."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.run import WITHOUT_DATABASE

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["channels", "dispatcher", "templates", "tests", "benchmarks"])
def test_no_installed_package_takes_a_name_of_ours(name: str) -> None:
    taken = [
        found.metadata["Name"]
        for found in distributions()
        if found.metadata["Name"] != "omroeper"
        and any(file.parts[0] in (name, f"{name}.py") for file in found.files or [])
    ]
    assert taken == []


def locked(file: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9.-]*)(?:\[[\w,-]+\])?==", (ROOT / file).read_text(), re.MULTILINE))


def required(*groups: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"]]
    for group in groups:
        wanted += project["dependency-groups"][group]
    return {canonicalize_name(Requirement(each).name) for each in wanted}


@pytest.mark.parametrize(
    ("file", "groups"), [("requirements.txt", ("build",)), ("requirements-test.txt", ("build", "test"))]
)
def test_the_locks_hold_everything_that_is_required(file: str, groups: tuple[str, ...]) -> None:
    assert required(*groups) - locked(file) == set(), "run: make lock"


@pytest.mark.parametrize("folder", WITHOUT_DATABASE)
def test_what_is_run_on_one_database_only_uses_none(folder: str) -> None:
    uses = re.compile(r"django_db|transactional_db|new_town|web_town|databases\.fresh")
    files = sorted((ROOT / "tests" / folder).rglob("*.py"))
    assert files
    assert [file.name for file in files if uses.search(file.read_text())] == []


def test_what_runs_in_production_needs_no_test_tools() -> None:
    assert {"pytest", "mypy", "playwright", "ruff"} & locked("requirements.txt") == set()
    assert locked("requirements.txt") <= locked("requirements-test.txt")


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-test.txt", "assets/requirements-node.txt"])
def test_every_locked_package_has_a_hash(file: str) -> None:
    for entry in re.split(r"\n(?=\S)", (ROOT / file).read_text().strip()):
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize(("reason", "allowed"), [("no reason in particular", False), ("LISTED for a test", True)])
def test_a_skip_that_is_not_listed_fails_the_run(tmp_path: Path, reason: str, allowed: bool) -> None:
    (tmp_path / "test_it.py").write_text(f"import pytest\n\n@pytest.mark.skip({reason!r})\ndef test_it(): pass\n")
    program = "from pathlib import Path; import sys, pytest; from tests.support import plugin; "
    program += f"plugin.SKIPS = Path({str(tmp_path / 'skips.txt')!r}); sys.exit(pytest.main(sys.argv[1:]))"
    (tmp_path / "skips.txt").write_text("# comment\n*: LISTED* | anywhere | for this test\n")
    done = subprocess.run(
        [sys.executable, "-c", program, "-p", "no:cacheprovider", "-c", ROOT / "pyproject.toml", tmp_path],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "1 skipped" in done.stdout, done.stdout + done.stderr
    assert done.returncode == (0 if allowed else 1)
    assert ("skips that tests/skips.txt does not list" in done.stdout) is not allowed
