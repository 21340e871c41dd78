"""One SMTP connection that carries messages at about one round trip each (RFC 5321, RFC 2920).

Replies come in the order of what was said, so the connection keeps a queue of what it expects. On the 354 for one
message a single write carries its text, the final dot, and MAIL, RCPT and DATA of the next. Where the server does not
offer PIPELINING the same commands go one at a time.

A message counts as possibly taken from the moment the write that holds its final dot begins. Up to ``ONE_WRITE`` octets
that is the one write; a longer text goes first, and the dot only once the system has taken all of it.
"""

from __future__ import annotations

import sys
from collections import deque
from time import monotonic
from typing import Protocol

from channels.contract import Outcome, Reason, Recipient
from channels.kit.smtp_outcomes import Moment, Silence, Stops, Verdict, judge
from channels.kit.smtp_wire import Reply, Wire

ONE_WRITE = 64 * 1024
_NEEDS_UTF8 = Verdict(Outcome.REJECTED, Reason.ADDRESS_NOT_SUPPORTED)
_TOO_LARGE = Verdict(Outcome.REJECTED, Reason.TOO_LARGE)


class Mail:
    """One message to one recipient, ready for the wire.

    ``content`` is the whole message with CRLF line ends, without the final dot; no line of it begins with a dot.
    ``sender`` and ``address`` are what stands between the angle brackets of MAIL and RCPT. ``open`` until its receipt
    is known.
    """

    __slots__ = ("address", "content", "open", "recipient", "remote_id", "sender", "utf8")

    def __init__(
        self, recipient: Recipient, remote_id: str, sender: bytes, address: bytes, content: bytes, *, utf8: bool = False
    ) -> None:
        self.recipient = recipient
        self.remote_id = remote_id
        self.sender = sender
        self.address = address
        self.content = content
        self.utf8 = utf8
        self.open = True


class Work(Protocol):
    """Who gives a connection its messages and hears what came of them."""

    def next_mail(self, connection: Connection) -> Mail | None:
        """The next message for this connection, or ``None``: then it falls idle until ``start``."""

    def idle(self, connection: Connection) -> None: ...

    def accepted(self, mail: Mail, text: str) -> None: ...

    def judged(self, mail: Mail, moment: Moment, verdict: Verdict, text: str) -> None: ...

    def lost(self, connection: Connection, code: str, text: str, never_begun: Mail | None) -> None:
        """The connection is gone. ``never_begun`` was not even looked at by the server and may go another way."""


