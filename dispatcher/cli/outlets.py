"""``outlets``: where announcements go out."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from dispatcher.cli.installation import attach
from dispatcher.cli.output import AsJson, say, show, table

app = typer.Typer(help="Look at outlets and check them.", no_args_is_help=True, rich_markup_mode="rich")


@app.command("list", epilog="Example: omroeper outlets list")
def list_outlets(as_json: AsJson = False) -> None:
    """Show every outlet: channel, languages, state, rate. Never its secrets."""
    attach()
    from dispatcher.dispatching.models import Outlet

    rows = [
        {
            "name": outlet.name,
            "label": outlet.label,
            "channel": outlet.channel,
            "languages": outlet.languages or "all",
            "enabled": outlet.enabled,
            "state": "paused" if outlet.paused_at else outlet.circuit,
            "rate": outlet.rate,
        }
        for outlet in Outlet.objects.all()
    ]
    if as_json:
        show(rows)
        return
    table(
        "Outlets",
        ["name", "label", "channel", "languages", "enabled", "state", "#per second"],
        [[*list(row.values())[:-1], row["rate"] or "no limit"] for row in rows],
        empty="There are no outlets yet. 'omroeper run' makes those of the practice town.",
    )


@app.command(epilog="Example: omroeper outlets push-key")
def push_key(as_json: AsJson = False) -> None:
    """Make a key pair for a push outlet, once: every subscription is bound to it. Nothing is stored."""
    from channels.kit.vapid import new_key, public_key

    private = new_key()
    if as_json:
        show({"vapid_key": private, "public_key": public_key(private)})
        return
    typer.echo(f"vapid_key   {private}\npublic key  {public_key(private)}")  # whole lines: they are there to be copied
    say("Put vapid_key in the outlet's settings and keep it secret. With another key everyone has to subscribe anew.")


@app.command(epilog="Example: omroeper outlets check email")
def check(
    name: Annotated[str | None, typer.Argument(help="One outlet; without, all.")] = None, as_json: AsJson = False
) -> None:
    """Ask each outlet whether it can work: credentials, limits, address. Sends nothing to anyone."""
    attach()
    from dispatcher.acts.check import check_outlets

    findings = asyncio.run(check_outlets(name))
    if as_json:
        show(findings)
    else:
        table(
            "Check of outlets",
            ["outlet", "level", "what", "remedy"],
            [[f["outlet"], f["level"], f["what"], f["remedy"]] for f in findings],
            empty="There is no such outlet." if name else "There are no outlets yet.",
        )
    if name and not findings:
        raise typer.Exit(2)
    raise typer.Exit(1 if any(f["level"] == "fault" for f in findings) else 0)
