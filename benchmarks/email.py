"""E-mail, from submit to the last receipt settled, against ``smtp-source`` and against the way of the tutorials.

In each round every contender sends to the same ``smtp-sink``, one after another, and what counts is the ratio within
the round: a machine that is busy with other things then slows all of them.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks import installation, postfix, tutorial
from benchmarks.measure import Measure
from benchmarks.report import say
from dispatcher.embedded.programs import POOLS

if TYPE_CHECKING:
    from benchmarks.town import Announced

SESSIONS = 16  # two worker processes with eight connections each
PLANNED_FOR = 100_000  # the target of planning is for so many: with fewer, what it costs once weighs more
TUTORIAL = 1_000  # recipients of the tutorial way: its rate does not depend on how many there are


@dataclass
class Rounds:
    """What each round showed: messages per second by contender, and what our own rounds cost."""

    size: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    announced: list[Announced] = field(default_factory=list)
    processor: list[dict[str, float]] = field(default_factory=list)
    octets: int = 0
    progress_seconds: tuple[float, float] = (0.0, 0.0)  # its query, and the call around it

    def add(self, contender: str, messages: int, seconds: float) -> float:
        """Notes a contender's rate in this round, and returns it."""
        rate = messages / seconds
        self.rates.setdefault(contender, []).append(rate)
        return rate

    def ratio(self, contender: str, yardstick: str) -> float:
        """The median over the rounds of one's rate to the other's in the same round."""
        pairs = zip(self.rates[contender], self.rates[yardstick], strict=True)
        return median(one / other for one, other in pairs)


def run(database: str, size: int, rounds: int, extras: bool) -> list[Measure]:
    """Measures on one database with so many residents. ``extras``: the tutorial way and our own DKIM too."""
    with postfix.sink() as sink, tempfile.TemporaryDirectory(prefix="omroeper-", dir=installation.disk()) as name:
        folder = Path(name)
        far_side = f"{postfix.HOST}:{sink.port}"
        with installation.running(folder, database, far_side) as product:
            from benchmarks import town  # noqa: PLC0415 - Django is set up only now

            town.set_up(sink.port, folder=folder / "site")
            town.populate(size)
            found = Rounds(size)
            contest = _Contest(product, sink, found)
            contest.warm_up()
            for number in range(rounds):
                say(f"{database}, {size:,} residents, round {number + 1} of {rounds}")
                contest.round()
            measures = _measures(database, found)
            if extras:
                measures += contest.against_tutorial(database, rounds)
                measures += contest.signing(database, min(rounds, 3))
            return measures


class _Contest:
    def __init__(self, product: installation.Installation, sink: postfix.Sink, found: Rounds) -> None:
        self.product, self.sink, self.found = product, sink, found

    def warm_up(self) -> None:
        """The workers have their code loaded and their connections open, and we know how long the message is."""
        from benchmarks import town  # noqa: PLC0415

        town.announce()
        self.found.octets = town.octets_of_a_message()
        self.found.progress_seconds = town.progress_seconds()

    def round(self) -> None:
        self.yardstick(self.found, "smtp-source", keep=False)
        self.yardstick(self.found, "smtp-source -d", keep=True)
        self.ours(self.found, "omroeper")

    def yardstick(self, found: Rounds, name: str, *, keep: bool) -> None:
        seconds = postfix.source(self.sink.port, found.size, self.found.octets, sessions=SESSIONS, keep=keep)
        say(f"  {name}: {found.add(name, found.size, seconds):,.0f} a second")

    def ours(self, found: Rounds, name: str) -> None:
        from benchmarks import town  # noqa: PLC0415

        before = self._processor_seconds()
        announced = town.announce()
        after = self._processor_seconds()
        found.announced.append(announced)
        found.processor.append({part: after[part] - before[part] for part in after})
        say(f"  {name}: {found.add(name, announced.accepted, announced.seconds):,.0f} a second")

    def _processor_seconds(self) -> dict[str, float]:
        far_side = installation.processor_seconds(self.sink.pid)
        return {**self.product.processor_seconds(), "smtp-sink": far_side}

    def against_tutorial(self, database: str, rounds: int) -> list[Measure]:
        """Our rate with everybody to that of the tutorial way with a thousand."""
        from benchmarks import town  # noqa: PLC0415

        environment = self.product.embedded.environment
        redis = environment["REDIS_URL"]
        broker = redis.replace("unix://", "redis+socket://")
        found = Rounds(self.found.size)
        addresses = [town.address(number) for number in range(TUTORIAL)]
        with tutorial.running(redis, broker, f"{postfix.HOST}:{self.sink.port}", POOLS["w-mail"].processes) as other:
            for number in range(rounds):
                say(f"{database}, against the tutorial way, round {number + 1} of {rounds}")
                rate = found.add("tutorial", TUTORIAL, other.announce(addresses))
                say(f"  tutorial: {rate:,.0f} a second")
                self.ours(found, "omroeper")
        ratio = found.ratio("omroeper", "tutorial")
        what = "e-mail, against a Celery task and a send_mail per recipient"
        return [Measure(what, database, found.size, ratio, "times", least=25, rates=_medians(found))]

    def signing(self, database: str, rounds: int) -> list[Measure]:
        """Our rate with our own DKIM signature on every message."""
        from benchmarks import town  # noqa: PLC0415

        found = Rounds(self.found.size)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        town.sign(self.sink.port, {"dkim_domain": "practice.invalid", "dkim_selector": "bench", "dkim_key": pem})
        for number in range(rounds):
            say(f"{database}, signing ourselves, round {number + 1} of {rounds}")
            self.yardstick(found, "smtp-source", keep=False)
            self.ours(found, "omroeper")
        town.sign(self.sink.port, {})
        ratio = found.ratio("omroeper", "smtp-source")
        what = "e-mail with our own DKIM signature (RSA-2048), against smtp-source"
        return [Measure(what, database, found.size, ratio, "times", rates=_medians(found))]


def _measures(database: str, found: Rounds) -> list[Measure]:
    size, rates = found.size, _medians(found)
    least = 1.2 if database == "sqlite" else 1.0
    took = median(each.seconds for each in found.announced)
    planned = median(each.planned for each in found.announced)
    first = median(each.first for each in found.announced)
    query, call = found.progress_seconds
    spent = {part: median(each[part] for each in found.processor) / size * 1e6 for part in found.processor[0]}
    shares = {
        "until planned": planned / took,
        "until the first receipt": (first - planned) / took,
        "sending": (took - first) / took,
    }
    return [
        Measure(
            "e-mail, submit to last receipt settled, against smtp-source", database, size,
            found.ratio("omroeper", "smtp-source"), "times", least=least, rates=rates,
        ),
        Measure(
            "the same, against smtp-source that keeps its connections (-d)", database, size,
            found.ratio("omroeper", "smtp-source -d"), "times", rates=rates,
        ),
        Measure("length of a message on the wire", database, size, found.octets, "octets"),
        Measure("planning, from submit to its first ring", database, size, planned / size * 1e6, "µs each",
                most=10 if size >= PLANNED_FOR else None),
        Measure("progress query, with the whole mailing due", database, size, query * 1000, "ms", most=1),
        Measure("progress, the whole call", database, size, call * 1000, "ms"),
        *(Measure(f"processor time: {part}", database, size, used, "µs each") for part, used in spent.items()),
        *(Measure(f"share of the time {part}", database, size, share * 100, "%") for part, share in shares.items()),
    ]  # fmt: skip


def _medians(found: Rounds) -> dict[str, float]:
    return {contender: median(rates) for contender, rates in found.rates.items()}
