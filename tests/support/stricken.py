"""An installation with an audience, for tests that break it: announce, break, wait, check."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support import ledger
from tests.support.ledger import Figures
from tests.support.practice import PracticeControl
from tests.support.recorder import Recorder
from tests.support.town import Ran, Town

FULL = os.environ.get("OMROEPER_FAULTS") == "full"
# How many residents there are in a row of the matrix; ``OMROEPER_FAULTS_RESIDENTS`` makes the full one smaller.
RESIDENTS = int(os.environ.get("OMROEPER_FAULTS_RESIDENTS", "100000")) if FULL else 600
WORKERS = ("w-fast", "w-mail")
FAR_SIDE = ("practice",)

TEXT = """---
kind: {kind}
audience: [resident, entrepreneur, colleague, partner]
topics: []
publish: now
{settings}
nl:
  title: {title}
  summary: Door het coronavirus is onze dienstverlening anders. Bel 053 000 00 00.
  change: De balie is nu ook op dinsdagavond open.
en:
  title: {title} (en)
  summary: Because of the coronavirus our services have changed. Call 053 000 00 00.
  change: The desk is now open on Tuesday evening too.
---
# nl
{body}

# en
{body}
"""

SET_UP = """
import django; django.setup()
from dispatcher import example_town
example_town.load_town()
example_town.populate({residents}, push={push})
from dispatcher.dispatching.models import Outlet
Outlet.objects.filter(channel__in=["apprise", "byhand"]).exclude(name__in={also}).update(enabled=False)
"""


class Stricken:
    """A town with ``residents``, with ``push`` some of them by push.

    ``parts`` run from the start; workers can be started later with ``town.start``. ``also`` are outlets that are in use
    beside website, mail, push and timeline: the colleagues' channel has a pool of its own, a hand task stays open.
    """

    def __init__(
        self,
        new_town: Any,
        *,
        residents: int = RESIDENTS,
        push: bool = False,
        also: Collection[str] = (),
        parts: Collection[str] = (*FAR_SIDE, *WORKERS),
        environment: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        self.town: Town = new_town(
            parts=parts,
            environment={"OMROEPER_UNKNOWN_REPEAT_SECONDS": "1", "OMROEPER_BATCH_SIZE": "200", **(environment or {})},
            **options,
        )
        self.mail = Recorder(self.town.folder / "practice" / "mail" / "record.jsonl")
        self.practice = PracticeControl(f"http://127.0.0.1:{self.town.ports['town']}")
        self._threads = ThreadPoolExecutor(8)
        self.python(SET_UP.format(residents=residents, push=push, also=list(also)))

    def close(self) -> None:
        self.practice.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def python(self, source: str, *, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs Python on this installation, as a process of its own."""
        done = subprocess.run(
            [sys.executable, "-c", source],
            env={**os.environ, **self.town.environment, **environment},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr[-2000:]
        return done

    def hold(self, source: str) -> subprocess.Popen[str]:
        """Starts Python on this installation that stands still where ``source`` waits; the caller ends it."""
        return subprocess.Popen(
            [sys.executable, "-c", source],
            env={**os.environ, **self.town.environment},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def file(self, name: str = "corona.md", **values: str) -> Path:
        """An announcement file; ``kind``, ``title``, ``body``, ``settings`` (lines of front matter) may be given."""
        merged = {"kind": "service-change", "title": "Gemeentehuis op afspraak", "settings": "", "body": "Tekst."}
        file = self.town.folder / name
        file.write_text(TEXT.format(**{**merged, **values}), encoding="utf-8")
        return file

    def announce(self, *arguments: str, **values: str) -> dict[str, Any]:
        """Announces, and returns what ``announce --json`` says."""
        ran = self.town.cli("announce", self.file(**values), "--json", *arguments)
        assert ran.code == 0, (ran.out, ran.err)
        said: dict[str, Any] = ran.json
        return said

    def in_background(self, *arguments: str | Path) -> Future[Ran]:
        """Runs a command beside the test."""
        return self._threads.submit(self.town.cli, *arguments)

    def update(self, which: str, **values: str) -> dict[str, Any]:
        """Corrects an announcement."""
        changed = {"name": "update.md", "body": "Ook op dinsdagavond.", **values}
        ran = self.town.cli("update", which, self.file(**changed), "--json")
        assert ran.code == 0, (ran.out, ran.err)
        said: dict[str, Any] = ran.json
        return said

    def arrived(self, count: int, *, timeout: float = 60) -> None:
        """Waits until the far side has taken so many mails."""
        self.town.until(lambda: self.mail.count() >= count, timeout=timeout, what=f"mail {count}")

    def settled(self, *, timeout: float = 90) -> None:
        """Waits until everything that was planned is settled."""
        ledger.settled(self.town, timeout=timeout)

    def check(self, *, twice_at_most: int = 0) -> Figures:
        """The one check, once all is settled."""
        return ledger.check_ledger(self.town, self.mail.times(), twice_at_most=twice_at_most)

    def one(self, statement: str, *values: object) -> Any:
        """The first column of the first row."""
        return next(iter(self.town.rows(statement, *values)[0].values()))

    def count(self, state: str) -> int:
        """How many mail deliveries are in a state."""
        return int(
            self.one(
                """SELECT count(*) FROM dispatching_delivery d JOIN dispatching_outlet o ON o.id = d.outlet_id
                WHERE o.channel = 'email' AND d.state = %s""",
                state,
            )
        )

    def planned(self) -> int:
        """How many mail deliveries were planned."""
        return int(
            self.one(
                """SELECT coalesce(sum(b.size), 0) FROM dispatching_batch b
                JOIN dispatching_outlet o ON o.id = b.outlet_id WHERE o.channel = 'email'"""
            )
        )

    def outlet(self, name: str = "email") -> dict[str, Any]:
        """The row of an outlet."""
        return self.town.rows("SELECT * FROM dispatching_outlet WHERE name = %s", name)[0]

    def queue(self) -> dict[str, Any]:
        """What ``queue list --json`` says."""
        said: dict[str, Any] = json.loads(self.town.cli("queue", "list", "--json").out)
        return said
