"""One HTTP client for all channels: it connects only where the policy allows, and says what is certain.

httpx raises the same error before and after a body was sent. Here only two things are certain: ``NotSent`` (there was
no connection, so nothing left us) and an ``Answer`` (its status line was read). All else is ``NoAnswer``.
"""

from __future__ import annotations

import asyncio
import importlib.util
import ssl
import sys
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from channels.kit.egress import AddressNotAllowed, Egress

# httpcore tries to import sniffio several times in each request. Where that is not installed, Python looks through its
# whole path every time, which took longer than the request. An entry of None ends the search at once.
if importlib.util.find_spec("sniffio") is None:
    sys.modules["sniffio"] = None  # type: ignore[assignment]

LIMIT = 1024 * 1024  # octets of an answer's body, after decompression
SECONDS = 30.0  # for a whole request, redirects included
HOPS = 5
_HARMLESS = frozenset({"accept", "accept-language", "user-agent"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class NotSent(Exception):
    """Nothing left us: the name is unknown, the connection was refused, or the policy does not allow it.

    ``allowed`` is false in that last case. The message names host and port, never a path or a credential.
    """

    def __init__(self, message: str, *, allowed: bool = True) -> None:
        super().__init__(message)
        self.allowed = allowed


class NoAnswer(Exception):
    """The request may have arrived; no status line came back, or it came too late."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status line and what followed. ``whole`` is false where the body was longer than allowed or broke off."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: str
    whole: bool = True

    @property
    def text(self) -> str:
        """The body as UTF-8; what is not, is replaced."""
        return self.body.decode("utf-8", "replace")


class Http:
    """A client whose connections stay open between requests. Use it as an async context manager."""

    def __init__(self, egress: Egress, *, seconds: float = SECONDS, limit: int = LIMIT) -> None:
        self._seconds = seconds
        self._limit = limit
        self._client = httpx.AsyncClient(
            transport=_Guarded(egress),
            # No proxy or credential from the environment: it would connect past the policy.
            trust_env=False,
            timeout=httpx.Timeout(seconds, connect=min(10.0, seconds)),
            headers={"User-Agent": "Omroeper", "Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """The answer to one request. Follows no redirect: a sent body or credential goes where it was meant to go.

        Raises:
            NotSent: if there was no connection.
            NoAnswer: if there was one and no status line came back within ``seconds``.
        """
        _check(url)
        request = self._client.build_request(method, url, headers=dict(headers or {}), content=content)
        return await self._exchange(request, _from_now(seconds or self._seconds))

    async def read(self, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """What the public reads at ``url``. Follows at most five redirects, each checked as the first was.

        Another origin (RFC 6454) than the first gets none of ``headers`` but those that say what can be read.

        Raises:
            NotSent: if a hop could not be connected to, or is no http or https address.
            NoAnswer: if no status line came back in time, or there were too many hops.
        """
        until = _from_now(self._seconds)
        given = dict(headers or {})
        for _ in range(HOPS + 1):
            _check(url)
            request = self._client.build_request("GET", url, headers=given)
            answer = await self._exchange(request, until)
            onward = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not onward:
                return answer
            onward = urljoin(url, onward)
            if _origin(onward) != _origin(url):
                given = {name: value for name, value in given.items() if name.lower() in _HARMLESS}
            url = onward
        raise NoAnswer(f"{_place(url)} leads on more than {HOPS} times")

    async def _exchange(self, request: httpx.Request, until: float) -> Answer:
        place = _place(str(request.url))
        try:
            async with asyncio.timeout_at(until):
                response = await self._client.send(request, stream=True, follow_redirects=False)
        except AddressNotAllowed as error:
            raise NotSent(str(error), allowed=False) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise NotSent(f"{place} cannot be reached") from None
        except TimeoutError:
            raise NoAnswer(f"{place} gave no answer in time") from None
        except httpx.TransportError as error:
            raise NoAnswer(f"{place} gave no answer ({type(error).__name__})") from None
        body = bytearray()
        try:
            async with asyncio.timeout_at(until):
                whole = await self._read_into(body, response)
        except (TimeoutError, httpx.TransportError, httpx.StreamError, zlib.error):
            whole = False
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, bytes(body), str(request.url), whole)

    async def _read_into(self, body: bytearray, response: httpx.Response) -> bool:
        """Reads at most ``limit`` octets, counted after decompression; whether that is all."""
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        packed = encoding in ("gzip", "deflate")
        if not packed and encoding != "identity":
            return False
        unpacker = zlib.decompressobj(wbits=47) if packed else None  # 47: gzip or zlib, by its header
        async for chunk in response.aiter_raw():
            # Unpacked at most to one octet beyond the limit: a small bomb makes no large body.
            body += unpacker.decompress(chunk, self._limit + 1 - len(body)) if unpacker else chunk
            if len(body) > self._limit:
                del body[self._limit :]
                return False
        return unpacker is None or unpacker.eof


def _from_now(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        raise NotSent("the address cannot be read", allowed=False) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or "\\" in url:
        raise NotSent("the address is no plain http or https address", allowed=False)


def _origin(url: str) -> tuple[str, str]:
    try:
        return urlsplit(url).scheme, _place(url)
    except ValueError:  # the next look at it says so
        return "", url


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


@cache
def _tls() -> ssl.SSLContext:
    """What servers' certificates are checked with: read once, it takes some milliseconds."""
    return httpx.create_ssl_context()


class _Guarded(httpx.AsyncHTTPTransport):
    """httpx's transport over a pool that connects through the policy; TLS is still checked against the name."""

    def __init__(self, egress: Egress) -> None:
        super().__init__(verify=_tls(), trust_env=False)
        # httpx offers no public way to choose how its pool connects; kit is the one place that knows this.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=50,
            max_keepalive_connections=10,
            keepalive_expiry=15,
            network_backend=_Backend(egress),
        )


class _Backend(httpcore.AsyncNetworkBackend):
    """Connects to an address that was resolved once and checked, whatever the resolver says a moment later."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            addresses = await self._egress.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"{host} is not known") from error
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002, ASYNC109
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("sockets in the file system are not for channels")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)
