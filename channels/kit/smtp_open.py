"""Opening an SMTP connection: address policy, greeting, EHLO, TLS (RFC 3207, RFC 8314), AUTH (RFC 4954)."""

from __future__ import annotations

import asyncio
import base64
import ssl
from dataclasses import dataclass, field
from typing import cast

from channels.kit.egress import AddressNotAllowed, Egress
from channels.kit.smtp import Connection
from channels.kit.smtp_outcomes import Moment, Silence, Stops, Verdict, judge
from channels.kit.smtp_wire import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An SMTP server and how to speak to it. Times are in seconds.

    ``security`` is ``none``, ``starttls`` (and no further without it) or ``tls``. ``opening`` is the limit of all that
    comes before the first message, ``reply`` of one reply, ``attempt`` of one message. Without ``hello`` we give our
    own address as a literal (RFC 5321 section 4.1.3).
    """

    host: str
    port: int
    security: str
    username: str = ""
    password: str = field(default="", repr=False)
    hello: str = ""
    ca_file: str = ""
    opening: float = 10.0
    reply: float = 30.0
    attempt: float = 60.0


class NotOpened(Exception):
    """No connection: at ``moment``, with this ``verdict``. The message is fit for staff, without secrets."""

    def __init__(self, moment: Moment, verdict: Verdict, text: str) -> None:
        super().__init__(text)
        self.moment = moment
        self.verdict = verdict


async def open_connection(endpoint: Endpoint, egress: Egress) -> Connection:
    """A connection that is ready for messages.

    Raises:
        NotOpened: if there is none to be had, for whatever reason, within ``endpoint.opening``.
    """
    opening = _Opening(endpoint)
    try:
        async with asyncio.timeout(endpoint.opening):
            return await opening.run(egress)
    except NotOpened:
        opening.give_up()
        raise
    except AddressNotAllowed as refused:
        verdict = judge(Moment.CONNECT, Silence.REFUSED)
        raise NotOpened(opening.moment, Verdict(verdict.outcome, verdict.reason, Stops.PERSON), str(refused)) from None
    except TimeoutError:
        text = f"no answer from {endpoint.host}:{endpoint.port} within {endpoint.opening:g} s (at {opening.moment})"
        verdict = judge(opening.moment, Silence.TIMEOUT)
    except ssl.SSLError as error:
        text = f"TLS with {endpoint.host} failed: {getattr(error, 'verify_message', '') or error.reason or error}"
        verdict = judge(opening.moment, Silence.CLOSED)
    except OSError as error:
        text = f"{endpoint.host}:{endpoint.port} at {opening.moment}: {error.strerror or error}"
        verdict = judge(opening.moment, Silence.CLOSED if opening.connected else Silence.REFUSED)
    finally:
        if not opening.done:
            opening.give_up()
    raise NotOpened(opening.moment, verdict, endpoint_words(endpoint, text))


def endpoint_words(endpoint: Endpoint, text: str) -> str:
    """``text`` as it may be shown: one line, at most 200 characters, without the password in any form we sent it."""
    if endpoint.password:
        for secret in (endpoint.password, _plain(endpoint), _base64(endpoint.password)):
            text = text.replace(secret, "***")
    return one_line(text)


def one_line(text: str) -> str:
    """``text`` on one line without control characters, at most 200 characters."""
    if len(text) > 200 or not text.isprintable():
        text = " ".join("".join(c if c.isprintable() else " " for c in text[:600]).split())
    return text[:200]


class _Opening:
    """One attempt, step by step. ``moment`` is how far it came."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.moment = Moment.CONNECT
        self.connected = False
        self.done = False
        self._connection: Connection | None = None

    def give_up(self) -> None:
        if self._connection is not None:
            self._connection.drop()

    async def run(self, egress: Egress) -> Connection:
        connection = await self._connect(egress)
        await self._hello(connection)
        if self.endpoint.security == "starttls":
            await self._start_tls(connection)
        if self.endpoint.username:
            await self._log_in(connection)
        self.done = True
        return connection

    async def _connect(self, egress: Egress) -> Connection:
        """Tries each address of the host in turn, and waits for the greeting."""
        endpoint = self.endpoint
        loop = asyncio.get_running_loop()
        secure = endpoint.security == "tls"
        connection = Connection()
        refused: OSError = OSError("no address")
        for address in await egress.resolve(endpoint.host, endpoint.port):
            try:
                await loop.create_connection(
                    lambda: connection,
                    address,
                    endpoint.port,
                    ssl=tls_context(endpoint) if secure else None,
                    server_hostname=endpoint.host if secure else None,
                )
                break
            except ssl.SSLError:
                raise
            except OSError as error:
                refused = error
        else:
            raise refused
        self._connection, self.connected = connection, True
        self._require(await connection.say(Moment.CONNECT, ""), "220")
        return connection

    async def _hello(self, connection: Connection) -> None:
        name = self.endpoint.hello or _address_literal(connection)
        self.moment = Moment.HELLO
        reply = await connection.say(Moment.HELLO, f"EHLO {name}")
        if reply.code in ("500", "502", "504"):  # a server from before EHLO: it has no extensions
            self._require(await connection.say(Moment.HELLO, f"HELO {name}"), "250")
            return
        self._require(reply, "250")
        for line in reply.lines[1:]:
            keyword, _, parameters = line.partition(" ")
            connection.extensions[keyword.upper()] = parameters.strip()

    async def _start_tls(self, connection: Connection) -> None:
        self.moment = Moment.STARTTLS
        if "STARTTLS" not in connection.extensions:
            verdict = judge(Moment.STARTTLS, Silence.GARBAGE)
            raise NotOpened(self.moment, verdict, f"{self.endpoint.host} does not offer STARTTLS; nothing was sent")
        self._require(await connection.say(Moment.STARTTLS, "STARTTLS"), "220")
        await connection.start_tls(tls_context(self.endpoint), self.endpoint.host)
        await self._hello(connection)  # RFC 3207 section 4.2: what was learned before does not count

    async def _log_in(self, connection: Connection) -> None:
        self.moment = Moment.AUTH
        offered = connection.extensions.get("AUTH", "").upper().split()
        if "PLAIN" in offered:
            reply = await connection.say(Moment.AUTH, f"AUTH PLAIN {_plain(self.endpoint)}")
        elif "LOGIN" in offered:
            reply = await connection.say(Moment.AUTH, "AUTH LOGIN")
            for answer in (self.endpoint.username, self.endpoint.password):
                self._require(reply, "334")
                reply = await connection.say(Moment.AUTH, _base64(answer))
        else:
            verdict = judge(Moment.AUTH, "504")
            raise NotOpened(self.moment, verdict, f"{self.endpoint.host} offers neither AUTH PLAIN nor AUTH LOGIN")
        self._require(reply, "235")

    def _require(self, reply: Reply, code: str) -> None:
        if reply.code == code:
            return
        words = endpoint_words(self.endpoint, f"{self.moment}: {reply.code} {reply.text}")
        raise NotOpened(self.moment, judge(self.moment, reply.code, reply.enhanced), words)


def tls_context(endpoint: Endpoint) -> ssl.SSLContext:
    """Verifies certificate and name, always; ``ca_file`` names the authorities of a town's own network."""
    return ssl.create_default_context(cafile=endpoint.ca_file or None)


def _address_literal(connection: Connection) -> str:
    assert connection.transport is not None
    own = cast(str, connection.transport.get_extra_info("sockname")[0])
    return f"[IPv6:{own}]" if ":" in own else f"[{own}]"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _plain(endpoint: Endpoint) -> str:
    return _base64(f"\0{endpoint.username}\0{endpoint.password}")
