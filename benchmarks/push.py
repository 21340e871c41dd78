"""Push, from submit to the last receipt settled, against the encryption of RFC 8291 alone in as many processes.

Nobody can push faster than they can encrypt: the ratio says what share of that is left once subscribers are read, the
messages sent and answered, and every receipt written down. The far side is a process on the same machine.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import median

import trustme

from benchmarks import installation, push_alone
from benchmarks.measure import Measure
from benchmarks.push_sink import HOST, Sink, sink
from benchmarks.report import say
from dispatcher.embedded.programs import POOLS

NAME = "localhost"  # what the certificate is for


def run(database: str, size: int, rounds: int) -> list[Measure]:
    """Measures on one database with so many residents who hear by push, over plain HTTP and over TLS."""
    with tempfile.TemporaryDirectory(prefix="omroeper-", dir=installation.disk()) as name:
        folder = Path(name)
        authority = trustme.CA()
        certificate = authority.issue_cert(NAME)
        ca_file, served = folder / "authority.pem", folder / "server.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        certificate.private_key_and_cert_chain_pem.write_to_path(str(served))
        with sink() as plain, sink(served) as secured:
            places = {"plain HTTP": f"http://{HOST}:{plain.port}", "TLS": f"https://{NAME}:{secured.port}"}
            allowed = f"{HOST}:{plain.port} {NAME}:{secured.port}"
            with installation.running(folder, database, allowed) as product:
                return _contest(product, database, size, rounds, places, allowed.split(), ca_file, [plain, secured])


def _contest(
    product: installation.Installation,
    database: str,
    size: int,
    rounds: int,
    places: dict[str, str],
    allowed: list[str],
    ca_file: Path,
    sinks: list[Sink],
) -> list[Measure]:
    from benchmarks import push_town, town  # noqa: PLC0415 - Django is set up only now

    processes = POOLS["w-mail"].processes
    push_town.set_up(allowed, ca_file, folder=ca_file.parent / "site")
    push_town.populate(size, places["plain HTTP"])
    town.announce("webpush")  # the workers have their code loaded and their connections open
    octets = push_town.octets_of_a_message()
    rates: dict[str, list[float]] = {}
    spent: list[float] = []
    for number in range(rounds):
        say(f"{database}, {size:,} residents with push, round {number + 1} of {rounds}")
        alone = push_alone.rate(processes, max(2_000, size // processes), octets)
        rates.setdefault("encryption alone", []).append(alone)
        say(f"  encryption alone: {alone:,.0f} a second")
        for way, place in places.items():
            push_town.move(place)
            before = sum(product.processor_seconds().values())
            announced = town.announce("webpush")
            spent.append((sum(product.processor_seconds().values()) - before) / size * 1e6)
            rates.setdefault(way, []).append(announced.accepted / announced.seconds)
            say(f"  {way}: {rates[way][-1]:,.0f} a second")
    far = sum(installation.processor_seconds(each.pid) for each in sinks) / (size * (2 * rounds + 1)) * 1e6
    medians = {name: median(found) for name, found in rates.items()}
    ratios = {
        way: median(ours / alone for ours, alone in zip(rates[way], rates["encryption alone"], strict=True))
        for way in places
    }
    return [
        *(
            Measure(
                f"push over {way}, submit to last receipt settled, against encryption alone", database, size,
                ratios[way], "times",
                least=least, rates={name: medians[name] for name in ("encryption alone", way)},
            )
            for way, least in (("plain HTTP", 0.5), ("TLS", 0.4))
        ),
        Measure("length of a push message before it is encrypted", database, size, octets, "octets"),
        Measure("processor time of a push message: ours", database, size, median(spent), "µs each"),
        Measure("processor time of a push message: the far side", database, size, far, "µs each"),
    ]  # fmt: skip
