"""Faults that the practice town's HTTP far sides can be told to have.

A fault strikes at a moment of a request (RFC 9112): ``connect`` when a connection is made and nothing was read,
``before-body`` when the request's head was read, ``in-body`` when the first bytes of its body came in, ``after-body``
when all of it came in and no answer was given, ``after-answer`` when the answer has left.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from dispatcher.practice.faults import Bytes


class Moment(StrEnum):
    CONNECT = "connect"
    BEFORE_BODY = "before-body"
    IN_BODY = "in-body"
    AFTER_BODY = "after-body"
    AFTER_ANSWER = "after-answer"


HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,60}$")]
HeaderValue = Annotated[str, Field(max_length=1000, pattern=r"^[ -~]*$")]


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Counted(_Fault):
    """A fault that strikes now and then, at requests that fit ``method`` and ``path`` (``*`` and ``?``).

    ``after`` requests that fit go well first, ``times`` limits how often it strikes, ``peer`` to one process id.
    """

    method: str = Field("*", pattern=r"^(\*|[A-Z]{3,10})$")
    path: str = Field("*", min_length=1, max_length=200)
    after: int = Field(0, ge=0)
    times: int | None = Field(None, ge=1)
    peer: int | None = Field(None, ge=2)


class _AtMoment(_Counted):
    """A fault at one moment. ``taken`` says whether a request struck after its body still does what it asks: it does,
    and is recorded, before the fault is seen.
    """

    moments: ClassVar[frozenset[Moment]] = frozenset(Moment)
    moment: Moment = Moment.AFTER_BODY
    taken: bool = True

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.moment not in self.moments:
            raise ValueError(f"moment must be one of {', '.join(m for m in Moment if m in self.moments)}")
        if self.moment == Moment.CONNECT and (self.method, self.path) != ("*", "*"):
            raise ValueError("method and path are not known yet when a connection is made")
        return self


class Slow(_Counted):
    """Each answer takes ``seconds``."""

    kind: Literal["slow"]
    seconds: float = Field(gt=0, le=600)


class Refuse(_Fault):
    """The port is closed: connections are refused. ``cut`` also breaks those that are open."""

    kind: Literal["refuse"]
    cut: bool = True


class Answer(_AtMoment):
    """Another answer: ``status``, ``headers`` and ``body``. ``close`` hangs up afterwards.

    By itself it means no: the request is not taken unless ``taken`` says so.
    """

    moments = frozenset({Moment.BEFORE_BODY, Moment.AFTER_BODY})
    kind: Literal["answer"]
    status: int = Field(ge=200, le=599)
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)
    body: str = Field("", max_length=100_000)
    close: bool = False
    taken: bool = False


class Silence(_AtMoment):
    """No answer, or with ``trickle`` one byte of it in so many seconds."""

    kind: Literal["silence"]
    moments = frozenset({Moment.CONNECT, Moment.BEFORE_BODY, Moment.AFTER_BODY})
    trickle: float | None = Field(None, gt=0, le=600)


class Cut(_AtMoment):
    """The connection breaks, after ``send`` (bytes as Latin-1) where given. ``how``: ``fin`` closes, ``rst`` resets."""

    kind: Literal["cut"]
    how: Literal["fin", "rst"] = "fin"
    send: Bytes = ""


class Signal(_AtMoment):
    """The server sends ``signal`` to the process at the other end, or with ``to`` to its parent, and goes on.

    Strikes once unless ``times`` says otherwise.
    """

    moments = frozenset(Moment) - {Moment.IN_BODY}
    kind: Literal["signal"]
    signal: Literal["SIGKILL", "SIGSTOP", "SIGTERM"] = "SIGKILL"
    to: Literal["peer", "parent"] = "peer"
    times: int | None = Field(1, ge=1)


HttpFault = Annotated[Slow | Refuse | Answer | Silence | Cut | Signal, Field(discriminator="kind")]
adapter: TypeAdapter[HttpFault] = TypeAdapter(HttpFault)
KINDS = (
    "say which kind it is: slow, refuse, answer, silence, cut, signal; or start from a preset, such as "
    '{"preset": "throttled"}'
)
