"""Reads which faults somebody wants to switch on, for each kind of far side in the same way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from dispatcher.practice.words import Language

F = TypeVar("F", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Preset:
    """A fault by a name to remember: its fields, and by language a title and a sentence."""

    fault: Mapping[str, Any]
    words: Mapping[Language, tuple[str, str]]


class FaultsInvalid(ValueError):
    """What was asked is not a fault. ``problems`` pairs fields (empty: the whole) with what is wrong: all of it."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(self.sentences))

    @property
    def sentences(self) -> list[str]:
        return [f"{field}: {problem}" if field else problem for field, problem in self.problems]


def read_wanted(
    wanted: object, adapter: TypeAdapter[F], presets: Mapping[str, Mapping[str, Any]], kinds: str
) -> list[F]:
    """Faults from JSON: one object or a list; ``{"preset": name, …}`` starts from one of ``presets``.

    ``kinds`` is the sentence for who names no kind that there is.

    Raises:
        FaultsInvalid: with all that is wrong.
    """
    faults: list[F] = []
    problems: list[tuple[str, str]] = []
    for values in wanted if isinstance(wanted, list) else [wanted]:
        if not isinstance(values, dict):
            problems.append(("", f"a fault is a JSON object, not {values!r}"))
            continue
        name = values.get("preset")
        if name is not None and (not isinstance(name, str) or name not in presets):
            problems.append(("preset", f"there is no {name!r}; there are {', '.join(presets)}"))
            continue
        merged = (dict(presets[name]) if name else {}) | {
            field: value for field, value in values.items() if field != "preset"
        }
        try:
            faults.append(adapter.validate_python(merged))
        except ValidationError as error:
            problems += [
                (".".join(map(str, e["loc"][1:])), kinds if e["type"].startswith("union_tag") else e["msg"])
                for e in error.errors()
            ]
    if problems:
        raise FaultsInvalid(problems)
    return faults
