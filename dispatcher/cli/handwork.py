"""``hand``: what a person has to post, and ticking it off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from dispatcher.cli.installation import attach, known_failures
from dispatcher.cli.output import AsJson, console, give_up, say, show

if TYPE_CHECKING:
    from dispatcher.dispatching.handwork import HandTask

app = typer.Typer(help="Post by hand, and tick it off.", no_args_is_help=True, rich_markup_mode="rich")
Number = Annotated[int, typer.Argument(metavar="TASK", help="Its number; 'omroeper hand list' shows them.")]
TO_DO = {
    "announce": "Post this",
    "update": "Change the post",
    "withdraw": "Remove the post, or put this in its place",
}


@app.command("list", epilog="Example: omroeper hand list --json")
def list_tasks(as_json: AsJson = False) -> None:
    """Show each open task: where, what to do, and the text to copy."""
    attach()
    from dispatcher.dispatching.handwork import open_tasks

    with known_failures():
        tasks = open_tasks()
    if as_json:
        show([asdict(task) for task in tasks])
        return
    if not tasks:
        console.print("Nothing waits for a person.")
    for task in tasks:
        _print(task)


@app.command(epilog="Example: omroeper hand done 12 --url https://www.facebook.com/gemeentelosser/posts/1")
def done(
    number: Number,
    url: Annotated[str, typer.Option(help="The public address of the post. Without: posted, no address.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tick a task off: it was posted, changed or removed."""
    attach()
    from dispatcher.acts.post_by_hand import done as tick_off
    from dispatcher.cli.announcing import actor

    with _clear_errors():
        delivery = tick_off(number, by=actor(), url=url)
    said = f"Task {number} is done" + (f": {delivery.url}" if delivery.url else ", without an address to read it back.")
    say(said, as_json=as_json)
    if as_json:
        show({"task": number, "state": delivery.state, "url": delivery.url})


@app.command(epilog="Example: omroeper hand undo 12")
def undo(number: Number, as_json: AsJson = False) -> None:
    """Open a task again: it was not posted after all."""
    attach()
    from dispatcher.acts.post_by_hand import undo as open_again
    from dispatcher.cli.announcing import actor

    with _clear_errors():
        delivery = open_again(number, by=actor())
    say(f"Task {number} is open again.", as_json=as_json)
    if as_json:
        show({"task": number, "state": delivery.state, "url": delivery.url})


@contextmanager
def _clear_errors() -> Iterator[None]:
    from dispatcher.acts.post_by_hand import AddressInvalid, NoSuchTask, NotYet, Overtaken

    try:
        with known_failures():
            yield
    except AddressInvalid as wrong:
        give_up(f"--url: {wrong}.", code=2)
    except NoSuchTask as wrong:
        give_up(str(wrong), code=2)
    except (NotYet, Overtaken) as late:
        give_up(str(late))


def _print(task: HandTask) -> None:
    console.print(f"\n[bold]{task.id}[/]  {TO_DO[task.act]} on {task.network}, {task.account} ({task.language})")
    for name, value in (("Page", task.page_url), ("The post", task.previous), ("Picture", task.picture)):
        if value:
            console.print(f"    {name}: {value}", highlight=False, soft_wrap=True, markup=False)
    if task.alt:
        console.print(f"    Its description: {task.alt}", highlight=False, soft_wrap=True, markup=False)
    console.print(f"\n{task.text}\n", highlight=False, soft_wrap=True, markup=False)
