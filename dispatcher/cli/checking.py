"""``check``: what a deployment needs, in one table with remedies."""

from __future__ import annotations

import asyncio

import typer

from dispatcher.cli.installation import attach, known_failures
from dispatcher.cli.output import AsJson, show, table


def add_to(app: typer.Typer) -> None:
    """Registers the verb."""
    app.command(epilog="Example: omroeper check")(check)


def check(as_json: AsJson = False) -> None:
    """Say what is still missing, and check database, Redis, disk, secrets, the sweep, and every outlet."""
    attach()
    from dispatcher.acts.check import check_installation, check_outlets
    from dispatcher.acts.missing import missing

    with known_failures():
        still = [{"outlet": "setup", "level": str(f.level), "what": f.what, "remedy": f.remedy} for f in missing()]
        findings = [*still, *check_installation(), *asyncio.run(check_outlets())]
    if as_json:
        show(findings)
    else:
        table(
            "Check",
            ["of", "level", "what", "remedy"],
            [[f["outlet"], f["level"], f["what"], f["remedy"]] for f in findings],
            empty="",
        )
    raise typer.Exit(1 if any(f["level"] == "fault" for f in findings) else 0)
