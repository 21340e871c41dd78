"""Colleagues first: who hears when. An emergency has one stage, everybody at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispatcher.announcements.models import Announcement, Group, Kind

PUBLIC = (Group.RESIDENT, Group.ENTREPRENEUR)


@dataclass(frozen=True, slots=True)
class Stage:
    """Groups that hear it ``delay`` seconds after the start. ``early``: before the public, or instead of it."""

    groups: tuple[str, ...]
    delay: float
    early: bool


def stages_of(announcement: Announcement, delays: Mapping[str, float]) -> list[dict[str, Any]]:
    """The stages to write on a dispatch: groups with the same delay together, soonest first.

    ``delays`` is seconds by group, with ``public`` for residents and entrepreneurs; a group not named does not wait.
    """
    if announcement.kind == Kind.EMERGENCY:
        return [{"groups": list(announcement.audience), "delay": 0.0}]
    by_delay: dict[float, list[str]] = {}
    for group in announcement.audience:
        fallback = delays.get("public", 0.0) if group in PUBLIC else 0.0
        by_delay.setdefault(float(delays.get(group, fallback)), []).append(group)
    return [{"groups": groups, "delay": delay} for delay, groups in sorted(by_delay.items())]


def read(stages: list[dict[str, Any]]) -> list[Stage]:
    """The stages of a dispatch."""
    public = [index for index, stage in enumerate(stages) if set(stage["groups"]) & set(PUBLIC)]
    first_public = public[0] if public else len(stages)
    return [
        Stage(tuple(stage["groups"]), float(stage["delay"]), early=index < first_public)
        for index, stage in enumerate(stages)
    ]
