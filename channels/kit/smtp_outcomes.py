"""What an SMTP server's answer, or the lack of one, means: one table for every moment of the protocol.

Sources: RFC 5321 section 4.2 (basic codes), RFC 3463 (enhanced codes), RFC 2034 (enhanced codes in replies). Where a
basic code and an enhanced code are of different classes the basic code decides and the enhanced code is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache

from channels.contract import Outcome, Reason


class Moment(StrEnum):
    """What we said last, and so what an answer is about."""

    CONNECT = "connect"  # the TCP (and TLS) connection, and the server's greeting
    HELLO = "EHLO"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    RESET = "RSET"
    NOOP = "NOOP"
    QUIT = "QUIT"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "final dot"  # the write that holds the final dot has begun


class Silence(StrEnum):
    """What came instead of an answer."""

    REFUSED = "refused"  # no connection could be made
    CLOSED = "closed"
    TIMEOUT = "silence"
    GARBAGE = "garbage"  # an answer that is none: no SMTP reply, or one that makes no sense here


class Stops(StrEnum):
    """How much stops beside the one message."""

    NOTHING = ""
    CONNECTION = "connection"  # this connection is given up; fewer are used for a while
    OUTLET = "outlet"  # waiting helps
    PERSON = "outlet, until a person has mended it"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What it comes to. ``retry_after`` in seconds is set where the answer's meaning tells how long to wait."""

    outcome: Outcome
    reason: Reason
    stops: Stops = Stops.NOTHING
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """``code`` and ``enhanced`` are patterns (``fnmatch``); ``-`` stands for an answer without an enhanced code."""

    moments: tuple[Moment, ...]
    code: str
    enhanced: str
    verdict: Verdict
    why: str


_DAY = 86_400.0
ANY = tuple(Moment)
_LET_IN = (Moment.CONNECT, Moment.HELLO, Moment.STARTTLS, Moment.AUTH)
_CONTENT = (Moment.MAIL, Moment.DATA, Moment.DOT)
_DOT, _MAIL, _RCPT = (Moment.DOT,), (Moment.MAIL,), (Moment.RCPT,)
_D, _R, _G, _U = Outcome.DEFERRED, Outcome.REJECTED, Outcome.GONE, Outcome.UNKNOWN

