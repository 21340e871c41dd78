"""The installation's own file: what has to be known before there is a database, ``<data>/installation.json``.

``omroeper setup`` and the settings page write it, whole or not at all; ``environment`` reads it, and a variable of the
environment always wins over it. Processes read it when they start.

    {"practice": false, "base_url": "https://nieuws.example.nl", "data_set": "production"}
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

NAME = "installation.json"


class Installation(BaseModel):
    """``data_set`` is the folder under the data folder that holds database and pages; the practice town's is empty.

    ``egress`` names ``host:port`` pairs that may be reached although they are not public, ``trusted_proxies`` the
    networks whose word about a visitor's address is believed; both with spaces in between.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    practice: bool = True
    base_url: str = ""
    trusted_proxies: str = ""
    egress: str = ""
    data_set: str = ""

    @field_validator("base_url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (
            parts.scheme not in ("http", "https") or not parts.hostname or "@" in url or parts.query or parts.fragment
        ):
            raise ValueError("is no plain web address; example: https://nieuws.example.nl")
        return url.rstrip("/")

    @field_validator("data_set")
    @classmethod
    def _folder(cls, name: str) -> str:
        if not re.fullmatch(r"[a-z0-9-]{0,40}", name):
            raise ValueError("is no plain folder name; example: production")
        return name

    def variables(self) -> dict[str, str]:
        """What it says, by the names of the environment; what is empty is left out."""
        said = {"OMROEPER_PRACTICE": "1" if self.practice else "0"}
        for name in ("base_url", "trusted_proxies", "egress", "data_set"):
            if value := getattr(self, name):
                said[f"OMROEPER_{name.upper()}"] = value
        return said


def read(data: Path) -> Installation:
    """The file's content; the defaults where there is none.

    Raises:
        SystemExit: with a sentence, if it is there and cannot be read.
    """
    file = data / NAME
    try:
        return Installation.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return Installation()
    except OSError as error:
        raise SystemExit(f"{file} cannot be read ({error.strerror}).") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise SystemExit(f"{file} is not right ({wrong}). Write it anew with 'omroeper setup'.") from None


def write(data: Path, content: Installation) -> None:
    """Replaces the file. A reader sees the old one or the new one, also after a power cut."""
    draft = data / f".{NAME}.draft"
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(json.dumps(content.model_dump(), indent=2) + "\n")
            out.flush()
            os.fsync(out.fileno())
        draft.replace(data / NAME)
        folder = os.open(data, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def given(data: Path) -> Mapping[str, str]:
    """The variables that the file stands in for."""
    return read(data).variables()


def data_set(data: Path) -> Path:
    """Where database and pages are: the practice town's in the data folder itself, others in a folder of their own."""
    return data / (os.environ.get("OMROEPER_DATA_SET") or read(data).data_set)
