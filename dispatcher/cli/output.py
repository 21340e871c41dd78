"""How the command line speaks: tables for people, one JSON document for programs, a sentence for what went wrong."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

EPILOG = "Exit codes: 0 done, 1 something failed and it was said what, 2 bad input."

console = Console()
errors = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def say(text: str, *, as_json: bool = False) -> None:
    """A sentence for people; nothing where a program reads."""
    if not as_json:
        console.print(text)


def show(document: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2, default=_plain) + "\n")


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """A table; ``empty`` is said where there are no rows. Columns that begin with ``#`` hold numbers."""
    if not rows:
        console.print(empty)
        return
    drawn = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        drawn.add_column(column.lstrip("#"), justify="right" if column.startswith("#") else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    console.print(drawn)


def give_up(sentence: str, *, code: int = 1) -> NoReturn:
    """Says what is wrong and what to do, on standard error, and ends with ``code``."""
    errors.print(sentence, style="red", highlight=False, markup=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def fail_clearly() -> Iterator[None]:
    """Known failures end as a sentence with a remedy; a traceback is left for our own mistakes."""
    try:
        yield
    except OSError as error:
        errors.print(f"{error.strerror or error}: {error.filename or ''}", style="red", markup=False)
        sys.exit(1)
