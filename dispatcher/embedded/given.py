"""Looks at the servers that were given (``DATABASE_URL``, ``REDIS_URL``) before anything relies on them.

``python -m dispatcher.embedded.given`` says what is wrong and ends with 2; a deployment without our supervisor runs it
before it migrates.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from dispatcher.config.environment import text

from . import database, doorbell
from .problems import CannotStart


def check(environment: Mapping[str, str]) -> None:
    """Checks each server that ``environment`` names, or where it is silent this process's own; empty means none.

    Raises:
        CannotStart: if one cannot be used.
    """
    if address := environment.get("DATABASE_URL", text("DATABASE_URL")):
        database.check(address)
    if address := environment.get("REDIS_URL", text("REDIS_URL")):
        doorbell.check(address)


def main() -> int:
    try:
        check({})
    except CannotStart as problem:
        sys.stderr.write(f"{problem}\n")
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
