"""How the findings are shown: a table on the terminal, JSON for programs, and the page ``results.md``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measure import Measure

PAGE = Path(__file__).with_name("results.md")
_DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "": ""}
_WORDS = {True: "reached", False: "missed", None: ""}
_COLUMNS = ("", "database", "residents", "found", "target", "")
_INTRODUCTION = """# What the benchmarks found

Written by `make bench`. What counts is a ratio: all contenders send to the same `smtp-sink`, one after another in the
same round, and the ratio is the median over the rounds. `smtp-source` is Postfix's own load generator, in C, with 16
sessions; our side has two worker processes with eight connections each. By itself `smtp-source` connects anew for every
message; with `-d` it keeps its connections, as we do. It reads no subscribers, writes no ledger and has one recipient.
The time of our side runs from submit to the last receipt settled, planning and the website's page included.

An urgent announcement goes to the website and 19 accounts at a far side that speaks Mastodon's API and answers at once.
Its overhead is the time from submit to the last acceptance, less what a bare client needs for as many posts side by
side, in the same round and under the same load. Targets are in milliseconds of the 95th percentile.

Pages are asked for by `wrk`, over 16 connections that it keeps, of the product's web server and of nginx in turn: the
same files, one worker process each.
"""


def say(line: str) -> None:
    """Tells how far it is, on standard error."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def show(measures: Sequence[Measure], console: Console) -> None:
    """Prints the tables."""
    for title, rows in _parts(measures):
        table = Table(*_COLUMNS, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        console.print(table)


def as_json(measures: Sequence[Measure], machine: Mapping[str, str]) -> str:
    """Everything that was found, as one JSON document."""
    found = [asdict(each) | {"target": each.target, "reached": each.reached} for each in measures]
    return json.dumps({"machine": machine, "measures": found}, indent=2, ensure_ascii=False) + "\n"


def as_page(measures: Sequence[Measure], machine: Mapping[str, str], rounds: int) -> str:
    """The page, in Markdown."""
    lines = [_INTRODUCTION, f"{rounds} rounds of each.", "", "| | |", "| --- | --- |"]
    lines += [f"| {label} | {value} |" for label, value in machine.items()]
    for title, rows in _parts(measures):
        lines += ["", f"## {title}", "", f"| {' | '.join(_COLUMNS)} |", "|" + " --- |" * len(_COLUMNS)]
        lines += [f"| {' | '.join(row)} |" for row in rows]
    lines += [
        "",
        "## Rates behind the ratios",
        "",
        "Messages or answers a second, medians: of this machine, on this day.",
        "",
    ]
    for each in measures:
        if each.rates:
            rates = ", ".join(f"{contender} {rate:,.0f}" for contender, rate in each.rates.items())
            under = f" ({_DATABASES[each.database]}, {each.size:,})" if each.database else ""
            lines.append(f"- {each.what}{under}: {rates}")
    return "\n".join(lines) + "\n"


def _parts(measures: Sequence[Measure]) -> list[tuple[str, list[tuple[str, ...]]]]:
    """The two tables: what the product is judged by, and what explains it."""
    judged = [each for each in measures if each.target or each.rates]
    return [
        ("What it is judged by", [_row(each) for each in judged]),
        ("Where time and memory go", [_row(each) for each in measures if each not in judged]),
    ]


def _row(each: Measure) -> tuple[str, ...]:
    return (
        each.what,
        _DATABASES[each.database],
        f"{each.size:,}" if each.size else "",
        f"{each.shown} {each.unit}",
        each.target,
        _WORDS[each.reached],
    )
