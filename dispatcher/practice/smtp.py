"""The commands of a mail server (RFC 5321), as far as a sender of mailings meets them.

PIPELINING (RFC 2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), ENHANCEDSTATUSCODES (2034), and where switched on
STARTTLS (3207) and AUTH (4954). Strict where large providers are: lines end with CRLF and nothing else. A library's
server spends some hundred microseconds on a message; this one is to stay out of the way of what is measured with it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from dispatcher.practice.faults import Moment
from dispatcher.practice.line import Line
from dispatcher.practice.login import Login

if TYPE_CHECKING:
    from dispatcher.practice.mail_server import MailServer

MAX_SIZE = 10 * 1024 * 1024
MAX_RECIPIENTS = 1000
_MAX_COMMAND = 4096
_PATH = re.compile(rb':\s*<((?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>(?: +(.*))?$', re.DOTALL)
# What a mailing sends for each of its messages, in one piece: recognised at once, with the same answers.
_ENVELOPE = re.compile(
    rb"MAIL FROM:<([!#-;=?-~]*)>(?: SIZE=[0-9]{1,7}| BODY=8BITMIME)*\r\nRCPT TO:<([!#-;=?-~]+@[!#-;=?-~]+)>\r\nDATA\r\n"
)
_TAKEN = b"250 2.0.0 Taken\r\n"
_OK = b"250 2.0.0 Ok\r\n"
_SENDER_OK = b"250 2.1.0 Ok\r\n"
_RECIPIENT_OK = b"250 2.1.5 Ok\r\n"
_GO_AHEAD = b"354 End with a dot on a line of its own\r\n"
_ENVELOPE_OK = _SENDER_OK + _RECIPIENT_OK + _GO_AHEAD


class Session(Line):
    """One sender: greets, takes messages, says what is wrong."""

    def __init__(self, server: MailServer) -> None:
        super().__init__(server)
        self._secure = server.tls == "implicit"
        self._login = Login(*server.credentials) if server.credentials else None
        self._greeted = False
        self._sender: str | None = None
        self._utf8 = False
        self._recipients: list[str] = []
        self._in_body = False
        self._body_met = False
        self._searched = 0
        self._too_large = False
        self._upgrade: asyncio.Task[None] | None = None

    def step(self) -> bool:
        return self._read_body() if self._in_body else self._read_command()

    @property
    def _plain_so_far(self) -> bool:
        """Between messages, with nothing said that makes the next one special."""
        return self._greeted and self._sender is None and self._login is None

    def say(self, answer: bytes) -> None:
        """An answer that faults leave alone."""
        self._answers.append(answer)

    def _read_command(self) -> bool:
        buffer = self._buffer
        if self._plain_so_far and not self.server.switchboard.on and (envelope := _ENVELOPE.match(buffer)):
            sender, recipient = envelope.groups()
            self._sender, self._recipients = sender.decode(), [recipient.decode()]
            self._in_body = True
            del buffer[: envelope.end()]
            self.say(_ENVELOPE_OK)
            return True
        end = buffer.find(b"\r\n")
        if end < 0:
            if len(buffer) > _MAX_COMMAND:
                self.say(b"500 5.5.2 Line too long\r\n")
                self.hang_up()
            return False
        line = bytes(buffer[:end])
        del buffer[: end + 2]
        if self._login is not None and self._login.waiting:
            self.say(self._login.proceed(line))
            return True
        verb, _, rest = line.partition(b" ")
        command = _COMMANDS.get(verb.upper())
        if command is None or b"\n" in line or b"\r" in line:
            self.say(b"500 5.5.2 Command not understood\r\n")
        else:
            command(self, rest)
        return True

    def _read_body(self) -> bool:
        buffer = self._buffer
        if self.server.switchboard.on and buffer and not self._body_met:
            self._body_met = True
            if not self.act(self.server.switchboard.strike(Moment.BODY, self), b""):
                return False
        if buffer.startswith(b".\r\n") and not self._too_large:
            content = b""
            del buffer[:3]
        else:
            end = buffer.find(b"\r\n.\r\n", max(0, self._searched - 4))
            if end < 0:
                if self._too_large or len(buffer) > MAX_SIZE:
                    self._too_large = True
                    del buffer[:-4]
                self._searched = len(buffer)
                return False
            content = bytes(buffer[: end + 2])
            del buffer[: end + 5]
        self._message(content)
        return True

    def _message(self, content: bytes) -> None:
        """The whole message is here. What is taken is on record before the answer stands ready."""
        fault = self.server.switchboard.strike(Moment.AFTER_DOT, self) if self.server.switchboard.on else None
        sender, recipients, too_large = self._sender or "", self._recipients, self._too_large
        self._reset()
        taken = False
        if too_large:
            answer = b"552 5.3.4 Message too large\r\n"
        elif content.count(b"\n") != content.count(b"\r"):
            answer = b"550 5.6.0 Lines must end with CRLF (RFC 5321, 2.3.8)\r\n"
        else:
            answer, taken = _TAKEN, fault is None or fault.takes
        if taken and not self.server.take(self, content, sender, recipients):
            answer, taken = b"452 4.3.1 No room to keep it, try again later\r\n", False
        self.act(fault, answer)
        self.message_answered(taken)

    def _reset(self) -> None:
        self._sender = None
        self._utf8 = False
        self._recipients = []
        self._in_body = self._body_met = self._too_large = False
        self._searched = 0

    def _ehlo(self, rest: bytes) -> None:
        if not rest.strip():
            self.say(b"501 5.5.4 Say who you are: EHLO name\r\n")
            return
        offered = [name for name in self._extensions() if name.split()[0] not in self.server.switchboard.missing()]
        words = ["practice.invalid", *offered]
        lines = [f"250-{word}\r\n" for word in words[:-1]] + [f"250 {words[-1]}\r\n"]
        if self.meet(Moment.EHLO, "".join(lines).encode()):
            self._reset()
            self._greeted = True

    def _extensions(self) -> list[str]:
        offered = ["PIPELINING", f"SIZE {MAX_SIZE}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if self.server.tls == "starttls" and not self._secure:
            offered.append("STARTTLS")
        elif self._login is not None:
            offered.append("AUTH PLAIN LOGIN")
        return offered

    def _offers(self, name: str) -> bool:
        here = any(extension.split()[0] == name for extension in self._extensions())
        return here and name not in self.server.switchboard.missing()

    def _helo(self, _rest: bytes) -> None:
        if self.meet(Moment.EHLO, b"250 practice.invalid\r\n"):
            self._reset()
            self._greeted = True

    def _mail(self, rest: bytes) -> None:
        found = _PATH.match(rest, 4) if rest[:4].upper() == b"FROM" else None
        if not self._greeted or self._sender is not None:
            self.say(b"503 5.5.1 Out of order\r\n")
        elif self._login is not None and not self._login.known:
            self.say(b"530 5.7.0 Log in first\r\n")
        elif found is None:
            self.say(b"501 5.5.4 Write MAIL FROM:<address>\r\n")
        elif (problem := self._parameters(found[2])) or (problem := self._unreadable(found[1])):
            self.say(problem)
        elif self.meet(Moment.MAIL, _SENDER_OK):
            self._sender = found[1].decode()

    def _parameters(self, text: bytes | None) -> bytes:
        """What is wrong with the parameters of MAIL, as an answer; empty when nothing is."""
        self._utf8 = False
        for parameter in (text or b"").split():
            name, _, value = parameter.upper().partition(b"=")
            if name == b"SIZE" and value.isdigit() and self._offers("SIZE"):
                if int(value) > MAX_SIZE:
                    return b"552 5.3.4 Message too large\r\n"
            elif name == b"SMTPUTF8" and not value and self._offers("SMTPUTF8"):
                self._utf8 = True
            elif not (
                (name == b"BODY" and value in {b"7BIT", b"8BITMIME"} and self._offers("8BITMIME"))
                or (name == b"AUTH" and self._offers("AUTH"))
            ):
                return b"555 5.5.4 Parameter not supported: " + parameter + b"\r\n"
        return b""

    def _unreadable(self, path: bytes) -> bytes:
        """What is wrong with the characters of an address, as an answer; empty when nothing is."""
        if path.isascii():
            return b""
        try:
            path.decode()
        except UnicodeDecodeError:
            return b"501 5.1.3 The address is not UTF-8\r\n"
        return b"" if self._utf8 else b"553 5.6.7 Address needs SMTPUTF8\r\n"

    def _rcpt(self, rest: bytes) -> None:
        found = _PATH.match(rest, 2) if rest[:2].upper() == b"TO" else None
        if self._sender is None:
            self.say(b"503 5.5.1 Say MAIL FROM first\r\n")
        elif found is None or b"@" not in found[1]:
            self.say(b"501 5.1.3 Write RCPT TO:<address>\r\n")
        elif found[2]:
            self.say(b"555 5.5.4 Parameter not supported\r\n")
        elif problem := self._unreadable(found[1]):
            self.say(problem)
        elif len(self._recipients) >= MAX_RECIPIENTS:
            self.say(b"452 4.5.3 Too many recipients\r\n")
        else:
            recipient = found[1].decode()
            if self.meet(Moment.RCPT, _RECIPIENT_OK, recipient):
                self._recipients.append(recipient)

    def _data(self, _rest: bytes) -> None:
        if self._sender is None:
            self.say(b"503 5.5.1 Say MAIL FROM first\r\n")
        elif not self._recipients:
            self.say(b"554 5.5.1 No valid recipients\r\n")
        else:
            self._in_body = self.meet(Moment.DATA, _GO_AHEAD)

    def _rset(self, _rest: bytes) -> None:
        self._reset()
        self.say(_OK)

    def _noop(self, _rest: bytes) -> None:
        self.say(_OK)

    def _vrfy(self, _rest: bytes) -> None:
        self.say(b"252 2.5.0 Send it and see\r\n")

    def _quit(self, _rest: bytes) -> None:
        self.say(b"221 2.0.0 Bye\r\n")
        self.hang_up()

    def _starttls(self, _rest: bytes) -> None:
        if not self._offers("STARTTLS"):
            self.say(b"502 5.5.1 Not here\r\n")
            return
        self._buffer.clear()  # what was said in the clear must not count afterwards (RFC 3207, 4.2)
        self.say(b"220 2.0.0 Go ahead\r\n")
        self.flush()
        self.held = True
        self._upgrade = asyncio.create_task(self._secure_line())

    async def _secure_line(self) -> None:
        context = self.server.ssl_context
        assert context is not None
        try:
            secured = await asyncio.get_running_loop().start_tls(self.transport, self, context, server_side=True)
        except (ssl.SSLError, OSError):
            self.transport.abort()
            return
        if secured is None:  # the other side hung up meanwhile
            return
        self.transport = secured
        self._secure, self._greeted, self.held = True, False, False
        self._reset()
        self.advance()

    def _auth(self, rest: bytes) -> None:
        if self._login is not None and self._offers("AUTH"):
            self.say(self._login.begin(rest))
        elif self._login is not None and self.server.tls == "starttls" and not self._secure:
            self.say(b"538 5.7.11 Say STARTTLS first\r\n")
        else:
            self.say(b"502 5.5.1 Not here\r\n")


_COMMANDS: dict[bytes, Callable[[Session, bytes], None]] = {
    b"EHLO": Session._ehlo,
    b"HELO": Session._helo,
    b"MAIL": Session._mail,
    b"RCPT": Session._rcpt,
    b"DATA": Session._data,
    b"RSET": Session._rset,
    b"NOOP": Session._noop,
    b"VRFY": Session._vrfy,
    b"QUIT": Session._quit,
    b"STARTTLS": Session._starttls,
    b"AUTH": Session._auth,
}
