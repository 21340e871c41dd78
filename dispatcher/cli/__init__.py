"""The command line: a verb for each hop, and for looking."""

from __future__ import annotations

import sys

import typer

from dispatcher.cli import (
    announcing,
    checking,
    employees,
    following,
    handwork,
    outlets,
    practising,
    queueing,
    running,
    setting_up,
    subscribers,
)
from dispatcher.cli.output import EPILOG, fail_clearly

app = typer.Typer(
    name="omroeper",
    help="Announce once, everyone hears the same.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
running.add_to(app)
setting_up.add_to(app)
announcing.add_to(app)
following.add_to(app)
app.add_typer(handwork.app, name="hand")
app.add_typer(queueing.app, name="queue")
app.add_typer(outlets.app, name="outlets")
app.add_typer(subscribers.app, name="subscribers")
app.add_typer(employees.app, name="staff")
app.add_typer(practising.app, name="practice")
checking.add_to(app)


def main() -> None:
    """The entry point ``omroeper``. Exit codes: 0 done, 1 something failed and it was said what, 2 bad input."""
    with fail_clearly():
        app(prog_name="omroeper")
    sys.exit(0)
