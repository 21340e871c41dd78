"""``queue``: what waits, what runs, what is due later and why; pause, resume, try again, settle doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from dispatcher.cli.installation import attach, known_failures
from dispatcher.cli.output import AsJson, console, give_up, say, show, table

if TYPE_CHECKING:
    from dispatcher.dispatching.models import Outlet

app = typer.Typer(help="Look at the queue and act on it.", no_args_is_help=True, rich_markup_mode="rich")
Name = Annotated[str, typer.Argument(metavar="OUTLET", help="The outlet's name; 'omroeper outlets list' shows them.")]


@app.command("list", epilog="Example: omroeper queue list --json")
def list_queue(as_json: AsJson = False) -> None:
    """Show each lane and outlet: waiting, running, later, failed, not sure, and why."""
    attach()
    from dispatcher.dispatching.desk import desk, document

    with known_failures():
        state = document(desk())
    if as_json:
        show(state)
        return
    table(
        "Lanes",
        ["lane", "#messages in Redis", "#batches due", "oldest since"],
        [
            [lane["lane"], "?" if lane["messages"] is None else lane["messages"], lane["due"], lane["oldest"] or ""]
            for lane in state["lanes"]
        ],
        empty="No lanes.",
    )
    table(
        "Outlets",
        ["outlet", "state", "#waiting", "#in hand", "#later", "#failed", "#not sure", "why"],
        [
            [o["name"], o["state"], o["waiting"], o["in_hand"], o["later"], o["failed"], o["unknown"], o["why"]]
            for o in state["outlets"]
        ],
        empty="There are no outlets yet.",
    )
    if not state["redis"]:
        console.print("Redis does not answer: sending goes on by itself when it is back.", style="yellow")
    if state["last_sweep"]:
        console.print(f"Last sweep {state['last_sweep']} by {state['swept_by']}.", style="dim")


@app.command(epilog='Example: omroeper queue pause email --reason "The relay is being replaced"')
def pause(name: Name, reason: Annotated[str, typer.Option()] = "", as_json: AsJson = False) -> None:
    """Hand over nothing new on this outlet; what is in hand is finished."""
    from dispatcher.cli.announcing import actor

    outlet = _find(name)
    from dispatcher.acts.outlets import pause as hold

    with known_failures():
        hold(outlet, by=actor(), reason=reason)
    _done(outlet, f"{outlet.label} is paused. Nothing is lost.", as_json=as_json)


@app.command(epilog="Example: omroeper queue resume email")
def resume(name: Name, as_json: AsJson = False) -> None:
    """Go on: the pause ends, the circuit closes, what is due goes out."""
    from dispatcher.cli.announcing import actor

    outlet = _find(name)
    from dispatcher.acts.outlets import resume as go_on

    with known_failures():
        go_on(outlet, by=actor())
    _done(outlet, f"{outlet.label} goes on.", as_json=as_json)


@app.command("try-again", epilog="Example: omroeper queue try-again email --reason mailbox-full")
def try_again(
    name: Name,
    reason: Annotated[str | None, typer.Option(help="Send again what was refused for this reason, too.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make what waits for a later attempt due now."""
    from dispatcher.cli.announcing import actor

    outlet = _find(name)
    from dispatcher.acts.outlets import try_again as again

    try:
        with known_failures():
            count = again(outlet, by=actor(), reason=reason)
    except ValueError as wrong:
        give_up(f"--reason: {wrong}.", code=2)
    _done(outlet, f"{count} deliveries of {outlet.label} are due now.", as_json=as_json, deliveries=count)


@app.command(epilog="Example: omroeper queue settle email --how resend")
def settle(
    name: Name,
    how: Annotated[str, typer.Option(help="accepted: they have it. resend: send once more. give-up: leave it.")],
    as_json: AsJson = False,
) -> None:
    """Settle what may have arrived and may not, after you looked."""
    from dispatcher.cli.announcing import actor

    outlet = _find(name)
    from dispatcher.acts.outlets import settle_unknown

    try:
        with known_failures():
            count = settle_unknown(outlet, by=actor(), how=how)
    except ValueError as wrong:
        give_up(f"--how {wrong}", code=2)
    _done(outlet, f"{count} deliveries of {outlet.label} settled: {how}.", as_json=as_json, deliveries=count)


def _find(name: str) -> Outlet:
    attach()
    from dispatcher.dispatching.models import Outlet

    outlet = Outlet.objects.filter(name=name).first()
    if outlet is None:
        known = ", ".join(Outlet.objects.values_list("name", flat=True))
        give_up(f"There is no outlet '{name}'. There are: {known or 'none yet'}.", code=2)
    return outlet


def _done(outlet: Outlet, sentence: str, *, as_json: bool, **more: object) -> None:
    say(sentence, as_json=as_json)
    if as_json:
        show({"outlet": outlet.name, "said": sentence, **more})
