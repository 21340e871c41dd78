"""The few faults that the town offers at once, of each far side: those that staff meet most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dispatcher.practice.faults_page import is_like
from dispatcher.practice.listener import Listener
from dispatcher.practice.training import training
from dispatcher.practice.words import Language

_OFFERED = {
    "mail": ("busy", "unknown-address", "cut-taken"),
    "timeline": ("throttled", "cut-taken", "refused"),
    "push": ("gone", "slow", "refused"),
    "colleagues": ("refused", "broken", "cut-taken"),
}


def exercises(far_sides: Mapping[str, Listener[Any]], language: Language) -> dict[str, list[dict[str, Any]]]:
    """By far side: ``name``, ``title``, ``what`` it does, ``numbers`` under which it is on, if it is, and ``training``:
    what staff should see then.
    """
    return {
        peer: [_exercise(far_sides[peer], name, language) for name in names if name in far_sides[peer].presets]
        for peer, names in _OFFERED.items()
        if peer in far_sides
    }


def _exercise(far_side: Listener[Any], name: str, language: Language) -> dict[str, Any]:
    title, what = far_side.presets[name].words[language]
    on = [str(fault["number"]) for fault in far_side.board.as_json() if is_like(far_side, name, fault)]
    return {
        "name": name,
        "title": title,
        "what": what,
        "numbers": " ".join(on),
        "training": training(far_side.name, name, language),
    }
