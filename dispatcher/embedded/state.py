"""What a running installation says of itself, in ``<data>/run/supervisor.json``: for ``omroeper check`` and for tests.

The file is replaced whole, so a reader never sees half of one. A clean stop removes it; one that is found without a
running supervisor tells the next start what a killed run may have left behind (``leftovers``).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ValidationError

from .layout import is_claimed


class ChildState(BaseModel):
    """One child: ``status`` is starting, ready, waiting (to be restarted), stopped. Times are ISO 8601, UTC."""

    name: str
    status: str
    pid: int | None = None
    restarts: int = 0
    since: str
    last_exit: int | None = None  # as Python says it: negative is the number of a signal


class State(BaseModel):
    """The supervisor and its children. ``token`` stands in the environment of everything it started."""

    pid: int
    token: str
    started_at: str
    urls: dict[str, str]
    ports: dict[str, int]
    children: list[ChildState]


def write(file: Path, state: State) -> None:
    """Replaces the state file. The draft has a fixed name: one supervisor at a time holds the data folder."""
    draft = file.with_suffix(".draft")
    draft.write_text(state.model_dump_json(indent=2) + "\n")
    draft.replace(file)


def read(file: Path) -> State | None:
    """What the file says, true or not any more; ``None`` where there is none or it is not ours."""
    try:
        return State.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def running(data: Path) -> State | None:
    """The state of the installation that runs on this data folder now, ``None`` where none does."""
    return read(data / "run" / "supervisor.json") if is_claimed(data) else None