class Connection(Wire[Mail]):
    """See the module. ``work`` is set while messages are carried."""

    def __init__(self) -> None:
        super().__init__()
        self.work: Work | None = None
        self.reused = False  # it lay idle between two runs: the server may have closed it unseen
        self.begun = 0  # messages since it was opened
        self.finished = 0  # messages with an answer of their own since it was opened or taken up again
        self.attempt_since = 0.0  # since when the message at the head has been under way
        self._unsaid: deque[tuple[Moment, Mail, bytes]] = deque()  # without PIPELINING: what waits for its turn
        self._text_under_way: Mail | None = None  # a long text is being written, its dot is not yet
        self._reset_first = False

    def resume_writing(self) -> None:
        if self._text_under_way is not None and not self.gone:
            mail, self._text_under_way = self._text_under_way, None
            self._end_text(mail, b"")

    @property
    def busy(self) -> bool:
        return bool(self._expected) or self._text_under_way is not None

    @property
    def pipelining(self) -> bool:
        return "PIPELINING" in self.extensions

    def objection(self, mail: Mail) -> tuple[Verdict, str] | None:
        """Why this server cannot be given ``mail`` at all; ``None`` where it can."""
        if mail.utf8 and "SMTPUTF8" not in self.extensions:
            return _NEEDS_UTF8, "the address needs SMTPUTF8, which the mail server does not offer"
        if len(mail.content) > self._largest:
            return _TOO_LARGE, f"the mail server takes at most {self._largest} octets"
        return None

    @property
    def _largest(self) -> int:
        size = self.extensions.get("SIZE", "")
        return int(size) if size.isdecimal() and int(size) else sys.maxsize

    def start(self, mail: Mail) -> None:
        """Begins ``mail`` on an idle connection."""
        self.waiting_since = self.attempt_since = monotonic()
        self.write(self._envelope(mail))

    def expire(self, text: str) -> None:
        """The reply that is due has been so for too long."""
        self.lose(Silence.TIMEOUT, text)

    def _envelope(self, mail: Mail) -> bytes:
        """The commands that come before the text, as far as they may be said at once; expects their replies."""
        options = b" SMTPUTF8" if mail.utf8 else b""
        if "SIZE" in self.extensions:
            options += b" SIZE=%d" % len(mail.content)
        reset, self._reset_first = self._reset_first, False
        if self.pipelining:
            if reset:
                self._expected.append((Moment.RESET, mail))
            self._expected.extend(((Moment.MAIL, mail), (Moment.RCPT, mail), (Moment.DATA, mail)))
            said = b"MAIL FROM:<%b>%b\r\nRCPT TO:<%b>\r\nDATA\r\n" % (mail.sender, options, mail.address)
            return b"RSET\r\n" + said if reset else said
        self._unsaid.extend(
            (
                (Moment.MAIL, mail, b"MAIL FROM:<%b>%b\r\n" % (mail.sender, options)),
                (Moment.RCPT, mail, b"RCPT TO:<%b>\r\n" % mail.address),
                (Moment.DATA, mail, b"DATA\r\n"),
            )
        )
        if reset:
            self._unsaid.appendleft((Moment.RESET, mail, b"RSET\r\n"))
        return self._next_unsaid()

    def _next_unsaid(self) -> bytes:
        moment, mail, line = self._unsaid.popleft()
        self._expected.append((moment, mail))
        return line

    def message_answered(self, moment: Moment, message: Mail, lines: list[bytes]) -> None:
        code = lines[-1][:3]
        if moment is Moment.DATA:
            self._data_answered(message, code, lines)
        elif moment is Moment.DOT:
            self._dot_answered(message, code, lines)
        elif code[:1] != b"2":
            self._refused(moment, message, Reply(lines))
        elif self._unsaid:
            self.write(self._next_unsaid())

    def unasked(self, reply: Reply) -> None:
        """A reply to nothing: a goodbye while idle, or an objection in the middle of a long text."""
        if self._text_under_way is not None:
            mail = self._text_under_way
            self._judge(Moment.DATA, mail, reply)
        self.lose(reply.code, reply.text)

    def _data_answered(self, mail: Mail, code: bytes, lines: list[bytes]) -> None:
        if code == b"354":
            if len(mail.content) <= ONE_WRITE:
                self._end_text(mail, mail.content if mail.open else b"")
            elif mail.open:
                self._write_long(mail)
            else:
                self._end_text(mail, b"")
            return
        self._refused(Moment.DATA, mail, Reply(lines))
        if not self.gone and self.pipelining:
            self._go_on()

    def _write_long(self, mail: Mail) -> None:
        assert self.transport is not None
        self._text_under_way = mail
        self.transport.write(mail.content)
        if self.transport.get_write_buffer_size() == 0:
            self.resume_writing()

    def _end_text(self, mail: Mail, content: bytes) -> None:
        """One write: what is left of the text, the final dot, and the next message's commands."""
        assert self.work is not None
        self._expected.append((Moment.DOT, mail))
        said = content + b".\r\n"
        if self.pipelining:
            following = self.work.next_mail(self)
            if following is not None:
                said += self._envelope(following)
        self.write(said)

    def _dot_answered(self, mail: Mail, code: bytes, lines: list[bytes]) -> None:
        assert self.work is not None
        if code[:1] != b"3":  # a 3yz is no answer to a message
            self.finished += 1
        self.attempt_since = self.waiting_since
        if mail.open:
            if code[:1] == b"2":
                mail.open = False
                self.work.accepted(mail, lines[-1][4:].decode(errors="replace").strip())
            else:
                self._judge(Moment.DOT, mail, Reply(lines))
        if not self._expected and not self.gone:
            self._go_on()

    def _refused(self, moment: Moment, mail: Mail, reply: Reply) -> None:
        if moment is Moment.RESET:
            self.lose(Silence.GARBAGE, reply.text)
            return
        if reply.code == "421" and self._unseen_goodbye(moment, Silence.CLOSED):
            self._expected.appendleft((moment, mail))
            self.lose(Silence.CLOSED, reply.text)
            return
        self._reset_first = True  # whether or not the server still has the envelope open, RSET closes it
        if mail.open:
            self._judge(moment, mail, reply)
        if not self.gone and not self.pipelining:
            self._unsaid.clear()
            self._go_on()

    def _judge(self, moment: Moment, mail: Mail, reply: Reply) -> None:
        assert self.work is not None
        verdict = judge(moment, reply.code, reply.enhanced)
        mail.open = False
        self.work.judged(mail, moment, verdict, f"{reply.code} {reply.text}")
        if verdict.stops is Stops.CONNECTION:
            self.lose(reply.code, reply.text)

    def _go_on(self) -> None:
        assert self.work is not None
        mail = self.work.next_mail(self)
        if mail is None:
            self.work.idle(self)
        else:
            self.start(mail)

    def lost(self, code: str, text: str, waiting: list[tuple[Moment, Mail]]) -> None:
        """Every message that was under way gets the verdict of the moment it had reached."""
        if self._text_under_way is not None:
            waiting.insert(0, (Moment.DATA, self._text_under_way))
            self._text_under_way = None
        waiting.extend((moment, mail) for moment, mail, _ in self._unsaid)
        never_begun = None
        for moment, mail in waiting:
            if not mail.open:
                continue
            mail.open = False
            if self._unseen_goodbye(moment, code):
                never_begun = mail
            elif self.work is not None:
                self.work.judged(mail, moment, judge(moment, code), text)
        if self.work is not None:
            self.work.lost(self, code, text, never_begun)

    def _unseen_goodbye(self, moment: Moment, code: str) -> bool:
        """Whether the server had closed this idle connection before it heard of the message."""
        return self.reused and self.finished == 0 and moment in (Moment.MAIL, Moment.RESET) and code == Silence.CLOSED
