"""The far side of the push benchmark: takes whatever is pushed to it, answers 201 with a Location, keeps nothing.

It costs as little as a push service can, so that what is measured is us.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ANSWER = b"HTTP/1.1 201 Created\r\nLocation: /message/%d\r\nContent-Length: 0\r\n\r\n"


class _Taker(asyncio.Protocol):
    taken = 0

    def __init__(self) -> None:
        self._data = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._data, 0, end)
            whole = end + 4 + (int(found.group(1)) if found else 0)
            if len(self._data) < whole:
                return
            self._data = self._data[whole:]
            _Taker.taken += 1
            self._transport.write(_ANSWER % _Taker.taken)


@dataclass(frozen=True, slots=True)
class Sink:
    port: int
    pid: int


@contextmanager
def sink(certificate: Path | None = None) -> Iterator[Sink]:
    """A sink in a process of its own; over TLS with ``certificate`` (PEM, with its key)."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.push_sink",
        *(["--certificate", str(certificate)] if certificate else []),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        assert process.stdout is not None
        try:
            yield Sink(int(process.stdout.readline()), process.pid)
        finally:
            process.terminate()


async def _serve(certificate: str) -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = await asyncio.get_running_loop().create_server(_Taker, HOST, 0, ssl=context, backlog=256)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", default="")
    asyncio.run(_serve(parser.parse_args().certificate))
