"""A real web server for tests: granian, with a published site in front of an application that tells what reached it."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from channels.kit.egress import Egress
from channels.website import Website
from tests.support.site import website


@dataclass
class Answer:
    """A response, with its header names in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Edge:
    """A running server and its folder."""

    port: int
    folder: Path

    @property
    def base_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def site(self) -> Website:
        return website(self.folder, base_url=self.base_url, egress=Egress({("localhost", self.port)}))

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def raw(self, sent: bytes, *, then: bytes = b"") -> bytes:
        """What comes back for these very octets until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            line.sendall(sent)
            if then:
                line.sendall(then)
            received = b""
            while chunk := line.recv(65536):
                received += chunk
            return received


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, application: str = "tests.support.edge:application", **environment: str) -> Iterator[Edge]:
    """Granian with ``application``, ready to answer."""
    port = free_port()
    values = {"EDGE_SITE": str(folder), "EDGE_ASSETS": str(folder.parent / "built"), **environment}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port)),
            # A worker that is asked to stop while it starts does not hear it; granian waits for it for ever otherwise.
            *("--workers", "2", "--workers-kill-timeout", "3", "--no-ws", application),
        ],
        env={**os.environ, **values},
        cwd=Path(__file__).parents[2],
    )
    edge = Edge(port, folder)
    try:
        until = time.monotonic() + 60
        while True:
            try:
                edge.ask("/ready")
                break
            except OSError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < until, "the server did not start"
                time.sleep(0.05)
        yield edge
    finally:
        process.terminate()
        process.wait(30)
