"""The web process opens a connection to the database for a request and gives it back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil

from tests.support.residents import web_town
from tests.support.town import Town

# What the process holds besides: its sweeper's, and one that a request or the health page is using just now.
AT_REST = 3


def _open_connections(town: Town) -> int:
    if town.database.is_postgres:
        found = town.rows("SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()")
        return int(found[0]["n"]) - 1  # this one
    files = [file for pid in town.pool("web") for file in psutil.Process(pid).open_files()]
    return sum(file.path.endswith("omroeper.sqlite3") for file in files)


def test_many_requests_at_once_leave_no_connection_behind() -> None:
    with web_town("connections") as town:
        url = f"http://localhost:{town.ports['web']}/console/sign-in/"
        with httpx.Client() as client, ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda _: client.get(url).status_code, range(64)))
        assert statuses == [200] * 64
        town.until(lambda: _open_connections(town) <= AT_REST, timeout=10, what="connections given back")
