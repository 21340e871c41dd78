"""Fixtures for the supervisor's own tests: a data folder, and a way to see which processes live."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.embedded.layout import Layout, prepare


@pytest.fixture
def layout(scratch_folder: Path) -> Layout:
    return prepare(scratch_folder / "data")
