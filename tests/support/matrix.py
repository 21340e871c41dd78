"""The last result of ``make faults``, as a page: docs/fault-matrix.md.

Each row's test prints what the far side counted (``check_ledger``); pytest's own report carries that here.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "fault-matrix.md"
FIGURES = re.compile(r"far side: Figures\((?P<figures>[^)]*)\)")
COLUMNS = ("planned", "received", "lost", "twice", "unknown")
HEAD = """# The fault matrix: last result at full size

Written by `make faults`. Each row breaks a real installation for real (signals, sockets, the database, Redis) and then
holds the ledger against what the far side recorded. *Lost*: accepted in the ledger and never taken. *Twice*: taken
again. *Unknown*: no answer came back, and nothing was repeated blindly.
"""


def _report(kind: str) -> Path:
    return ROOT / ".pytest_cache" / f"faults-{kind}.xml"


def options(kind: str) -> list[str]:
    """What pytest must be told, so that ``write`` finds its report."""
    return [f"--junit-xml={_report(kind)}", "-o", "junit_logging=system-out", "-o", "junit_log_passing_tests=true"]


def write() -> Path:
    """Writes the page from the latest reports and returns its path."""
    lines = [HEAD, f"{datetime.now(UTC):%d %B %Y}, Linux, {os.cpu_count()} cores, {_residents()} residents a row.", ""]
    for kind, name in (("sqlite", "SQLite"), ("postgres", "PostgreSQL")):
        lines += [f"## {name}", "", f"| row | result | seconds | {' | '.join(COLUMNS)} |", "| --- " * 8 + "|"]
        lines += _rows(_report(kind)) if _report(kind).is_file() else ["| not run | | | | | | | |"]
        lines.append("")
    PAGE.write_text("\n".join(lines))
    return PAGE.relative_to(ROOT)


def _residents() -> str:
    return f"{int(os.environ.get('OMROEPER_FAULTS_RESIDENTS', '100000')):,}"


def _rows(report: Path) -> Iterator[str]:
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - our own report
        module = case.get("classname", "").rpartition(".")[2].removeprefix("test_")
        result = next((kind for kind in ("failure", "error", "skipped") if case.find(kind) is not None), "passed")
        counted = FIGURES.findall(case.findtext("system-out") or "") or [""]
        for figures in counted:
            found = dict(re.findall(r"(\w+)=(\d+)", figures))
            cells = [f"{module}: {case.get('name')}", result, f"{float(case.get('time', 0)):.1f}"]
            yield f"| {' | '.join([*cells, *(found.get(column, '') for column in COLUMNS)])} |"
