"""The HTTP client of the channels, against servers that misbehave at the level of bytes."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from channels.kit.egress import Egress
from channels.kit.http import LIMIT, Answer, Http, NoAnswer, NotSent
from tests.support.tls import authority

OK = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhallo"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """What it was asked, and where it is."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []
        self.connections = 0

    def url(self, path: str = "/") -> str:
        return f"http://localhost:{self.port}{path}"

    @property
    def egress(self) -> Egress:
        return Egress({("localhost", self.port)})


@asynccontextmanager
async def serving(answer: Callable[[bytes], bytes | None], tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Answers each request with what ``answer`` makes of its head; ``None`` is silence until the client goes."""
    server = Server(0)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            server.requests.append(head)
            said = answer(head)
            if said is None:
                await reader.read()
            else:
                writer.write(said)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


def read(answer: Callable[[bytes], bytes | None], *, seconds: float = 10, path: str = "/") -> tuple[Answer, Server]:
    async def run() -> tuple[Answer, Server]:
        async with serving(answer) as server, Http(server.egress, seconds=seconds) as http:
            return await http.read(server.url(path)), server

    return asyncio.run(run())


def _moved(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()


def test_an_answer_is_a_status_and_a_body() -> None:
    answer, server = read(lambda _: OK)
    assert (answer.status, answer.text, answer.whole) == (200, "hallo", True)
    assert b"accept-encoding: identity" in server.requests[0].lower()


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1:{port}/", "http://[::1]:{port}/", "http://2130706433:{port}/", "http://0x7f.1:{port}/"),
        *(
            "http://127.1:{port}/",
            "http://[::ffff:127.0.0.1]:{port}/",
            "http://0:{port}/",
            "http://127。0。0。1:{port}/",
        ),
        *("http://017700000001:{port}/", "http://localhost.:{port}/", "http://LOCALHOST:{port}/"),
        *("http://169.254.169.254/", "http://[fd00::1]/", "http://100.64.0.1/", "http://[64:ff9b::7f00:1]/"),
    ],
)
def test_no_inner_address_is_connected_to_whatever_its_spelling(url: str) -> None:
    async def run() -> None:
        async with serving(lambda _: OK) as server, Http(Egress()) as http:
            where = url.format(port=server.port)
            for attempt in (http.read(where), http.send("POST", where, content=b"x")):
                with pytest.raises(NotSent):
                    await attempt
            assert server.connections == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://localhost/", "http://", "http://a@localhost/", "http://a\\@b/", "http://[x/", "x"],
)
def test_only_plain_web_addresses_are_opened(url: str) -> None:
    async def run() -> None:
        async with Http(Egress({("localhost", 80)})) as http:
            with pytest.raises(NotSent) as caught:
                await http.read(url)
            assert not caught.value.allowed

    asyncio.run(run())


def test_the_exception_is_for_one_host_and_port() -> None:
    async def run() -> None:
        async with serving(lambda _: OK) as server, Http(server.egress) as http:
            with pytest.raises(NotSent) as caught:
                await http.read(f"http://127.0.0.1:{server.port}/")
            assert not caught.value.allowed
            assert server.requests == []

    asyncio.run(run())


def test_five_redirects_are_followed_and_no_more() -> None:
    def onward(head: bytes) -> bytes:
        step = int(head.split()[1].removeprefix(b"/"))
        return OK if step == 0 else _moved(f"/{step - 1}")

    answer, server = read(onward, path="/5")
    assert answer.text == "hallo"
    assert answer.url == server.url("/0")
    with pytest.raises(NoAnswer, match="more than 5"):
        read(onward, path="/6")


@pytest.mark.parametrize("target", ["http://127.0.0.1:{port}/", "file:///etc/passwd", "http://user@localhost:{port}/"])
def test_each_hop_is_checked_anew(target: str) -> None:
    async def run() -> None:
        ports: list[int] = []
        async with serving(lambda _: _moved(target.format(port=ports[0]))) as server, Http(server.egress) as http:
            ports.append(server.port)
            with pytest.raises(NotSent) as caught:
                await http.read(server.url())
            assert not caught.value.allowed
            assert len(server.requests) == 1

    asyncio.run(run())


def test_what_is_sent_goes_nowhere_else() -> None:
    async def run() -> None:
        async with serving(lambda _: _moved("/elsewhere")) as server, Http(server.egress) as http:
            answer = await http.send("POST", server.url(), headers={"Authorization": "secret"}, content=b"text")
            assert answer.status == 302
            assert len(server.requests) == 1

    asyncio.run(run())


def test_a_body_is_read_up_to_the_limit() -> None:
    answer, _ = read(lambda _: b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + b"x" * (LIMIT + 5))
    assert not answer.whole
    assert len(answer.body) == LIMIT
    answer, _ = read(lambda _: b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + b"x" * LIMIT)
    assert answer.whole


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_body_that_unpacks_to_much_is_unpacked_up_to_the_limit(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    def packed(body: bytes) -> bytes:
        head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\nconnection: close\r\n\r\n"
        return head.encode() + pack(body)

    small_and_large = packed(bytes(200 * LIMIT))
    tracemalloc.start()
    bomb, _ = read(lambda _: small_and_large)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(bomb.body), bomb.whole) == (LIMIT, False)
    assert most < 10 * LIMIT
    small, _ = read(lambda _: packed(b"hallo"))
    assert (small.body, small.whole) == (b"hallo", True)
    torn, _ = read(lambda _: packed(b"hallo" * 100)[:-6])
    assert not torn.whole


def test_a_body_in_an_unknown_packing_is_not_taken_for_text() -> None:
    answer, _ = read(lambda _: OK.replace(b"content-type", b"content-encoding: br\r\ncontent-type"))
    assert (answer.body, answer.whole) == (b"", False)


def test_a_body_that_breaks_off_is_not_whole() -> None:
    answer, _ = read(lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\nconnection: close\r\n\r\nhalf")
    assert (answer.status, answer.body, answer.whole) == (200, b"half", False)


@pytest.mark.parametrize("said", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 twohundred OK\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
def test_without_a_status_line_there_is_no_answer(said: bytes) -> None:
    with pytest.raises(NoAnswer):
        read(lambda _: said)


def test_silence_is_no_answer() -> None:
    with pytest.raises(NoAnswer, match="in time"):
        read(lambda _: None, seconds=0.2)


def test_a_server_that_never_ends_is_given_up() -> None:
    async def run() -> None:
        async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            try:
                while True:
                    writer.write(b"x")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            except ConnectionError:
                pass

        listening = await asyncio.start_server(drip, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        async with listening, Http(Egress({("localhost", port)}), seconds=0.3) as http:
            answer = await http.read(f"http://localhost:{port}/")
            assert (answer.status, answer.whole) == (200, False), "its status line was an answer"

    asyncio.run(run())


def test_a_refused_connection_sent_nothing() -> None:
    async def run() -> None:
        async with serving(lambda _: OK) as server:
            port = server.port
        async with Http(Egress({("localhost", port)})) as http:
            with pytest.raises(NotSent, match="cannot be reached") as caught:
                await http.send("POST", f"http://localhost:{port}/hook?secret=x", content=b"x")
            assert caught.value.allowed
            assert "secret" not in str(caught.value)

    asyncio.run(run())


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    async def run() -> None:
        _, tls = authority(tmp_path)
        async with serving(lambda _: OK, tls=tls) as server, Http(server.egress) as http:
            with pytest.raises(NotSent):
                await http.send("POST", f"https://localhost:{server.port}/", content=b"x")
            assert server.requests == []

    asyncio.run(run())


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    answer, _ = read(lambda _: OK)
    assert answer.status == 200
