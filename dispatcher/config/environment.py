"""How settings are read: from the environment, from secrets kept in files, else from the installation's own file.

Imports nothing of Django, so that the supervisor can read its own few settings before a secret key exists.
"""

from __future__ import annotations

import os
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from . import installation

ROOT = Path(__file__).resolve().parents[2]


def text(name: str, default: str = "") -> str:
    """The value of ``name``, or what stands in the file that ``<name>_FILE`` names (as container secrets do).

    Where neither is set, what the installation's own file says (``installation``). An empty value counts as not set.
    Blank space around the content of a file is dropped.

    Raises:
        SystemExit: with a sentence, if the file cannot be read.
    """
    value = os.environ.get(name, "")
    file = os.environ.get(f"{name}_FILE", "")
    if value or not file:
        return value or _installed(data_folder()).get(name, default)
    try:
        return Path(file).read_text().strip() or default
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise SystemExit(f"{name}_FILE names {file}, which cannot be read ({why}). Correct the path.") from None


def from_outside(name: str) -> bool:
    """Whether the environment sets ``name``, so that what the installation's own file says about it does not count."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


@cache
def _installed(data: Path) -> dict[str, str]:
    """What the installation's own file said when this process first asked."""
    return dict(installation.given(data))


def number(name: str, default: float) -> float:
    """The value of ``name`` as a number.

    Raises:
        SystemExit: with a sentence and an example, if it is not a number.
    """
    value = text(name)
    try:
        return float(value) if value else default
    except ValueError:
        raise SystemExit(f"{name} is '{value}', which is not a number. Example: {name}={default:g}") from None


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """The networks that ``name`` lists, with spaces between them; a single address is a network of one.

    Raises:
        SystemExit: with a sentence and an example, if one of them is not a network.
    """
    try:
        return [ip_network(each) for each in text(name).split()]
    except ValueError as error:
        raise SystemExit(f"{name}: {error}. Example: {name}='10.0.0.0/8 fd00::/8'") from None


def data_folder() -> Path:
    """The one folder for state: ``OMROEPER_DATA``, or ``.omroeper`` in the checkout."""
    return Path(os.environ.get("OMROEPER_DATA") or ROOT / ".omroeper").expanduser().absolute()


def lease_seconds() -> float:
    """How long a batch stays with a worker that gives no sign of life, in seconds. A frozen process gets twice that."""
    return number("OMROEPER_LEASE_SECONDS", 6)
