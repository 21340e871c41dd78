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
    added = example_town.populate(residents)
    say(f"The example town has at least {residents} residents now.", as_json=as_json)
    if as_json:
        show({"residents": residents, "added": added})


@app.command(
    epilog="Example: omroeper practice fault mail '{\"refuse\": true}'   ·   mend it: omroeper practice fault mail off"
)
def fault(
    peer: Annotated[str, typer.Argument(help="The far side: mail.")],
    faults: Annotated[str, typer.Argument(help="'off', or a JSON object; the mailbox page lists what there is.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let a far side of the practice town misbehave, or mend it; without a fault, show what is set."""
    attach()
    address = _practice_address()
    try:
        with httpx.Client(base_url=address, timeout=10) as client:
            if not faults:
                answer = client.get(f"/faults/{peer}")
            elif faults == "off":
                answer = client.delete(f"/faults/{peer}")
            else:
                answer = client.put(f"/faults/{peer}", json=_object(faults))
    except httpx.HTTPError as error:
        give_up(f"The practice town does not answer ({type(error).__name__}). Start it with 'omroeper run'.")
    if answer.status_code == httpx.codes.NOT_FOUND:
        give_up(f"There is no far side '{peer}'. There is: mail.", code=2)
    if answer.is_client_error:
        give_up(answer.text[:500], code=2)
    if as_json:
        show(answer.json() if answer.content else {})
    else:
        say(answer.text.strip() or "No faults are set.")


def _practice_address() -> str:
    from dispatcher.config.environment import data_folder
    from dispatcher.embedded import state

    given = os.environ.get("OMROEPER_PRACTICE_WEB")
    running = state.running(data_folder())
    if given:
        return f"http://{given}"
    if running is None or "mailbox" not in running.urls:
        give_up("The practice town is not running. Start it with 'omroeper run'.")
    return running.urls["mailbox"]


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError as error:
        give_up(f"The fault is not JSON: {error}. Example: '{{\"refuse\": true}}'", code=2)
    if not isinstance(value, dict):
        give_up("The fault must be a JSON object. Example: '{\"refuse\": true}'", code=2)
    return value
