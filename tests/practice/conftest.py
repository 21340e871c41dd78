"""One practice town for a worker's tests; each test gets it without faults."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.practice import Practice

_numbers = count(1)


@pytest.fixture(scope="session")
def _practice_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with Practice(tmp_path_factory.mktemp("practice")) as practice:
        yield practice


@pytest.fixture
def practice(_practice_town: Practice) -> Iterator[Practice]:
    """A practice town that runs, without faults."""
    _practice_town.clear()
    yield _practice_town
    _practice_town.clear()


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return f"key-{next(_numbers)}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a practice town of the test's own keeps its things."""
    return tmp_path / "town"
