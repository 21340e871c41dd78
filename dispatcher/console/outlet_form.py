"""The form of an outlet, made from what its channel declares (``channels.contract.ChannelSettings``).

One field of the model is one field of the form: text, number, choice, tick, list (a line each), or one by language.
Secrets are written and never shown again; left empty, the stored one stays. The channel alone decides what is right.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from django.conf import settings
from django.http import QueryDict
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from channels import registry

PREFIX = "settings."
LONGEST = 20_000  # a private key in PEM is some 3,000 characters
# What the installation itself knows: asked of nobody. The rest of it is ``omroeper setup``'s.
FILLED_IN = {"website": frozenset({"folder", "assets", "base_url", "languages"})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input. ``kind``: text, long, number, tick, choice, lines, secret. ``value`` is text as it stands in the form,
    empty for a secret; ``set`` says that there is one. ``language`` is that of one part of a field by language.
    """

    name: str
    setting: str
    kind: str
    value: str
    required: bool
    choices: tuple[str, ...] = ()
    default: str = ""
    language: str = ""
    set: bool = False


def fields(channel: str, stored: Mapping[str, Any], typed: QueryDict | None = None) -> list[Field]:
    """The inputs for a channel: with what was ``typed`` where that was not right, else with what is ``stored``."""
    return [field for name, info in _asked(channel) for field in _inputs(name, info, stored.get(name), typed)]


def values(channel: str, typed: QueryDict, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a form says, as the channel's model takes them. What was left empty is left out.

    A setting that the form does not ask for keeps what is ``stored``; an empty secret is left out too.
    """
    found: dict[str, Any] = {name: stored[name] for name in FILLED_IN.get(channel, ()) if name in stored}
    for name, info in _asked(channel):
        value = _value(name, info, typed)
        if value not in (None, "", [], {}):
            found[name] = value
    return found


def _asked(channel: str) -> Iterator[tuple[str, FieldInfo]]:
    """The settings that somebody has to know, required ones first."""
    known = registry.channel(channel).Settings.model_fields
    hidden = FILLED_IN.get(channel, frozenset())
    yield from sorted(((n, f) for n, f in known.items() if n not in hidden), key=lambda each: not each[1].is_required())


def _inputs(name: str, info: FieldInfo, stored: Any, typed: QueryDict | None) -> list[Field]:
    kind, choices = _kind(info.annotation)
    default = _text("" if info.is_required() else info.get_default(call_default_factory=True))
    if kind == "by-language":
        known = stored if isinstance(stored, Mapping) else {}
        return [
            _field(f"{name}.{code}", name, "text", known.get(code), typed, info, language=code)
            for code, _ in settings.LANGUAGES
        ]
    if kind == "secret":
        return [
            Field(
                name=PREFIX + name, setting=name, kind=kind, value="", required=info.is_required() and not stored,
                set=bool(stored),
            )
        ]  # fmt: skip
    return [_field(name, name, kind, stored, typed, info, choices=choices, default=default)]


def _field(
    name: str, setting: str, kind: str, stored: Any, typed: QueryDict | None, info: FieldInfo, **more: Any
) -> Field:
    shown = _text(stored) if typed is None else typed.get(PREFIX + name, "")
    if kind == "tick" and typed is None and stored is None:
        shown = more.get("default", "")
    return Field(name=PREFIX + name, setting=setting, kind=kind, value=shown, required=info.is_required(), **more)


def _value(name: str, info: FieldInfo, typed: QueryDict) -> Any:
    kind, _ = _kind(info.annotation)
    given = typed.get(PREFIX + name, "")[:LONGEST]
    match kind:
        case "by-language":
            codes = [code for code, _ in settings.LANGUAGES]
            parts = {code: typed.get(f"{PREFIX}{name}.{code}", "").strip()[:LONGEST] for code in codes}
            return {code: text for code, text in parts.items() if text}
        case "lines":
            return [line.strip() for line in given.splitlines() if line.strip()]
        case "tick":
            return bool(given)
        case "secret":
            return given.replace("\r\n", "\n")
        case _:
            return given.strip()


def _kind(annotation: Any) -> tuple[str, tuple[str, ...]]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return _kind(next(each for each in get_args(annotation) if each is not type(None)))
    if origin is Literal:
        return "choice", tuple(str(each) for each in get_args(annotation))
    if origin is dict:
        return "by-language", ()
    if origin in (list, tuple, set, frozenset):
        return "lines", ()
    simple = {bool: "tick", int: "number", float: "number", SecretStr: "secret", str: "text", Path: "text"}
    return simple.get(annotation, "text"), ()


def _text(value: Any) -> str:
    match value:
        case None | False:
            return ""
        case True:
            return "1"
        case SecretStr():
            return ""
        case list() | tuple() | set() | frozenset():
            return "\n".join(str(each) for each in value)
        case dict():
            return ""
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
