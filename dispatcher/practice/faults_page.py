"""What the page of faults shows of a far side: what is on, what happened, what can be switched on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dispatcher.practice.listener import Listener
from dispatcher.practice.training import training
from dispatcher.practice.words import WORDS, Language, moment

NUMBERS = ("seconds", "trickle", "at_most", "after", "times")
"""The fields of a fault that the page lets people set, beside ``match``."""

# The fields by which faults are told apart, and those that say it in technical words.
_TELLING = ("kind", "moment", "code", "enhanced", "status", "signal", "send", "taken", "extensions")
_TECHNICAL = ("kind", "moment", "code", "enhanced", "status", "signal")


def shown(
    far_side: Listener[Any], language: Language, problems: Sequence[str], preset: str, typed: Mapping[str, str]
) -> dict[str, Any]:
    """The values of the template. What was typed for ``preset`` stays."""
    state = far_side.faults_as_json()
    return {
        "on": [(*_named(far_side, fault, language), fault) for fault in state["faults"]],
        "events": [_event(event, language) for event in reversed(state["events"][-10:])],
        "offered": [_offered(far_side, name, language, typed if name == preset else {}) for name in far_side.presets],
        "problems": problems,
        "preset": preset,
        "peer": far_side.name,
        "subject": far_side.words[language][1],
    }


def _offered(far_side: Listener[Any], name: str, language: Language, typed: Mapping[str, str]) -> dict[str, Any]:
    preset = far_side.presets[name]
    (fault,) = far_side.read_faults({"preset": name})
    settings = {field: getattr(fault, field) for field in NUMBERS if getattr(fault, field, None) is not None}
    if hasattr(fault, "times"):
        settings["times"] = fault.times or ""
    if preset.fault.get("moment") == "rcpt" or preset.fault["kind"] == "greylist":
        settings["match"] = getattr(fault, "match", "*")
    title, what = preset.words[language]
    return {
        "name": name,
        "title": title,
        "what": what,
        "training": training(far_side.name, name, language),
        "settings": settings | dict(typed),
    }


def _named(far_side: Listener[Any], fault: Mapping[str, Any], language: Language) -> tuple[str, str]:
    """A fault that is on: as the presets call it where one is like it, and in technical words."""
    technical = " ".join(str(fault[field]) for field in _TECHNICAL if fault.get(field))
    for name, preset in far_side.presets.items():
        if is_like(far_side, name, fault):
            return preset.words[language][0], technical
    return technical, technical


def is_like(far_side: Listener[Any], preset: str, fault: Mapping[str, Any]) -> bool:
    """Whether a fault is the preset's, be it with other settings."""
    like = far_side.read_faults({"preset": preset})[0].model_dump(mode="json")
    return all(like.get(field) == fault.get(field) for field in _TELLING)


def _event(event: dict[str, Any], language: Language) -> tuple[str, str]:
    return moment(event["time"], language), WORDS[language][event["event"]].format_map(event)
