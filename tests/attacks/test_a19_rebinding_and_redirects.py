"""A19: a name that leads elsewhere the second time, and servers that send us on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from channels.kit.egress import AddressNotAllowed, Egress
from channels.kit.http import HOPS, Http, NoAnswer, NotSent
from channels.kit.smtp_open import Endpoint, NotOpened, open_connection

NAME = "rebind.example"
PUBLIC = "93.184.215.14"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhallo"


class Resolver:
    """Answers for ``NAME`` with the next of ``answers``, the last one for ever; counts how often it was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.asked = 0
        real = asyncio.base_events.BaseEventLoop.getaddrinfo

        async def answer(loop: Any, host: Any, port: Any, **more: Any) -> Any:
            if host != NAME:
                return await real(loop, host, port, **more)
            addresses = answers[min(self.asked, len(answers) - 1)]
            self.asked += 1
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", answer)


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where connections beyond loopback would have gone: none of them is made."""
    wanted: list[str] = []
    real = asyncio.selector_events.BaseSelectorEventLoop.sock_connect

    async def connect(loop: Any, sock: socket.socket, address: Any) -> None:
        if not str(address[0]).startswith("127."):
            wanted.append(str(address[0]))
            raise ConnectionRefusedError(111, "no connection beyond loopback in a test")
        await real(loop, sock, address)

    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", connect)
    return wanted


class Far:
    """A server on a loopback address, and the heads of the requests that it got."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []


@asynccontextmanager
async def serving(answer: Callable[[bytes], bytes], host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Far]:
    far = Far(port)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far.requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer(far.requests[-1]))
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(handle, host, port)
    far.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield far


def moved(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()


def test_a19_a_name_is_resolved_once_and_the_checked_address_is_used(
    monkeypatch: pytest.MonkeyPatch, guarded: list[str]
) -> None:
    resolver = Resolver(monkeypatch, [PUBLIC], ["127.0.0.1"])

    async def run() -> None:
        async with serving(lambda _: OK) as inside, Http(Egress()) as http:
            with pytest.raises(NotSent):
                await http.send("GET", f"http://{NAME}:{inside.port}/")
            assert inside.requests == []

    asyncio.run(run())
    assert (resolver.asked, guarded) == (1, [PUBLIC])


def test_a19_the_next_connection_is_judged_by_its_own_answer(
    monkeypatch: pytest.MonkeyPatch, guarded: list[str]
) -> None:
    Resolver(monkeypatch, [PUBLIC], ["127.0.0.1"])
    told: list[str] = []

    async def run() -> None:
        async with serving(lambda _: OK) as inside, Http(Egress(told=told.append)) as http:
            for allowed in (True, False):
                with pytest.raises(NotSent) as refused:
                    await http.send("GET", f"http://{NAME}:{inside.port}/")
                assert refused.value.allowed is allowed
            assert inside.requests == []

    asyncio.run(run())
    assert (guarded, told) == ([PUBLIC], ["loopback"])


def test_a19_one_inner_address_among_public_ones_is_enough_to_refuse(
    monkeypatch: pytest.MonkeyPatch, guarded: list[str]
) -> None:
    Resolver(monkeypatch, [PUBLIC, "127.0.0.1"])

    async def run() -> None:
        with pytest.raises(AddressNotAllowed):
            await Egress().resolve(NAME, 443)

    asyncio.run(run())
    assert guarded == []


def test_a19_mail_is_no_other(monkeypatch: pytest.MonkeyPatch, guarded: list[str]) -> None:
    resolver = Resolver(monkeypatch, [PUBLIC], ["127.0.0.1"])

    async def run() -> None:
        async with serving(lambda _: b"220 hello\r\n") as inside:
            for _ in range(2):
                with pytest.raises(NotOpened):
                    await open_connection(Endpoint(host=NAME, port=inside.port, security="none"), Egress())
            assert inside.requests == []

    asyncio.run(run())
    assert (resolver.asked, guarded) == (2, [PUBLIC])


def test_a19_what_is_sent_follows_no_redirect() -> None:
    async def run() -> None:
        async with serving(lambda _: OK) as other, serving(lambda _: moved(f"http://localhost:{other.port}/")) as far:
            egress = Egress({("localhost", far.port), ("localhost", other.port)})
            async with Http(egress) as http:
                answer = await http.send("POST", f"http://localhost:{far.port}/", content=b"secret text")
            assert (answer.status, len(far.requests), other.requests) == (302, 1, [])

    asyncio.run(run())


@pytest.mark.parametrize(
    "inside",
    ["http://127.0.0.1:{}/", "http://[::1]:{}/", "http://2130706433:{}/", "//127.1:{}/", "http://169.254.169.254/"],
)
def test_a19_each_hop_of_reading_back_is_checked_anew(inside: str) -> None:
    async def run() -> None:
        async with serving(lambda _: OK) as other:
            async with (
                serving(lambda _: moved(inside.format(other.port))) as far,
                Http(Egress({("localhost", far.port)})) as http,
            ):
                with pytest.raises(NotSent) as refused:
                    await http.read(f"http://localhost:{far.port}/")
            assert (refused.value.allowed, other.requests) == (False, [])

    asyncio.run(run())


@pytest.mark.parametrize("onward", ["file:///etc/passwd", "gopher://localhost/", "ftp://localhost/", "unix:/tmp/x"])
def test_a19_no_hop_leads_to_another_scheme(onward: str) -> None:
    async def run() -> None:
        async with serving(lambda _: moved(onward)) as far, Http(Egress({("localhost", far.port)})) as http:
            with pytest.raises(NotSent) as refused:
                await http.read(f"http://localhost:{far.port}/")
        assert not refused.value.allowed

    asyncio.run(run())


def test_a19_twenty_hops_are_given_up_after_five() -> None:
    async def run() -> None:
        async with serving(lambda _: moved("/again")) as far, Http(Egress({("localhost", far.port)})) as http:
            with pytest.raises(NoAnswer):
                await http.read(f"http://localhost:{far.port}/")
        assert len(far.requests) == HOPS + 1

    asyncio.run(run())


def test_a19_credentials_stay_with_the_origin_they_were_given_for() -> None:
    given = {"Authorization": "Bearer secret", "Cookie": "s=1", "X-Api-Key": "secret", "Accept": "text/html"}

    async def run() -> None:
        async with serving(lambda _: OK) as other:
            away = moved(f"http://localhost:{other.port}/there")
            async with serving(lambda head: away if b"/second" in head else moved("/second")) as far:
                egress = Egress({("localhost", far.port), ("localhost", other.port)})
                async with Http(egress) as http:
                    answer = await http.read(f"http://localhost:{far.port}/", headers=given)
        assert answer.status == 200
        assert all(b"Bearer secret" in head for head in far.requests), "the same origin still gets them"
        (head,) = other.requests
        assert b"text/html" in head
        assert b"secret" not in head
        assert b"cookie" not in head.lower()

    asyncio.run(run())
