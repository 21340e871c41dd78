"""Catalogues of translations: found in the templates, compiled for Django.

``python -m dispatcher.locale.catalogues`` compiles what changed (``make assets`` does it); with ``update`` it first
brings the catalogues up to what the templates say, so that a translator finds what is new as an empty ``msgstr``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).resolve().parent
TEMPLATES = HERE.parents[1] / "templates"
FOLDERS = ("console", "parts", "portal")
LANGUAGES = ("nl",)
_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)  # version control knows when: a date here would only make conflicts
_PLACEHOLDERS = (b'"Report-Msgid-Bugs-To:', b'"Last-Translator:', b'"Language-Team:')
_OPTIONS = {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}


def found() -> Catalog:
    """Everything that the templates say, not translated."""
    catalog = _empty()
    for folder in FOLDERS:
        said = extract_from_dir(
            TEMPLATES / folder,
            method_map=[("**.html", "jinja2")],
            options_map={"**.html": _OPTIONS},
        )
        for name, _, message, comments, context in said:
            catalog.add(message, locations=[(f"templates/{folder}/{name}", 0)], auto_comments=comments, context=context)
    return catalog


def _empty(language: str | None = None) -> Catalog:
    return Catalog(
        locale=language,
        header_comment="# Omroeper. EUPL-1.2. The English words are those of the templates.",
        project="Omroeper",
        version="1",
        creation_date=_LONG_AGO,
        revision_date=_LONG_AGO,
        charset="utf-8",
        fuzzy=False,
    )


def source(language: str) -> Path:
    """The catalogue that people write."""
    return HERE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """The catalogue of ``language``; empty where there is none yet."""
    file = source(language)
    if not file.is_file():
        return _empty(language)
    return read_po(BytesIO(file.read_bytes()), locale=language, domain="django")


def update() -> None:
    """Brings each catalogue up to what the templates say; translations of what is still said stay."""
    for language in LANGUAGES:
        catalog = read(language)
        catalog.update(found(), no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        written = BytesIO()
        write_po(written, catalog, width=110, omit_header=False, sort_output=True, include_lineno=False)
        lines = written.getvalue().splitlines(keepends=True)
        source(language).parent.mkdir(parents=True, exist_ok=True)
        source(language).write_bytes(b"".join(line for line in lines if not line.startswith(_PLACEHOLDERS)))


def compile_changed() -> None:
    """Compiles each catalogue that is newer than what was compiled from it."""
    for language in LANGUAGES:
        file = source(language)
        made = file.with_suffix(".mo")
        if made.is_file() and made.stat().st_mtime >= file.stat().st_mtime:
            continue
        draft = made.with_suffix(f".{os.getpid()}.draft")
        with draft.open("wb") as out:
            write_mo(out, read(language))
        draft.replace(made)  # whole or not at all: another process may be reading


def untranslated() -> Iterator[str]:
    """What the templates say and a catalogue does not, or not any more: one line each. Empty when all is well."""
    wanted = {message.id for message in found() if message.id}
    for language in LANGUAGES:
        catalog = read(language)
        there = {message.id for message in catalog if message.id}
        yield from (f"{language}: not in the catalogue: {each}" for each in wanted - there)
        yield from (f"{language}: not said any more: {each}" for each in there - wanted)
        for message in catalog:
            strings = [message.string] if isinstance(message.string, str) else list(message.string or [""])
            if message.id and (message.fuzzy or not all(strings)):
                yield f"{language}: not translated: {message.id}"
            yield from (f"{language}: {error}: {message.id}" for error in message.check(catalog))


if __name__ == "__main__":
    if sys.argv[1:] == ["update"]:
        update()
    compile_changed()
