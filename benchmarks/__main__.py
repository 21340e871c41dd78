"""``python -m benchmarks``: see ``--help``."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import debian, email, machine, memory, page, postfix, push, report, urgent
from benchmarks.measure import Measure

ROUNDS = 5
SIZES = (20_000, 100_000)


class Name(StrEnum):
    EMAIL = "email"
    MEMORY = "memory"
    URGENT = "urgent"
    PAGE = "page"
    PUSH = "push"


class Database(StrEnum):
    SQLITE = "sqlite"
    POSTGRES = "postgres"


def main(
    names: Annotated[list[Name] | None, typer.Argument(help="Which benchmarks. Default: all.", metavar="NAME")] = None,
    size: Annotated[list[int] | None, typer.Option(min=100, help="How many residents; may be repeated.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="How often each contender has its turn.")] = None,
    database: Annotated[list[Database] | None, typer.Option(help="On which databases; may be repeated.")] = None,
    json: Annotated[Path | None, typer.Option(help="Write what was found to this file, too.")] = None,
) -> None:
    """Measure how fast Omroeper is, against tools that anyone can install. A full run writes benchmarks/results.md."""
    console = Console()
    about = machine.describe()
    measures: list[Measure] = []
    wanted = names or list(Name)
    try:
        if set(wanted) - {Name.PAGE, Name.PUSH}:
            postfix.tools()
        for each in database or list(Database):
            for name in wanted:
                measures += _on(each.value, name, size, rounds or ROUNDS)
    except debian.Unavailable as missing:
        console.print(str(missing), style="bold red")
        raise typer.Exit(1) from None
    if Name.PAGE in wanted:
        measures += _pages(rounds or ROUNDS, console)
    report.show(measures, console)
    if json is not None:
        json.write_text(report.as_json(measures, about))
    if names or size or rounds or database:
        console.print("A part was measured, so benchmarks/results.md stays as it is.")
    else:
        report.PAGE.write_text(report.as_page(measures, about, ROUNDS))
        console.print("Written to benchmarks/results.md.")


def _on(database: str, name: Name, size: list[int] | None, rounds: int) -> list[Measure]:
    """A benchmark on one database; nothing for one that has none."""
    sizes = size or SIZES
    measures: list[Measure] = []
    match name:
        case Name.EMAIL:
            for number, residents in enumerate(sizes):
                measures += _apart(email.run, database, residents, rounds, number == 0)
        case Name.PUSH:
            for residents in size or SIZES[:1]:
                measures += _apart(push.run, database, residents, rounds)
        case Name.MEMORY:
            measures += _apart(memory.run, database, max(sizes))
        case Name.URGENT:
            measures += _apart(urgent.run, database, max(sizes), rounds)
        case Name.PAGE:  # from memory: see _pages
            pass
    return measures


def _pages(rounds: int, console: Console) -> list[Measure]:
    """The page benchmark; nothing of it, and why, on a machine without its tools."""
    try:
        page.tools()
    except debian.Unavailable as missing:
        console.print(f"Not run here: pages against nginx. {missing}", style="bold")
        return []
    return _apart(page.run, rounds)


def _apart(measure: Callable[..., list[Measure]], *arguments: object) -> list[Measure]:
    """Measures in a process of its own, since Django is set up for one installation in a process's life."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(measure, *arguments).result()


if __name__ == "__main__":
    typer.run(main)
