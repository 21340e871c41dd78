"""Faults that the practice town's mail server can be told to have.

A fault strikes at a moment of the conversation (RFC 5321): when the server has read what the moment is named after
and has not answered yet. ``banner`` is the moment a connection is made, ``body`` when the first bytes of a message
came in but not its end, ``after-dot`` when all of it came in, ``after-reply`` when the answer to that has left.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from dispatcher.practice.wanted import read_wanted


class Moment(StrEnum):
    BANNER = "banner"
    EHLO = "ehlo"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    AFTER_DOT = "after-dot"
    AFTER_REPLY = "after-reply"


ANSWERED = frozenset(Moment) - {Moment.BODY, Moment.AFTER_REPLY}
"""The moments at which the other side waits for an answer."""


def _latin1(text: str) -> str:
    if not all(character <= "\xff" for character in text):
        raise ValueError("each character stands for a byte, so none may be above U+00FF")
    return text


Bytes = Annotated[str, Field(max_length=2000), AfterValidator(_latin1)]


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    @property
    def takes(self) -> bool:
        """Whether a message that it strikes at after-dot counts as taken, and is recorded."""
        return True


class _Counted(_Fault):
    """A fault that strikes now and then.

    ``after`` messages go well first: counted over all connections since the fault was switched on, or on each
    connection by itself (``count``). ``times`` limits how often it strikes. ``peer`` limits it to one process id.
    """

    after: int = Field(0, ge=0)
    count: Literal["server", "connection"] = "server"
    times: int | None = Field(None, ge=1)
    peer: int | None = Field(None, ge=2)


class _AtMoment(_Counted):
    """A fault at one moment. ``match`` limits it, at the moment rcpt, to recipients that fit (``*`` and ``?``)."""

    moments: ClassVar[frozenset[Moment]]
    moment: Moment
    match: str = "*"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.moment not in self.moments:
            raise ValueError(f"moment must be one of {', '.join(m for m in Moment if m in self.moments)}")
        if self.match != "*" and self.moment != Moment.RCPT:
            raise ValueError("match works at the moment rcpt only")
        return self


class Slow(_Counted):
    """Each answer takes ``seconds``."""

    kind: Literal["slow"]
    seconds: float = Field(gt=0, le=600)


class Refuse(_Fault):
    """The port is closed: connections are refused. ``cut`` also breaks those that are open."""

    kind: Literal["refuse"]
    cut: bool = True


class Silence(_AtMoment):
    """No answer at ``moment``, or with ``trickle`` one byte of it in so many seconds. ``taken``: see ``Cut``."""

    moments = ANSWERED
    kind: Literal["silence"]
    trickle: float | None = Field(None, gt=0, le=600)
    taken: bool = True

    @property
    def takes(self) -> bool:
        return self.taken


class Answer(_AtMoment):
    """Another answer than yes: ``code`` (RFC 5321) and ``enhanced`` (RFC 3463), which may disagree.

    ``close`` hangs up afterwards, as 421 says that a server does.
    """

    moments = ANSWERED
    kind: Literal["answer"]
    code: int = Field(ge=200, le=599)
    enhanced: str = Field("", pattern=r"^(\d\.\d{1,3}\.\d{1,3})?$")
    text: str = Field("This answer is an exercise", max_length=400, pattern=r"^[^\r\n]*$")
    close: bool = False

    @property
    def takes(self) -> bool:
        return self.code < 400

    @property
    def line(self) -> bytes:
        return " ".join(filter(None, (str(self.code), self.enhanced, self.text))).encode() + b"\r\n"


class Crowded(_Counted):
    """No more than ``at_most`` connections at a time: the next is told 421 and closed."""

    kind: Literal["crowded"]
    at_most: int = Field(ge=0)


class Greylist(_Counted):
    """Each recipient is told 451 4.7.1 until ``seconds`` after the first try (RFC 6647)."""

    kind: Literal["greylist"]
    seconds: float = Field(300, gt=0)
    match: str = "*"


class Cut(_AtMoment):
    """The connection breaks at ``moment``, after ``send`` (bytes as Latin-1) where given.

    ``how``: ``fin`` closes, ``rst`` resets. ``taken`` says whether a message cut at after-dot was taken and recorded.
    """

    moments = frozenset(Moment)
    kind: Literal["cut"]
    how: Literal["fin", "rst"] = "fin"
    send: Bytes = ""
    taken: bool = True

    @property
    def takes(self) -> bool:
        return self.taken


class Garbage(_AtMoment):
    """An answer that is none: ``send``, bytes as Latin-1. The connection stays open. ``taken``: see ``Cut``."""

    moments = ANSWERED
    kind: Literal["garbage"]
    send: Bytes = Field("\x00\xffHTTP/1.1 200 OK\r\n", min_length=1)
    taken: bool = True

    @property
    def takes(self) -> bool:
        return self.taken


class Without(_Fault):
    """Extensions that the server does not offer and refuses to use."""

    kind: Literal["without"]
    extensions: list[Literal["PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "STARTTLS", "AUTH", "ENHANCEDSTATUSCODES"]]


class Signal(_AtMoment):
    """At ``moment`` the server sends ``signal`` to the process at the other end, or with ``to`` to its parent.

    Strikes once unless ``times`` says otherwise; the Nth message is ``after`` N - 1.
    """

    moments = frozenset(Moment)
    kind: Literal["signal"]
    signal: Literal["SIGKILL", "SIGSTOP", "SIGTERM"] = "SIGKILL"
    to: Literal["peer", "parent"] = "peer"
    times: int | None = Field(1, ge=1)


Fault = Annotated[
    Slow | Refuse | Silence | Answer | Crowded | Greylist | Cut | Garbage | Without | Signal,
    Field(discriminator="kind"),
]
_adapter: TypeAdapter[Fault] = TypeAdapter(Fault)
_KINDS = (
    "say which kind it is: slow, refuse, silence, answer, crowded, greylist, cut, garbage, without, signal; "
    'or start from a preset, such as {"preset": "busy"}'
)


def read_faults(wanted: object) -> list[Fault]:
    """Faults from JSON: one object or a list; ``{"preset": name, …}`` starts from a preset.

    Raises:
        FaultsInvalid: with all that is wrong.
    """
    return read_wanted(wanted, _adapter, PRESETS, _KINDS)


_SOME = "resident-00?7@practice.invalid"
PRESETS: dict[str, dict[str, Any]] = {
    "slow": {"kind": "slow", "seconds": 2.0},
    "refused": {"kind": "refuse"},
    "closed": {"kind": "cut", "moment": "banner"},
    "silent": {"kind": "silence", "moment": "mail"},
    "trickle": {"kind": "silence", "moment": "banner", "trickle": 5.0},
    "busy": {
        "kind": "answer", "moment": "mail", "code": 421, "enhanced": "4.7.0", "after": 37,
        "count": "connection", "close": True, "text": "Too many messages on this connection, try again later",
    },
    "crowded": {"kind": "crowded", "at_most": 2},
    "greylist": {"kind": "greylist", "seconds": 300.0},
    "full": {
        "kind": "answer", "moment": "rcpt", "code": 452, "enhanced": "4.2.2", "match": _SOME,
        "text": "The mailbox is full",
    },
    "unknown-address": {
        "kind": "answer", "moment": "rcpt", "code": 550, "enhanced": "5.1.1", "match": _SOME,
        "text": "There is no such mailbox here",
    },
    "not-allowed": {
        "kind": "answer", "moment": "rcpt", "code": 550, "enhanced": "5.7.1",
        "text": "This sender may not deliver here",
    },
    "contradiction": {
        "kind": "answer", "moment": "after-dot", "code": 421, "enhanced": "5.7.32", "close": True,
        "text": "Not taken",
    },
    "cut-taken": {"kind": "cut", "moment": "after-dot", "times": 5},
    "cut-not-taken": {"kind": "cut", "moment": "after-dot", "taken": False, "times": 5},
    "cut-before-data": {"kind": "cut", "moment": "data"},
    "cut-in-body": {"kind": "cut", "moment": "body", "how": "rst"},
    "half-answer": {"kind": "cut", "moment": "after-dot", "send": "25", "times": 5},
    "garbage": {"kind": "garbage", "moment": "mail"},
    "no-starttls": {"kind": "without", "extensions": ["STARTTLS"]},
    "kill": {"kind": "signal", "moment": "after-dot", "signal": "SIGKILL"},
    "freeze": {"kind": "signal", "moment": "after-dot", "signal": "SIGSTOP"},
}  # fmt: skip
"""Faults by a name to remember, as ``omroeper practice fault NAME`` and the page offer them."""
