"""The fault matrix: real installations, broken for real, then checked with the one ``check_ledger``.

``OMROEPER_FAULTS=full`` (``make faults``) runs the rows at full size and with every variant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import NewTown
from tests.support.stricken import Stricken

Strike = Callable[..., Stricken]


@pytest.fixture
def strike(new_town: NewTown) -> Iterator[Strike]:
    """Starts an installation with an audience, ready to announce; see ``Stricken``."""
    started: list[Stricken] = []

    def start(**options: Any) -> Stricken:
        stricken = Stricken(new_town, **options)
        started.append(stricken)
        return stricken

    yield start
    for stricken in started:
        stricken.close()
