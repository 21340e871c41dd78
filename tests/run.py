"""What ``make test`` runs, one check after another, with one summary at the end: ``python -m tests.run``.

Every check runs even where an earlier one failed, so that one run tells all. ``lint``, ``types``, ``sqlite``
and ``postgres`` run only that part; ``coverage`` and ``faults`` run where they are asked for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import matrix

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
SOURCES = ("channels", "dispatcher", "tests", "benchmarks", "assets")
LOCKS = ("requirements.txt", "requirements-test.txt", "assets/requirements-node.txt", "assets/package-lock.json")
PYTEST = ("pytest", "-q", "-n", "2", "--dist", "worksteal")
NOT_ALWAYS = ("coverage", "faults")  # only where they are asked for
# Folders of tests/ that touch no database: on a second one they would be the same tests again.
WITHOUT_DATABASE = ("benchmarks", "channels", "config", "contract", "practice")
SUMMARY = ROOT / ".pytest_cache" / "summary.txt"


@dataclass(frozen=True)
class Check:
    """One command of one part. ``environment`` is added to ours."""

    part: str
    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """``closing`` is the line with which pytest ended, where it ran."""

    check: Check
    passed: bool
    seconds: float
    closing: str


def checks() -> list[Check]:
    """All of them, quick ones first."""
    present = [name for name in SOURCES if any((ROOT / name).glob("*.py"))]
    django = {
        "DJANGO_SETTINGS_MODULE": "dispatcher.config.settings",
        "OMROEPER_SECRET_KEY": "none",
        "DATABASE_URL": "sqlite://:memory:",
    }
    suite = [_tool("pytest"), *PYTEST[1:]]
    return [
        Check("lint", "ruff check", [_tool("ruff"), "check", "."]),
        Check("lint", "ruff format", [_tool("ruff"), "format", "--check", "."]),
        Check("lint", "layers", [_tool("lint-imports"), "--no-cache"]),
        Check("lint", "requirements", [_tool("deptry"), "."]),
        Check("lint", "compose file", [
            _tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "docker-compose.yml",
        ]),
        Check("lint", "migrations", [
            sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run",
        ], django),
        Check("lint", "no addresses in locks", [sys.executable, "-m", "tests.run", "locks"]),
        Check("types", "mypy", [_tool("mypy"), *present]),
        Check("sqlite", "suite on SQLite", suite, {"OMROEPER_TEST_DATABASE": "sqlite"}),
        Check("postgres", "suite on PostgreSQL", [
            *suite, *(f"--ignore=tests/{name}" for name in WITHOUT_DATABASE),
        ], {"OMROEPER_TEST_DATABASE": "postgres"}),
        Check("coverage", "suite, measured", [_tool("coverage"), "run", "-m", *PYTEST]),
        Check("coverage", "combine", [_tool("coverage"), "combine", "--quiet"]),
        Check("coverage", "report", [_tool("coverage"), "report"]),
        *(
            Check("faults", f"fault matrix on {name}", [_tool("pytest"), "-q", "tests/faults", *matrix.options(kind)], {
                "OMROEPER_FAULTS": "full", "OMROEPER_TEST_DATABASE": kind,
            })
            for kind, name in (("sqlite", "SQLite"), ("postgres", "PostgreSQL"))
        ),
    ]  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Runs the parts that were named, or all that belong to every change. 0 if all passed."""
    if list(arguments) == ["locks"]:
        return _look_for_addresses()
    known = checks()
    wanted = set(arguments) or {check.part for check in known} - {*NOT_ALWAYS}
    if unknown := wanted - {check.part for check in known}:
        sys.stderr.write(f"There is no part {', '.join(sorted(unknown))}. Example: python -m tests.run lint sqlite\n")
        return 2
    results = [_run(check) for check in known if check.part in wanted]
    _tell(results)
    if "faults" in wanted:
        sys.stdout.write(f"written: {matrix.write()}\n")
    return 0 if all(result.passed for result in results) else 1


def _tool(name: str) -> str:
    return str(BIN / name)


def _run(check: Check) -> Result:
    width = min(100, shutil.get_terminal_size().columns)
    sys.stdout.write(f"\n── {check.name} {'─' * max(0, width - len(check.name) - 4)}\n")
    sys.stdout.flush()
    began = time.monotonic()
    closing = ""
    with subprocess.Popen(
        check.command,
        cwd=ROOT, env={**os.environ, **check.environment}, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            if re.search(r"\d+ (passed|failed|error|skipped|deselected).* in [\d.]+s|no tests ran", line):
                closing = line.strip(" =\n")
    return Result(check, process.returncode == 0, time.monotonic() - began, closing)


def _tell(results: Sequence[Result]) -> None:
    lines = ["", "── summary " + "─" * 40]
    for each in results:
        verdict = "ok    " if each.passed else "FAILED"
        lines.append(f"{verdict}  {each.check.name:28} {each.seconds:6.1f} s  {each.closing}".rstrip())
    # The lines with which pytest closed, as it writes them, for whoever reads only the end.
    closing = [f"=== {each.closing} ===" for each in results if each.closing]
    text = "\n".join([*lines, *closing]) + "\n"
    sys.stdout.write(text)
    SUMMARY.parent.mkdir(exist_ok=True)
    SUMMARY.write_text(text)


def _look_for_addresses() -> int:
    """A lock that names a registry would bind everybody to that one."""
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in LOCKS
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if "://" in line
    ]
    for line in found[:10]:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
