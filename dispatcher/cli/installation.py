"""Attaching a command to the installation in the data folder, running or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import django

from dispatcher.cli.output import give_up
from dispatcher.config import installation
from dispatcher.config.environment import data_folder
from dispatcher.config.installation import data_set

if TYPE_CHECKING:
    from dispatcher.embedded.state import State


def attach() -> None:
    """Sets up Django on the installation of the data folder.

    A command in a second terminal finds the running installation's addresses in what its supervisor says of itself.
    """
    from dispatcher.embedded import doorbell, layout, state
    from dispatcher.embedded.problems import CannotStart

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dispatcher.config.settings")
    data = data_folder()
    elsewhere = os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE")
    if not elsewhere and not (data_set(data) / "omroeper.sqlite3").exists():
        give_up(
            f"There is no installation in {data} yet. Start one with 'omroeper run', or name its folder with "
            "OMROEPER_DATA.",
            code=2,
        )
    try:
        places = layout.prepare(data)
    except CannotStart as problem:
        give_up(str(problem), code=problem.exit_code)
    if not os.environ.get("REDIS_URL") and not os.environ.get("REDIS_URL_FILE"):
        os.environ["REDIS_URL"] = doorbell.url(places)
    running = state.running(data)
    if running is not None:
        os.environ.setdefault("OMROEPER_BASE_URL", running.urls.get("site", ""))
        _reach_practice(running, installation.given(data).get("OMROEPER_EGRESS", ""))
    django.setup()
    quiet()


def _reach_practice(running: State, egress: str) -> None:
    """Lets this process reach what the running installation may reach: the practice town, if it has one."""
    from dispatcher.embedded import far_sides

    if "town" in running.ports:
        egress = os.environ.pop("OMROEPER_EGRESS", egress)
        for name, value in far_sides.environment(running.ports, running.urls["site"], egress).items():
            os.environ.setdefault(name, value)


def quiet() -> None:
    """Keeps the log of the acts off the terminal: the command says itself what it did."""
    import logging

    import structlog

    logging.disable(logging.WARNING)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


@contextmanager
def known_failures() -> Iterator[None]:
    """Turns what acts and the database may say into a sentence and an exit code."""
    from django.db import DatabaseError

    from dispatcher.acts.correct import LanguageMissing, NothingChanged, NotOutYet
    from dispatcher.acts.stop import TooLate
    from dispatcher.announcements.lifecycle import IllegalMove
    from dispatcher.announcements.revisions import KeyReused

    try:
        yield
    except (IllegalMove, TooLate, NothingChanged, NotOutYet) as refused:
        give_up(str(refused))
    except (LanguageMissing, KeyReused) as wrong:
        give_up(str(wrong), code=2)
    except DatabaseError as error:
        text = str(error).splitlines()[0][:200]
        if "full" in text or "No space" in text:
            give_up("Not saved: storage is full. Free some space, then do it again. Nothing is lost.")
        if "locked" in text:
            give_up("Not saved: the database is busy. Do it again in some seconds. Nothing is lost.")
        give_up(f"The database does not do it: {text}. Look with 'omroeper check'.")