# The first row that fits holds. Every 4yz and 5yz finds a row.
OUTCOMES: tuple[Row, ...] = (
    Row(_DOT, "2*", "*", Verdict(Outcome.ACCEPTED, Reason.OK), "taken: the server answers for it from here"),
    # transient
    Row(ANY, "421", "4.7.*", Verdict(_D, Reason.THROTTLED, Stops.CONNECTION), "too fast: asked to slow down"),
    Row(ANY, "421", "*", Verdict(_D, Reason.BUSY, Stops.CONNECTION), "the server closes this connection"),
    Row((Moment.AUTH,), "4*", "*", Verdict(_D, Reason.BUSY, Stops.OUTLET), "log-in cannot be checked just now"),
    Row(ANY, "4*", "4.2.1", Verdict(_D, Reason.THROTTLED), "too much for this mailbox just now"),
    Row(ANY, "4*", "4.2.2", Verdict(_D, Reason.MAILBOX_FULL), "mailbox full"),
    Row(ANY, "4*", "4.3.1", Verdict(_D, Reason.STORAGE), "the server's disk is full"),
    Row(ANY, "4*", "4.5.3", Verdict(_D, Reason.THROTTLED), "too many recipients"),
    Row(ANY, "45[01]", "4.7.1", Verdict(_D, Reason.GREYLISTED), "greylisted: come back later"),
    Row(ANY, "4*", "4.7.2[3-9]", Verdict(_D, Reason.POLICY), "PTR, SPF, DKIM or TLS of our domain is amiss"),
    Row(ANY, "4*", "4.7.3[0-2]", Verdict(_D, Reason.POLICY), "DKIM or DMARC of our domain is amiss"),
    Row(ANY, "4*", "4.7.40", Verdict(_D, Reason.POLICY), "DMARC of our domain is amiss"),
    Row(ANY, "4*", "4.7.*", Verdict(_D, Reason.THROTTLED), "too fast: asked to slow down"),
    Row(ANY, "452", "-", Verdict(_D, Reason.STORAGE), "no room at the server just now"),
    Row(ANY, "4*", "*", Verdict(_D, Reason.BUSY), "not now"),
    # about us, whatever the recipient: a person has to mend it, and then the message is due again
    Row(_LET_IN, "5*", "*", Verdict(_D, Reason.POLICY, Stops.PERSON), "not let in"),
    Row(ANY, "53[0458]", "*", Verdict(_D, Reason.POLICY, Stops.PERSON), "log-in needed or wrong"),
    Row(ANY, "5*", "5.4.5", Verdict(_D, Reason.THROTTLED, Stops.OUTLET, _DAY), "our limit of the day is reached"),
    Row(ANY, "5*", "5.7.*", Verdict(_D, Reason.POLICY, Stops.PERSON), "policy: our domain or content is refused"),
    Row(ANY, "5*", "5.1.[78]", Verdict(_D, Reason.POLICY, Stops.PERSON), "our sender address is not accepted"),
    # about the message
    Row(ANY, "5*", "5.3.4", Verdict(_R, Reason.TOO_LARGE), "message too large"),
    Row(ANY, "5*", "5.2.3", Verdict(_R, Reason.TOO_LARGE), "too large for this mailbox"),
    Row(_CONTENT, "552", "-", Verdict(_R, Reason.TOO_LARGE), "message too large"),
    Row(ANY, "5*", "5.6.7", Verdict(_R, Reason.ADDRESS_NOT_SUPPORTED), "the address needs SMTPUTF8"),
    Row(ANY, "5*", "5.6.*", Verdict(_R, Reason.CONTENT_REFUSED), "malformed content"),
    Row(_MAIL, "5*", "*", Verdict(_D, Reason.POLICY, Stops.PERSON), "our sender address is not accepted"),
    # about the address
    Row(ANY, "5*", "5.1.*", Verdict(_G, Reason.NO_SUCH_ADDRESS), "no such mailbox or domain"),
    Row(ANY, "5*", "5.2.1", Verdict(_R, Reason.ADDRESS_DISABLED), "mailbox disabled"),
    Row(ANY, "5*", "5.2.2", Verdict(_R, Reason.MAILBOX_FULL), "mailbox full, and not used"),
    Row(ANY, "5*", "5.4.[14]", Verdict(_R, Reason.NO_SUCH_ADDRESS), "the address's server cannot be found"),
    Row(ANY, "5*", "5.4.*", Verdict(_R, Reason.POLICY), "the message cannot get there"),
    Row(ANY, "5*", "5.5.*", Verdict(_R, Reason.FAULT), "the server finds fault with how we speak"),
    Row(_RCPT, "55[013]", "*", Verdict(_R, Reason.NO_SUCH_ADDRESS), "mailbox unavailable, no more is said"),
    Row(_RCPT, "552", "*", Verdict(_R, Reason.MAILBOX_FULL), "mailbox full"),
    Row(_RCPT, "5*", "*", Verdict(_R, Reason.POLICY), "refused, the server does not say why"),
    Row(ANY, "5*", "*", Verdict(_R, Reason.CONTENT_REFUSED), "refused, the server does not say why"),
    # no answer: nothing can have arrived before the dot, anything may have after it
    Row(_DOT, "closed", "*", Verdict(_U, Reason.CONNECTION_LOST, Stops.CONNECTION), "it may have been taken"),
    Row(_DOT, "silence", "*", Verdict(_U, Reason.NO_ANSWER, Stops.CONNECTION), "it may have been taken"),
    Row(_DOT, "garbage", "*", Verdict(_U, Reason.NOT_UNDERSTOOD, Stops.CONNECTION), "it may have been taken"),
    Row(_DOT, "3*", "*", Verdict(_U, Reason.NOT_UNDERSTOOD, Stops.CONNECTION), "no answer to what we sent"),
    Row((Moment.CONNECT,), "refused", "*", Verdict(_D, Reason.CONNECTION_LOST, Stops.OUTLET), "no connection"),
    Row(ANY, "closed", "*", Verdict(_D, Reason.CONNECTION_LOST, Stops.CONNECTION), "the message was not sent"),
    Row(ANY, "silence", "*", Verdict(_D, Reason.NO_ANSWER, Stops.CONNECTION), "the message was not sent"),
    Row(ANY, "*", "*", Verdict(_D, Reason.NOT_UNDERSTOOD, Stops.CONNECTION), "no answer to what we said: not sent"),
)  # fmt: skip

_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")


def enhanced_of(code: str, text: str) -> str:
    """The enhanced code at the beginning of a reply's text, empty where there is none or its class is another."""
    match = _ENHANCED.match(text)
    return match.group() if match and match.group(1) == code[:1] else ""


@lru_cache(maxsize=512)
def judge(moment: Moment, code: str, enhanced: str = "") -> Verdict:
    """What ``code`` (three digits, or a ``Silence``) means at ``moment``."""
    for row in OUTCOMES:
        if (
            moment in row.moments
            and fnmatchcase(code, row.code)
            and (row.enhanced == "*" or fnmatchcase(enhanced or "-", row.enhanced))
        ):
            return row.verdict
    raise AssertionError("the last row fits everything")


def outcomes_as_markdown() -> str:
    """The table for people, as it stands in ``docs/channels/email.md``."""
    lines = [
        "| about | answer | enhanced code | receipt | reason | what stops | because |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in OUTCOMES:
        verdict = row.verdict
        about = "anything" if row.moments == ANY else ", ".join(row.moments)
        cells = (about, row.code, row.enhanced, verdict.outcome, verdict.reason, verdict.stops or "nothing", row.why)
        lines.append("| " + " | ".join(cell.replace("*", "\\*") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
