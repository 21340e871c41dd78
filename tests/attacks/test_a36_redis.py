"""A36: whoever reaches Redis, or writes into its queues, can ring a doorbell and no more."""

from __future__ import annotations

import stat
from pathlib import Path

import psutil

from tests.conftest import NewTown
from tests.support import foreign
from tests.support.town import Town


def test_a36_no_port_and_a_socket_of_the_owner_only(new_town: NewTown) -> None:
    town = new_town(parts=())
    redis = town.redis()
    assert redis.config_get("port")["port"] == "0"
    listening = [c for c in psutil.Process(town.main("redis")).net_connections("inet") if c.status == "LISTEN"]
    assert listening == []
    socket = Path(town.environment["REDIS_URL"].removeprefix("unix://"))
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    assert redis.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_a36_forged_messages_do_nothing(new_town: NewTown) -> None:
    town = new_town(parts=("w-mail",))
    before = _rows(town)
    marker = town.folder / "loaded"
    redis = town.redis()
    for task in ("send", "plan", "prove", "broadcast"):
        redis.lpush("mail", foreign.message(f"omroeper.{task}", [987_654_321]))
        redis.lpush("mail", foreign.message(f"omroeper.{task}", ["1; DROP TABLE dispatching_delivery"]))
        redis.lpush("mail", foreign.message(f"omroeper.{task}", [{"id": 1}, "more"]))
    redis.lpush("mail", foreign.pickled(marker))
    redis.lpush("mail", foreign.message("omroeper.send", ["x" * 5_000_000]))
    redis.lpush("mail", foreign.message("celery.backend_cleanup", []))
    town.until(lambda: redis.llen("mail") == 0, timeout=60, what="the forged messages to be taken")
    # What is taken first is done first: a last honest message shows that the worker is well.
    redis.lpush("mail", foreign.message("omroeper.sweep", []))
    town.until(lambda: redis.llen("mail") == 0, what="the honest message")
    assert not marker.exists(), "a pickle was loaded"
    assert _rows(town) == before
    log = (town.logs / "w-mail.log").read_text(errors="replace")
    assert "ContentDisallowed" in log or "disallowed" in log.lower()


def _rows(town: Town) -> dict[str, int]:
    """How many rows each table of the ledger holds."""
    return {
        table: town.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]
        for table in ("dispatching_delivery", "dispatching_batch", "dispatching_dispatch", "audience_address")
    }
