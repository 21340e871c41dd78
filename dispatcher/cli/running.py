"""``run``: the whole product with one command, its practice town included."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.panel import Panel

from dispatcher.cli.output import AsJson, console, give_up, say, show

if TYPE_CHECKING:
    from dispatcher.embedded.start import Embedded

EXAMPLE = Path("examples/corona.md")
RESIDENTS = 300
# A first announcement that is not settled after this many seconds has something wrong with it.
ONCE_SECONDS = 300.0


def add_to(app: typer.Typer) -> None:
    """Registers the verb."""
    app.command(epilog="Example: omroeper run   ·   for a test: omroeper run --once --json")(run)


def run(
    once: Annotated[
        bool, typer.Option("--once", help="End when the example is settled and proven: exit 0, or 1 with what failed.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="The website's port. Default: 8700, or the next free one.")] = None,
    residents: Annotated[int, typer.Option(help="How many residents the example town has at least.")] = RESIDENTS,
    as_json: AsJson = False,
) -> None:
    """Start everything, announce the example once, show how it goes, and stay up until Ctrl-C."""
    from dispatcher.embedded.problems import CannotStart
    from dispatcher.embedded.start import Options
    from dispatcher.embedded.start import run as run_embedded

    began = time.monotonic()
    ended = threading.Event()

    async def work(town: Embedded) -> int:
        say(f"Everything is up after {time.monotonic() - began:.1f} s.", as_json=as_json)
        try:
            return await asyncio.to_thread(_example, town, residents, once, as_json, ended)
        finally:
            ended.set()

    try:
        code = asyncio.run(run_embedded(Options(port=port), work, stay=not once))
    except CannotStart as problem:
        give_up(str(problem), code=problem.exit_code)
    say("Stopped. Everything is kept for the next run.", as_json=as_json)
    raise typer.Exit(code)


def _example(town: Embedded, residents: int, once: bool, as_json: bool, ended: threading.Event) -> int:
    """Loads the example town and its announcement where they are not there yet, and shows how it goes."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    from dispatcher.cli.installation import quiet

    quiet()
    try:
        _urls(town, as_json=as_json)
        if not settings.PRACTICE:
            return 0
        dispatches, new = _announce_example(residents)
        if not new:
            say("The example was announced before: it goes on where it was.", as_json=as_json)
        return _watch(dispatches, once=once, as_json=as_json, ended=ended)
    finally:
        connection.close()


def _announce_example(residents: int) -> tuple[list[Any], bool]:
    from django.utils.timezone import now

    from dispatcher import example_town
    from dispatcher.acts.approve import approve
    from dispatcher.acts.submit import submit
    from dispatcher.announcements import files
    from dispatcher.config.environment import ROOT

    example_town.load_town()
    example_town.populate(residents)
    source = files.read((ROOT / EXAMPLE).read_text(encoding="utf-8"), now())
    announcement, new = submit(source, by="example town", request_key="example:corona")
    if not announcement.dispatches.exists():
        approve(announcement, by="example town", grace=3)
    return list(announcement.dispatches.order_by("pk")), new


def _watch(dispatches: list[Any], *, once: bool, as_json: bool, ended: threading.Event) -> int:
    from dispatcher.cli.following import as_document, watch

    code = watch(dispatches, quiet=as_json, deadline=ONCE_SECONDS if once else None, ended=ended)
    if once:
        if as_json:
            show({"settled": code == 0, "dispatches": [as_document(dispatch) for dispatch in dispatches]})
        elif code == 0:
            console.print("\nAll settled, and every public copy says the same.", style="bold green")
            _say_what_a_person_does()
        else:
            console.print("\nNot all of it went well: see the table.", style="bold red")
    return code


def _say_what_a_person_does() -> None:
    from dispatcher.dispatching.handwork import count_open

    count = count_open()
    if count:
        tasks = "1 post waits" if count == 1 else f"{count} posts wait"
        console.print(f"{tasks} for a person: the text stands under [bold]omroeper hand list[/].")


def _urls(town: Embedded, *, as_json: bool) -> None:
    if as_json:
        return
    lines = [f"[bold]Website[/]    {town.urls['site']}/"]
    if "town" in town.urls:
        lines.insert(0, f"[bold]The town[/]   {town.urls['town']}/   (what people see, side by side)")
        lines.append(f"[bold]Console[/]    {town.urls['site']}/console/   (write, approve, follow)")
        lines.append(f"[bold]Subscribe[/]  {town.urls['site']}/subscribe/   (residents choose)")
        lines.append(f"[bold]Mailbox[/]    {town.urls['mailbox']}   (what residents receive)")
        lines.append("Practice town: an example, not from the municipality. Nothing reaches anybody.")
    lines.append("Ctrl-C stops everything; nothing is lost.")
    console.print(Panel("\n".join(lines), title="Omroeper", title_align="left", expand=False))
