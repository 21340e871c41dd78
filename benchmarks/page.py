"""A published page as the product serves it, against nginx: same files, same client, as many workers.

``wrk``, in C, asks both in turn over connections that it keeps. Nginx sends the files that the product wrote, opened
once and looked at again every second, as the product's promise is: a correction shows within a second.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from benchmarks import debian, installation
from benchmarks.measure import Measure
from benchmarks.report import say

HOST = "127.0.0.1"
CONNECTIONS = 16
SECONDS = 4  # that a contender is asked for in a round
LEAST = 0.5
START_SECONDS = 10.0

_NGINX = """
daemon off;
{user}
worker_processes {workers};
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    types {{ text/html html; application/json json; }}
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000000;
    open_file_cache max=1000;
    open_file_cache_valid 1s;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{ listen {host}:{port}; root {site}; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A contender: where it listens, and how many seconds of processor time it has used."""

    name: str
    port: int
    used: Callable[[], float]

    def url(self, path: str) -> str:
        return f"http://{HOST}:{self.port}{path}"


@dataclass
class Found:
    """What each round showed for one kind of request: answers per second, and processor time of an answer."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    processor: dict[str, list[float]] = field(default_factory=dict)

    def measures(self, what: str) -> list[Measure]:
        ours, theirs = self.rates["omroeper"], self.rates["nginx"]
        ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
        rates = {name: median(values) for name, values in self.rates.items()}
        return [
            Measure(f"{what}, answers a second against nginx", "", 0, ratio, "times", least=LEAST, rates=rates),
            *(Measure(f"{what}, processor time: {name}", "", 0, median(values) * 1e6, "µs each")
              for name, values in self.processor.items()),
        ]  # fmt: skip


def tools() -> tuple[debian.Program, debian.Program]:
    """Nginx and wrk.

    Raises:
        debian.Unavailable: with the remedy.
    """
    return debian.program("nginx", ["nginx"]), debian.program("wrk", ["wrk", "libluajit-5.1-2"])


def run(rounds: int) -> list[Measure]:
    """Measures page, JSON banner, and the page that the reader has already.

    Raises:
        debian.Unavailable: without nginx or wrk.
        RuntimeError: where the two do not answer the same.
    """
    nginx, client = tools()
    with tempfile.TemporaryDirectory(prefix="omroeper-", dir=installation.disk()) as name:
        folder = Path(name)
        with installation.running(folder, "sqlite", "") as product:
            from django.conf import settings  # noqa: PLC0415 - Django is set up only now

            from benchmarks import town  # noqa: PLC0415

            town.set_up(1, folder=settings.SITE_FOLDER)
            page = town.publish()
            pid = product.embedded.child("web").pid
            assert pid is not None
            ours = Server("omroeper", product.embedded.ports["web"], lambda: installation.processor_seconds(pid))
            with _running(nginx, settings.SITE_FOLDER, _workers(pid)) as theirs:
                return _measures(client, ours, theirs, page, rounds)


def _measures(client: debian.Program, ours: Server, theirs: Server, page: str, rounds: int) -> list[Measure]:
    kinds = {"a page": (page, 200), "the JSON banner": ("/banner.json", 200), "a page not changed (304)": (page, 304)}
    found = {what: Found() for what in kinds}
    for path, _ in kinds.values():
        if _get(ours.url(path))[1] != _get(theirs.url(path))[1]:
            raise RuntimeError(f"the two do not send the same at {path}")
    for number in range(rounds):
        say(f"pages, round {number + 1} of {rounds}")
        for what, (path, status) in kinds.items():
            for server in (theirs, ours):
                rate, processor = _asked(client, server, path, status)
                found[what].rates.setdefault(server.name, []).append(rate)
                found[what].processor.setdefault(server.name, []).append(processor)
                say(f"  {what}, {server.name}: {rate:,.0f} a second, {processor * 1e6:.0f} µs of processor time each")
    return [measure for what, each in found.items() for measure in each.measures(what)]


def _asked(client: debian.Program, server: Server, path: str, status: int) -> tuple[float, float]:
    """Answers per second, and processor seconds of an answer."""
    headers = []
    if status == 304:
        tag = _get(server.url(path))[2]
        headers = ["-H", f"If-None-Match: {tag}"]
        if _get(server.url(path), tag)[0] != status:
            raise RuntimeError(f"{server.name} sends the page again to who has it")
    before = server.used()
    told = subprocess.run(
        [client.path, "-t", "1", "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", *headers, server.url(path)],
        env=client.whole_environment, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    used = server.used() - before
    rate, answers = re.search(r"^Requests/sec:\s+([\d.]+)", told, re.MULTILINE), re.search(r"(\d+) requests in", told)
    if rate is None or answers is None or "Non-2xx" in told or "Socket errors" in told:
        raise RuntimeError(f"{server.name} did not answer all of it:\n{told}")
    return float(rate[1]), used / int(answers[1])


def _get(url: str, tag: str = "") -> tuple[int, bytes, str]:
    """Status, body and entity tag."""
    request = Request(url, headers={"If-None-Match": tag} if tag else {})  # noqa: S310 - our own, on loopback
    try:
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read(), answer.headers["ETag"]
    except HTTPError as error:
        return error.code, b"", ""


def _workers(pid: int) -> int:
    """How many workers the product's web server was started with."""
    command = Path(f"/proc/{pid}/cmdline").read_text().split("\0") if Path("/proc").exists() else []
    return int(command[command.index("--workers") + 1]) if "--workers" in command else 1


@contextmanager
def _running(nginx: debian.Program, site: Path, workers: int) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="omroeper-nginx-") as folder:
        settings = Path(folder) / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""  # the files belong to whoever runs the benchmark
        settings.write_text(
            _NGINX.format(user=user, workers=workers, folder=folder, host=HOST, port=port, site=site), "utf-8"
        )
        process = subprocess.Popen(
            [nginx.path, "-p", folder, "-e", "stderr", "-c", str(settings)], env=nginx.whole_environment,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            _wait(process, port)
            yield Server("nginx", port, lambda: installation.processor_seconds(process.pid))
        finally:
            process.terminate()
            process.wait()


def _wait(process: subprocess.Popen[str], port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.02)
    process.kill()
    said = process.stderr.read() if process.stderr else ""
    raise debian.Unavailable(f"nginx did not start: {said.strip()[-300:]}")
