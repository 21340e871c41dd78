"""``subscribers``: bring them in from a list, take them out as a list."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.cli.announcing import actor
from dispatcher.cli.installation import attach, known_failures
from dispatcher.cli.output import AsJson, errors, give_up, say, show

app = typer.Typer(help="Import and export subscribers.", no_args_is_help=True, rich_markup_mode="rich")
SHOWN_FAULTS = 50


@app.command("import", epilog='Example: omroeper subscribers import list.csv --consent-source "Form at the desk, May"')
def import_(
    file: Annotated[Path, typer.Argument(help="CSV: address, channel, group, language, district, topics (a;b).")],
    consent_source: Annotated[str, typer.Option(help="Where it can be found that these people asked for it.")],
    as_json: AsJson = False,
) -> None:
    """Add the subscribers of a CSV file: all of them, or none and every row that is not right."""
    attach()
    from dispatcher.acts.transfer import import_subscribers
    from dispatcher.audience.csvfile import FileTooLarge
    from dispatcher.audience.transfer import ConsentMissing, ImportRefused

    try:
        with file.open("rb") as source, known_failures():
            done = import_subscribers(source, consent_source=consent_source, by=actor())
    except OSError as error:
        give_up(f"{file} cannot be read: {error.strerror}.", code=2)
    except (ConsentMissing, FileTooLarge) as wrong:
        give_up(str(wrong), code=2)
    except ImportRefused as refused:
        if as_json:
            show({"errors": [vars_of(fault) for fault in refused.faults]})
        for fault in refused.faults[:SHOWN_FAULTS]:
            errors.print(str(fault), style="red", markup=False, soft_wrap=True)
        if len(refused.faults) > SHOWN_FAULTS:
            errors.print(f"… and {len(refused.faults) - SHOWN_FAULTS} more; --json shows all of them.")
        give_up(str(refused), code=2)
    if as_json:
        show(vars(done))
    say(f"{done.added} added; {done.known} were there already; {done.left} had left and stay so.", as_json=as_json)


@app.command(epilog="Example: omroeper subscribers export subscribers.csv")
def export(
    file: Annotated[Path, typer.Argument(help="Where to write; '-' is standard output.")],
    as_json: AsJson = False,
) -> None:
    """Write every subscriber with choices as CSV, safe to open in a spreadsheet."""
    attach()
    from dispatcher.acts.transfer import export_subscribers

    if str(file) == "-":
        with known_failures():
            export_subscribers(sys.stdout, by=actor())
        return
    try:
        with file.open("w", encoding="utf-8", newline="") as out, known_failures():
            number = export_subscribers(out, by=actor())
    except OSError as error:
        give_up(f"{file} cannot be written: {error.strerror}.", code=2)
    say(f"{number} subscribers written to {file}. Keep it safe: these are people's addresses.", as_json=as_json)
    if as_json:
        show({"file": str(file), "subscribers": number})


def vars_of(fault: object) -> dict[str, object]:
    """The fields of a fault, as JSON types."""
    names = getattr(fault, "__slots__", None) or vars(fault)
    return {name: getattr(fault, name) for name in names}
