"""``setup``: what a municipality has to say once, and can say again: asked step by step, or read from a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import SecretStr, ValidationError

from dispatcher.cli import setup_questions as questions
from dispatcher.cli.announcing import actor
from dispatcher.cli.installation import known_failures, quiet
from dispatcher.cli.output import AsJson, errors, give_up, say, show, table
from dispatcher.config import installation
from dispatcher.config.answers import Answers
from dispatcher.config.environment import data_folder, from_outside
from dispatcher.config.installation import Installation
from dispatcher.embedded import database, doorbell, layout, state
from dispatcher.embedded.layout import Layout
from dispatcher.embedded.problems import CannotStart

PASSWORD = "OMROEPER_ADMINISTRATOR_PASSWORD"  # noqa: S105 - the name of a variable


def add_to(app: typer.Typer) -> None:
    """Registers the verb."""
    app.command(epilog="Example: omroeper setup   ·   unattended: omroeper setup --answers answers.json")(setup)


def setup(
    answers: Annotated[
        Path | None, typer.Option(help="A JSON file that answers everything; docs/operations.md shows one.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Ask every outlet afterwards whether it can work.")] = False,
    as_json: AsJson = False,
) -> None:
    """Set up the municipality: names, address, languages, topics, districts, outlets, first administrator.

    Can be run again. Going from practice to production begins an empty data set; the practice town stays where it is.
    """
    data = data_folder()
    said = installation.read(data)
    given = _read(answers) if answers else None
    first = given or questions.about_the_installation(said)
    try:
        target = first.installation(said)
    except ValidationError as wrong:
        _refuse({str(each["loc"][0]): each["msg"].removeprefix("Value error, ") for each in wrong.errors()})
    _open(data, target)
    with known_failures():
        whole = given or questions.about_the_municipality(first)
        _store(whole, data, target)
        if not as_json:
            _tell(target, data)
        code = _tell_missing(target, check=check or (given is None and questions.check_now()), as_json=as_json)
    raise typer.Exit(code)


def _read(file: Path) -> Answers:
    """The answers in a file. Only their shape is looked at here; the password may come from the environment."""
    try:
        found = Answers.model_validate_json(file.read_bytes())
    except OSError as error:
        give_up(f"{file} cannot be read: {error.strerror}.", code=2)
    except ValidationError as wrong:
        _refuse({".".join(map(str, each["loc"])) or "file": each["msg"] for each in wrong.errors()})
    password = os.environ.get(PASSWORD)
    if found.administrator and password:
        administrator = found.administrator.model_copy(update={"password": SecretStr(password)})
        found = found.model_copy(update={"administrator": administrator})
    return found


def _open(data: Path, target: Installation) -> None:
    """Sets up Django on the data set that is meant, its tables made or brought up to date. The file is not written."""
    if from_outside("OMROEPER_PRACTICE") and (os.environ["OMROEPER_PRACTICE"] == "1") != target.practice:
        give_up("OMROEPER_PRACTICE in the environment says otherwise: take it away, or answer as it says.", code=2)
    os.environ["DJANGO_SETTINGS_MODULE"] = "dispatcher.config.settings"
    os.environ["OMROEPER_DATA"] = str(data)
    for name, value in target.variables().items():
        if not from_outside(name):
            os.environ[name] = value
    try:
        places = layout.prepare(data)
        if not from_outside("REDIS_URL"):
            os.environ["REDIS_URL"] = doorbell.url(places)
        asyncio.run(_migrate(places))
    except CannotStart as problem:
        give_up(str(problem), code=problem.exit_code)
    import django

    django.setup()
    quiet()


async def _migrate(places: Layout) -> None:
    await database.migrate(places, dict(os.environ))


def _store(answers: Answers, data: Path, target: Installation) -> None:
    from dispatcher.acts.set_up import set_up
    from dispatcher.acts.town import SettingRefused

    try:
        set_up(answers, data=data, target=target, by=actor())
    except SettingRefused as refused:
        _refuse(refused.problems)


def _refuse(problems: Mapping[str, str]) -> NoReturn:
    for field, problem in problems.items():
        errors.print(f"{field}: {problem}", style="red", markup=False, highlight=False, soft_wrap=True)
    give_up(f"{len(problems)} to mend. Nothing was stored.", code=2)


def _tell(target: Installation, data: Path) -> None:
    say("Stored.")
    running = state.running(data)
    if running is not None:
        say("Omroeper runs on the old settings: stop it (Ctrl-C in its window) and start it again with 'omroeper run'.")
    elif not target.practice:
        say(f"Start it with 'omroeper run', behind a proxy that serves {target.base_url}.")
    else:
        say("Start it with 'omroeper run'.")


def _tell_missing(target: Installation, *, check: bool, as_json: bool) -> int:
    """Says what is still missing; the exit code that follows from it."""
    from dispatcher.acts.check import check_outlets
    from dispatcher.acts.missing import missing

    rows = [{"outlet": "setup", "level": str(f.level), "what": f.what, "remedy": f.remedy} for f in missing()]
    if check:
        rows += asyncio.run(check_outlets())
    if as_json:
        show({"practice": target.practice, "base_url": target.base_url, "missing": rows})
    else:
        table(
            "Still missing",
            ["of", "level", "what", "remedy"],
            [[row["outlet"], row["level"], row["what"], row["remedy"]] for row in rows],
            empty="Nothing is missing: announcements can go out.",
        )
    return 1 if any(row["level"] == "fault" for row in rows) else 0
