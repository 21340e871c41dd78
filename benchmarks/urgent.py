"""An emergency to twenty public outlets, from submit to the last acceptance: idle, and during a large mailing.

What counts is the overhead: that time less what the far side needs by itself, which a bare client measures with as many
requests side by side, in the same round and under the same load. The legs tell where the rest goes.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks import installation, postfix, timeline
from benchmarks.measure import Measure
from benchmarks.report import say

if TYPE_CHECKING:
    from benchmarks.alarm import Alarm

OUTLETS = 20
A_ROUND = 10  # announcements in a round
WARM_UP = 12  # until each process of the pool has opened its outlets and loaded what it needs
MOST = {"idle": 25.0, "during a mailing": 75.0}  # milliseconds
# What is due by the clock (sweeps, heartbeats) must not always meet the same moment of an announcement.
PAUSE = (0.1, 0.4)
_FRUITLESS = 3


@dataclass
class Findings:
    """The announcements under one load. ``alone`` is what the far side needs by itself; all in seconds."""

    totals: list[float] = field(default_factory=list)
    overheads: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    legs: dict[str, list[float]] = field(default_factory=dict)

    def add(self, alarms: list[Alarm], alone: list[float]) -> None:
        """Adds a round: each announcement's time less the median of what the far side needed in it."""
        far_side = median(alone)
        self.alone += alone
        for alarm in alarms:
            self.totals.append(alarm.seconds)
            self.overheads.append(alarm.seconds - far_side)
            for leg, seconds in alarm.legs.items():
                self.legs.setdefault(leg, []).append(seconds)

    def measures(self, load: str, database: str, size: int) -> list[Measure]:
        """What is judged, and what explains it; in milliseconds."""
        what = f"urgent, {OUTLETS} public outlets, {load}"
        return [
            Measure(f"{what}: overhead, 95th percentile of {len(self.overheads)}", database, size,
                    p95(self.overheads) * 1000, "ms", most=MOST[load]),
            Measure(f"{what}: overhead, median", database, size, median(self.overheads) * 1000, "ms"),
            Measure(f"{what}: the far side alone, median", database, size, median(self.alone) * 1000, "ms"),
            Measure(f"{what}: submit to last acceptance, median", database, size, median(self.totals) * 1000, "ms"),
            *(Measure(f"{what}, {leg}, median", database, size, median(took) * 1000, "ms")
              for leg, took in self.legs.items()),
        ]  # fmt: skip


def p95(values: list[float]) -> float:
    """The 95th percentile by nearest rank: a value that was seen, and no better than one in twenty deserves."""
    return sorted(values)[ceil(len(values) * 0.95) - 1]


def run(database: str, size: int, rounds: int) -> list[Measure]:
    """Measures on one database, idle and during mailings to so many residents; ten announcements a round.

    Raises:
        postfix.Unavailable: without the far side of the mailing.
        RuntimeError: where a mailing is over before one announcement is: it takes more residents.
    """
    with (
        postfix.sink() as sink,
        timeline.running() as far_side,
        tempfile.TemporaryDirectory(prefix="omroeper-", dir=installation.disk()) as name,
    ):
        folder = Path(name)
        reachable = f"{postfix.HOST}:{sink.port} {timeline.HOST}:{far_side.port}"
        with installation.running(folder, database, reachable):
            from benchmarks import alarm, town  # noqa: PLC0415 - Django is set up only now

            town.set_up(sink.port, folder=folder / "site")
            town.populate(size)
            alarm.set_up(far_side, OUTLETS)
            for _ in range(WARM_UP):
                alarm.sound(far_side, OUTLETS)
            idle, busy = Findings(), Findings()
            for number in range(rounds):
                say(f"{database}, urgent, round {number + 1} of {rounds}")
                _round(idle, far_side, _alone(far_side))
                _round(busy, far_side, _beside_mailings(far_side, size))
                say(f"  overhead, median: idle {median(idle.overheads) * 1000:.1f} ms, "
                    f"during a mailing {median(busy.overheads) * 1000:.1f} ms")  # fmt: skip
    return [
        *idle.measures("idle", database, size),
        *busy.measures("during a mailing", database, size),
    ]


def _round(found: Findings, far_side: timeline.Timeline, alarms: Iterator[Alarm]) -> None:
    """A round: each announcement beside what the far side needs by itself at that moment."""
    sounded, alone = [], []
    for each in alarms:
        sounded.append(each)
        alone += far_side.alone(OUTLETS - 1, 1)
    found.add(sounded, alone)


def _alone(far_side: timeline.Timeline) -> Iterator[Alarm]:
    from benchmarks import alarm  # noqa: PLC0415

    for _ in range(A_ROUND):
        alarm.calm_down()
        time.sleep(random.uniform(*PAUSE))
        yield alarm.sound(far_side, OUTLETS)


def _beside_mailings(far_side: timeline.Timeline, size: int) -> Iterator[Alarm]:
    """Announcements that began and ended while a mailing was under way; as many mailings as that takes."""
    from benchmarks import alarm  # noqa: PLC0415

    left, fruitless = A_ROUND, 0
    while left:
        alarm.calm_down()
        mailing, before = alarm.Mailing(), left
        while left and mailing.under_way:
            time.sleep(random.uniform(*PAUSE))
            found = alarm.sound(far_side, OUTLETS)
            if mailing.under_way:
                left -= 1
                yield found
        fruitless = fruitless + 1 if left == before else 0
        if fruitless == _FRUITLESS:
            raise RuntimeError(f"a mailing to {size:,} is over before one announcement is: take a larger --size")
    alarm.calm_down()
