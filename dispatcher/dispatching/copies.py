"""The copies of a dispatch: composed before it is planned, stored with the plan, read by every send."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path

import structlog
from jinja2 import TemplateSyntaxError

from channels.contract import Act, Bulletin, Copy
from channels.kit.templates import FOLDER
from dispatcher.dispatching import bulletin, stages
from dispatcher.dispatching.models import Batch, ComposedCopy, Dispatch, Outlet
from dispatcher.dispatching.outlets import build

log = structlog.get_logger("omroeper.plan")

_TEMPLATE_ENDINGS = (".html", ".txt", ".xml", ".css", ".json")

ACTS = {
    Act.ANNOUNCE: (Act.ANNOUNCE,),
    # Who was still to hear the old text hears the new one as a first announcement.
    Act.UPDATE: (Act.UPDATE, Act.ANNOUNCE),
    Act.WITHDRAW: (Act.WITHDRAW,),
}


@dataclass(frozen=True, slots=True)
class Composed:
    """One copy, ready to be stored with the plan."""

    outlet: Outlet
    language: str
    act: str
    early: bool
    copy: Copy


def compose(dispatch: Dispatch) -> tuple[list[Composed], dict[Outlet, str]]:
    """Every copy that this dispatch may need, and why for each outlet that could make none.

    One outlet's broken template or settings keep nothing from the others. A correction may have to reach holders on an
    outlet that is switched off by now, or carries fewer languages than it did: it has copies for all.
    """
    sources = _sources(dispatch)
    outlets = Outlet.objects.filter(enabled=True) if dispatch.act == Act.ANNOUNCE else Outlet.objects.all()
    composed: list[Composed] = []
    failed: dict[Outlet, str] = {}
    for outlet in outlets:
        try:
            composed += _compose(dispatch, outlet, sources)
        except Exception as error:
            log.exception("compose.failed", outlet=outlet.name, dispatch=dispatch.key)
            failed[outlet] = cause(error)
    return composed, failed


def compose_for(dispatch: Dispatch, outlet: Outlet) -> list[Composed]:
    """Every copy that this dispatch may need on ``outlet``. Raises whatever keeps one from being made."""
    return _compose(dispatch, outlet, _sources(dispatch))


def cause(error: Exception) -> str:
    """Why a copy could not be made, for people: at most 200 characters, the template and its line before the rest."""
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, TemplateSyntaxError) and error.filename:
        return f"{_template(error.filename)}, line {error.lineno}: {said}"[:200]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename.endswith(_TEMPLATE_ENDINGS) or frame.filename.startswith(str(FOLDER)):
            return f"{_template(frame.filename)}, line {frame.lineno}: {said}"[:200]
    return said[:200]


def _template(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(FOLDER)) if path.is_relative_to(FOLDER) else "/".join(path.parts[-2:])


def _sources(dispatch: Dispatch) -> dict[bool, Bulletin]:
    staged = any(stage.early for stage in stages.read(dispatch.stages))
    return {early: bulletin.of_dispatch(dispatch, early=early) for early in ({False, True} if staged else {False})}


def _compose(dispatch: Dispatch, outlet: Outlet, sources: dict[bool, Bulletin]) -> list[Composed]:
    channel = build(outlet)
    return [
        Composed(outlet, language, act, early, channel.compose(source, language, act, channel.limits))
        for early, source in sources.items()
        for language in source.texts
        if dispatch.act != Act.ANNOUNCE or not outlet.languages or language in outlet.languages
        for act in ACTS[Act(dispatch.act)]
    ]


def write(dispatch: Dispatch, composed: list[Composed], batches: list[Batch]) -> None:
    """Stores what the batches need, and what their follow-ups may need. Inside the planning transaction."""
    needed = {(batch.outlet_id, batch.act, batch.early) for batch in batches}
    needed |= {(outlet, Act.ANNOUNCE.value, early) for outlet, act, early in needed if act == Act.UPDATE}
    ComposedCopy.objects.bulk_create(
        [
            ComposedCopy(
                dispatch=dispatch,
                outlet=each.outlet,
                language=each.language,
                act=each.act,
                early=each.early,
                content=each.copy.to_json(),
            )
            for each in composed
            if (each.outlet.pk, each.act, each.early) in needed
        ]
    )
