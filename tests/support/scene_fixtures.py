"""Fixtures around ``tests.support.scene``, for the folders whose tests play in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from tests.support import scratch
from tests.support.practice import Practice
from tests.support.scene import Scene, SiteServer, end, worker


@pytest.fixture(scope="session")
def practice_town() -> Iterator[Practice]:
    """One mail server for the session."""
    folder = scratch.folder("practice")
    with Practice(folder) as practice:
        yield practice
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SiteServer]:
    """A web server in front of the website's folder."""
    (tmp_path / "site").mkdir()
    with SiteServer(tmp_path / "site") as server:
        yield server


@pytest.fixture
def scene(
    practice_town: Practice, site: SiteServer, tmp_path: Path, settings: Settings, transactional_db: None
) -> Iterator[Scene]:
    """An empty town with a mail server that does what it should."""
    practice_town.clear()
    base_url = f"http://127.0.0.1:{site.port}"
    settings.BASE_URL = base_url
    settings.EGRESS_EXCEPTIONS = [("127.0.0.1", practice_town.smtp_port), ("127.0.0.1", site.port)]
    settings.REDIS_URL = ""
    yield Scene(practice_town, tmp_path / "site", base_url, began=practice_town.record.count())
    practice_town.clear()
    end(worker())
    connections.close_all()
