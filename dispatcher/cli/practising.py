"""``practice``: the practice town, where nothing reaches anybody."""

from __future__ import annotations

import json
import os
from typing import Annotated

import httpx
import typer

from dispatcher.cli.installation import attach
from dispatcher.cli.output import AsJson, give_up, say, show

app = typer.Typer(
    help="The practice town: fill it, and let things go wrong.", no_args_is_help=True, rich_markup_mode="rich"
)


@app.command(epilog="Example: omroeper practice populate 20000")
def populate(
    residents: Annotated[int, typer.Argument(min=1, max=1_000_000, help="How many residents it should have.")],
    as_json: AsJson = False,
) -> None:
    """Give the example town so many residents; those who are there stay as they are."""
    attach()
    from django.conf import settings

    if not settings.PRACTICE:
        give_up("This is a production installation: it has real residents only.", code=2)
    from dispatcher import example_town

    example_town.load_town()
    added = example_town.populate(residents, tell=lambda sentence: say(sentence, as_json=as_json))
    say(f"The example town has at least {residents} residents now.", as_json=as_json)
    if as_json:
        show({"residents": residents, "added": added})


@app.command(epilog="Example: omroeper practice fault mail refused   ·   mend it: omroeper practice fault mail off")
def fault(
    peer: Annotated[str, typer.Argument(help="The far side: mail, timeline, push or colleagues.")],
    what: Annotated[
        str, typer.Argument(help="A fault by name (the practice town's page of faults lists them), or off.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Let a far side of the practice town misbehave, or mend it; without a fault, show what is set."""
    attach()
    address = _practice_address()
    try:
        with httpx.Client(base_url=address, timeout=10) as client:
            if not what:
                answer = client.get(f"/faults/{peer}")
            elif what == "off":
                answer = client.delete(f"/faults/{peer}")
            else:
                answer = client.put(f"/faults/{peer}", json=_wanted(what))
    except httpx.HTTPError as error:
        give_up(f"The practice town does not answer ({type(error).__name__}). Start it with 'omroeper run'.")
    if answer.status_code == httpx.codes.NOT_FOUND:
        give_up(f"There is no far side '{peer}'. There are: mail, timeline, push, colleagues.", code=2)
    if answer.is_client_error:
        give_up(answer.text[:500], code=2)
    state = answer.json() if answer.content else {}
    if as_json:
        show(state)
    elif state.get("faults"):
        for each in state["faults"]:
            say(", ".join(f"{name} {value}" for name, value in each.items() if value not in (None, "", "*")))
    else:
        say("No faults: the far side behaves.")


def _practice_address() -> str:
    from dispatcher.config.environment import data_folder
    from dispatcher.embedded import state

    given = os.environ.get("OMROEPER_PRACTICE_WEB")
    running = state.running(data_folder())
    if given:
        return f"http://{given}"
    if running is None or "town" not in running.urls:
        give_up("The practice town is not running. Start it with 'omroeper run'.")
    return running.urls["town"]


def _wanted(what: str) -> dict[str, object]:
    """A fault by its name, or as a JSON object for whoever wants its every field."""
    if not what.startswith("{"):
        return {"preset": what}
    try:
        value: dict[str, object] = json.loads(what)
    except ValueError as error:
        give_up(f"The fault is not JSON: {error}. By name it is shorter: omroeper practice fault mail refused", code=2)
    return value
