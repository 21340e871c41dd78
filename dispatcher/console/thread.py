"""The thread of a dispatch: what happened, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dispatcher.acts.models import AuditEntry
from dispatcher.console import reading
from dispatcher.console.standing import Phase, Standing
from dispatcher.dispatching.models import Dispatch

# Acts on the announcement that belong to one dispatch, and acts on outlets that hold a dispatch up.
OF_DISPATCH = ("approve", "correct", "withdraw", "stop")
OF_OUTLET = ("pause", "resume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``kind`` is what happened (the template has its words), ``by`` who did it, ``outlet`` where, ``what`` to what."""

    at: datetime
    kind: str
    by: str = ""
    outlet: str = ""
    what: str = ""


def thread(stands: Standing) -> list[Event]:
    """What happened to the dispatch until now."""
    found = [*_acts(stands.dispatch, [line.outlet.name for line in stands.lines]), *_milestones(stands)]
    return sorted(found, key=lambda event: event.at, reverse=True)


def _acts(dispatch: Dispatch, outlets: list[str]) -> list[Event]:
    assert dispatch.announcement is not None
    subject = f"announcement {dispatch.announcement.public_id}"
    events = [
        Event(at=entry.at, kind=entry.act, by=entry.actor)
        for entry in AuditEntry.objects.filter(subject=subject, act__in=("submit", *OF_DISPATCH))
        if entry.act == "submit" or entry.details.get("dispatch") == dispatch.key
    ]
    subjects = {f"outlet {name}": name for name in outlets}
    paused = AuditEntry.objects.filter(subject__in=subjects, act__in=OF_OUTLET, at__gte=dispatch.created_at)
    return events + [
        Event(at=entry.at, kind=entry.act, by=entry.actor, outlet=subjects[entry.subject]) for entry in paused[:20]
    ]


def _milestones(stands: Standing) -> list[Event]:
    dispatch = stands.dispatch
    copies = [copy for line in stands.lines for copy in line.copies]
    labels = {line.outlet.name: line.outlet.label for line in stands.lines}
    events = [
        Event(at=copy.proof_at, kind=f"proof-{copy.proof}", outlet=labels[copy.outlet], what=copy.language)
        for copy in copies
        if copy.proof and copy.proof_at and not copy.early
    ]
    pages = [
        copy.settled_at
        for line in stands.lines
        for copy in line.copies
        if line.outlet.channel == "website" and copy.state == "accepted" and copy.settled_at and not copy.early
    ]
    moments = {
        "planned": dispatch.planned_at,
        "first": reading.first_out(dispatch) if dispatch.planned_at else None,
        "page": min(pages, default=None),
        dispatch.ended_why or "ended": dispatch.ended_at,
        "settled": reading.last_moved(dispatch) if stands.phase is Phase.FINISHED else None,
    }
    events += [Event(at=at, kind=kind) for kind, at in moments.items() if at is not None and kind != "stopped"]
    return events + [
        Event(at=line.fault.since, kind="down", outlet=line.outlet.label)
        for line in stands.lines
        if line.fault and line.fault.kind in {"down", "person"} and line.fault.since
    ]
