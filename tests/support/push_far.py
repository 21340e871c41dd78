"""A scripted push service on a loopback port: reads requests as octets, answers or fails as it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.kit.push_address import base64url

HOST = "127.0.0.1"
CLOSE, RESET, SILENCE, GARBAGE, HALF, SPLIT, ENDLESS, LATE, NEVER = (
    "closed without a word", "reset", "silence", "garbage", "half a status line", "an answer in pieces", "endless",
    "late", "never",
)  # fmt: skip
STATUSES = {201: "Created", 404: "Not Found", 410: "Gone", 413: "Content Too Large", 429: "Too Many Requests"}


@dataclass(frozen=True, slots=True)
class Pushed:
    """One request. ``device`` is the last part of its path."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def device(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Reply:
    """What it answers. ``taken``: whether it took the message, whatever it says."""

    status: int = 201
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    act: str = ""
    taken: bool = False

    def octets(self) -> bytes:
        head = f"HTTP/1.1 {self.status} {STATUSES.get(self.status, 'Whatever')}\r\nContent-Length: {len(self.body)}\r\n"
        return (head + "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())).encode() + b"\r\n"


def created(pushed: Pushed) -> Reply:
    """What a push service says that took a message."""
    name = hashlib.sha256(pushed.body).hexdigest()[:24]
    return Reply(201, {"Location": f"/message/{name}"}, taken=True)


class PushFarSide:
    """``taken`` is what it took, ``pushed`` all that came, each with the loop's time."""

    def __init__(self, behave: Callable[[Pushed], Reply]) -> None:
        self.behave = behave
        self.pushed: list[tuple[float, Pushed]] = []
        self.taken: list[tuple[Pushed, Reply]] = []
        self.connections = 0
        self.port = 0
        self.release = asyncio.Event()  # until then a late answer waits, and a connection that never gets one
        self._writers: set[asyncio.StreamWriter] = set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        pushed = Pushed(head[0].split(" ")[1], headers, body)
        self.pushed.append((asyncio.get_running_loop().time(), pushed))
        reply = self.behave(pushed)
        if reply.taken:
            self.taken.append((pushed, reply))
        return await self._answer(reply, reader, writer)

    async def _answer(self, reply: Reply, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection goes on."""
        octets = reply.octets() + reply.body
        match reply.act:
            case "":
                writer.write(octets)
            case "late":
                await self.release.wait()
                writer.write(octets)
            case "never":
                await self.release.wait()
                return False
            case "an answer in pieces":
                for octet in octets:
                    writer.write(bytes([octet]))
                    await asyncio.sleep(0)
            case "garbage":
                writer.write(b"220 mail.losser.example ESMTP\r\n\r\n")
            case "half a status line":
                writer.write(b"HTTP/1.1 2")
                return False
            case "endless":
                writer.write(f"HTTP/1.1 {reply.status} Yes\r\n\r\n".encode())
                with suppress(ConnectionError):
                    while True:
                        writer.write(b"x" * 65536)
                        await writer.drain()
                return False
            case "silence":
                await reader.read()
                return False
            case "reset":
                writer.transport.abort()
                return False
            case _:
                return False
        return True

    async def stop(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()


@asynccontextmanager
async def push_far(
    behave: Callable[[Pushed], Reply] = created, *, port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[PushFarSide]:
    """A far side that listens until it is left."""
    far = PushFarSide(behave)
    server = await asyncio.start_server(far._serve, HOST, port, ssl=tls, reuse_port=bool(port) or None, limit=2**20)
    far.port = server.sockets[0].getsockname()[1]
    try:
        yield far
    finally:
        server.close()
        await far.stop()


def reserved() -> socket.socket:
    """A port that is ours as long as the socket lives: nobody listens on it until ``push_far`` does."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((HOST, 0))
    return held


@dataclass(frozen=True, slots=True)
class Device:
    """A resident's device: it can read what is pushed to it."""

    name: str
    key: ec.EllipticCurvePrivateKey
    auth: bytes

    def address(self, origin: str) -> str:
        """The address of a subscription at the push service at ``origin``."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return json.dumps(
            {"auth": base64url(self.auth), "endpoint": f"{origin}/push/{self.name}", "p256dh": base64url(point)},
            separators=(",", ":"),
            sort_keys=True,
        )

    def read(self, pushed: Pushed) -> dict[str, Any]:
        """The notification of a message, decrypted by another implementation than ours."""
        text = http_ece.decrypt(pushed.body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")
        found: dict[str, Any] = json.loads(text)
        assert found["web_push"] == 8030
        notification: dict[str, Any] = found["notification"]
        return notification


@cache
def device(name: str) -> Device:
    """The device called ``name``: always the same."""
    digest = hashlib.sha256(name.encode()).digest()
    return Device(name, ec.derive_private_key(int.from_bytes(digest) >> 8, ec.SECP256R1()), digest[:16])


def claims(pushed: Pushed) -> dict[str, Any]:
    """What the token says, its signature not looked at."""
    token = pushed.headers["authorization"].partition("t=")[2].partition(",")[0]
    middle = token.split(".")[1]
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return said
