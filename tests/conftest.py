"""Fixtures for the whole suite. What they are made of is in ``tests/support``."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support import databases, pages, scratch
from tests.support.town import Town

NewTown = Callable[..., Town]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what runs a real installation, so that ``-m "not town"`` is the quick half of the suite."""
    for item in items:
        if "new_town" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.town)


@pytest.fixture
def scratch_folder() -> Iterator[Path]:
    """An empty folder, in memory where the machine offers it, with a path short enough for sockets."""
    folder = scratch.folder("test")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_town(scratch_folder: Path) -> Iterator[NewTown]:
    """Starts real installations, each with a database of its own; see ``Town`` for the arguments."""
    with ExitStack() as stack:

        def start(**options: Any) -> Town:
            data = scratch_folder / f"town{len(list(scratch_folder.iterdir()))}"
            database = stack.enter_context(databases.fresh(data))
            return stack.enter_context(Town(data, database, **options))

        yield start


@pytest.fixture
def town(new_town: NewTown, request: pytest.FixtureRequest) -> Town:
    """A running installation with all parts; ``@pytest.mark.town(parts=…, environment=…)`` says otherwise."""
    marker = next((mark for mark in request.node.iter_markers("town") if mark.kwargs), None)
    return new_town(**(marker.kwargs if marker else {}))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium; each test opens a context of its own in it. While it is open, this thread has Playwright's loop:
    other modules must not find it there, so it goes with the module.
    """
    with pages.browser() as opened:
        yield opened
