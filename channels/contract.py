"""Everything a channel must know, and all that the rest of the product may expect of one.

A channel is code that speaks one protocol. It knows nothing of the ledger, of Django or of Celery: it is
given a bulletin to compose, copies to put out, and answers with receipts. There are two honest kinds:

* ``Direct``: one message per recipient (e-mail, push). It *pulls* recipients and yields one receipt for each.
* ``Broadcast``: one public copy per language (website, timeline). It publishes, amends, withdraws, reads back.

Both are async context managers whose connections live as long as the process that opened them.

An outcome follows the moment of the protocol at which things went wrong: before the last byte left us it is
``deferred``, after it without an answer it is ``unknown``, and a clear answer is what it says. A channel that
turns doubt into comfort, in either direction, fails ``tests/contract``.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from channels.kit.egress import Egress


class Act(StrEnum):
    """What a copy does for its reader. The first three are CAP 1.2's Alert, Update and Cancel."""

    ANNOUNCE = "announce"
    UPDATE = "update"
    WITHDRAW = "withdraw"
    NOTICE = "notice"  # a confirmation or log-in message: about the reader, not about an announcement


class Outcome(StrEnum):
    """What one attempt came to."""

    ACCEPTED = "accepted"  # the far side said yes
    DEFERRED = "deferred"  # certainly not taken; may be tried again
    REJECTED = "rejected"  # a clear no to this message; the same message must not be sent again
    GONE = "gone"  # the address does not exist any more
    UNKNOWN = "unknown"  # it may have been taken and it may not


class Reason(StrEnum):
    """Why, in words that the policy table and staff pages share. ``detail`` holds the far side's own words."""

    OK = "ok"
    THROTTLED = "throttled"
    GREYLISTED = "greylisted"
    MAILBOX_FULL = "mailbox-full"
    BUSY = "busy"
    NO_SUCH_ADDRESS = "no-such-address"
    ADDRESS_DISABLED = "address-disabled"
    ADDRESS_NOT_SUPPORTED = "address-not-supported"
    ADDRESS_NOT_ALLOWED = "address-not-allowed"
    CONTENT_REFUSED = "content-refused"
    TOO_LARGE = "too-large"
    POLICY = "policy"
    CONNECTION_LOST = "connection-lost"
    NO_ANSWER = "no-answer"
    NOT_UNDERSTOOD = "not-understood"
    STORAGE = "storage"
    FAULT = "fault"  # our own mistake: an exception inside the channel
    BY_HAND = "by-hand"  # nothing has left us: a person has to do it, and says when they did


class FactKind(StrEnum):
    DATE = "date"
    TIME = "time"
    PHONE = "phone"
    AMOUNT = "amount"
    ADDRESS = "address"
    URL = "url"
    EMAIL = "email"
    NEGATION = "negation"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that must read the same in every copy. ``text`` is how the writer wrote it."""

    kind: FactKind
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Image:
    url: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """An announcement in one language, ready to be composed.

    ``body_html`` is sanitised and safe to insert; ``body_text`` is the same body as plain text. ``facts`` are those
    of title and summary (they stand in every copy), ``body_facts`` those of the body only (a link to the full text
    may stand in for them). ``change`` says in a sentence what this revision changed, empty for the first;
    for a withdrawal it says why.
    """

    language: str  # BCP 47: "nl", "en"
    title: str
    summary: str
    body_html: str
    body_text: str
    url: str  # the page of this announcement in this language: absolute
    links: tuple[Link, ...] = ()
    image: Image | None = None
    contact: str = ""
    change: str = ""
    facts: tuple[Fact, ...] = ()
    body_facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One entry of the public history: a revision that readers could see."""

    revision: int
    at: datetime
    act: Act
    note: Mapping[str, str]  # by language


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who speaks. ``practice`` copies say that they are an example and not from the municipality."""

    name: Mapping[str, str]  # by language: "Gemeente Losser", "Municipality of Losser"
    base_url: str
    timezone: str = "Europe/Amsterdam"
    practice: bool = False

    def name_in(self, language: str) -> str:
        """The name in ``language``, else the first one given."""
        return self.name.get(language) or next(iter(self.name.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulletin:
    """One revision of an announcement with everything a channel may need to compose it.

    ``slug`` is stable over all revisions, made by us, and matches ``[a-z0-9-]{1,80}``. ``early`` is true for the
    readers who hear it before the public does: their page is unlisted, and ``Text.url`` already points to it.
    """

    announcement: str  # public id, stable over revisions
    slug: str
    revision: int
    kind: str  # service-change, news, participation, story, emergency
    texts: Mapping[str, Text]  # by language; the first is the language it was written in
    sender: Sender
    published_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    topics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # labels by language
    history: tuple[Change, ...] = ()
    early: bool = False

    @property
    def emergency(self) -> bool:
        return self.kind == "emergency"

    def text_for(self, language: str) -> Text:
        """The text in ``language``, else in the language it was written in."""
        return self.texts.get(language) or next(iter(self.texts.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What ``compose`` makes of a bulletin: the preview, the message, and the yardstick of the proof.

    ``text`` is what the reader reads, as plain text, slots included as ``{{slot}}`` lines. ``parts`` are named by the
    channel (``subject``, ``html``, ``page``, …). ``slots`` names what is personal; each stands alone on a line of
    ASCII in every part that uses it, written as ``{{name}}``. ``shortened`` is true where the body was cut or left to
    the link.
    """

    language: str
    act: Act
    text: str
    parts: Mapping[str, str]
    links: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    shortened: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, source: str) -> Copy:
        values: dict[str, Any] = json.loads(source)
        values |= {
            "act": Act(values["act"]),
            "links": tuple(values["links"]),
            "slots": tuple(values["slots"]),
        }
        return cls(**values)

    @property
    def digest(self) -> str:
        """SHA-256 of the whole copy, in hexadecimal: equal digests are equal messages."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Published:
    """Where an earlier copy is: what a far side gave us when it accepted."""

    remote_id: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One delivery of a direct channel.

    ``key`` is the delivery key (dispatch, outlet, target): the same in every repeat, so that far sides can drop the
    twin. ``thread`` is the key of announcement, outlet and target: what makes a correction stand with its original.
    ``previous`` is the remote id of what this reader got before, where there is one.
    """

    address: str
    key: str
    thread: str
    slots: Mapping[str, str]
    previous: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The outcome of one attempt. ``detail`` is the far side's own words: at most 200 characters, no secrets."""

    key: str
    outcome: Outcome
    reason: Reason = Reason.OK
    detail: str = ""
    remote_id: str = ""
    url: str = ""
    retry_after: float | None = None  # seconds, as stated by the far side

    def published(self) -> Published:
        return Published(self.remote_id, self.url)


class SeenState(StrEnum):
    FOUND = "found"
    MISSING = "missing"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the public sees where a copy should be. ``text`` is plain text, comparable with ``Copy.text``.

    ``around`` is true where ``text`` is that of a whole page which is not ours: the copy has to stand in it.
    """

    state: SeenState
    text: str = ""
    detail: str = ""
    around: bool = False


class Level(StrEnum):
    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of ``check``: what is so, and what to do about it (empty when all is well)."""

    level: Level
    what: str
    remedy: str = ""


class OutletDown(Exception):
    """Nothing more can go out here now: raised by a channel after it gave receipts for everyone it pulled.

    ``retry_after`` is in seconds (``None``: the policy decides). ``needs_person`` is true where waiting does not help:
    a wrong password, a refused sender. ``doubtful`` is for a broadcast channel, which has no receipt for what is in
    hand: true where that may have been taken all the same. Else it certainly was not.
    """

    def __init__(
        self, reason: str, *, retry_after: float | None = None, needs_person: bool = False, doubtful: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.needs_person = needs_person
        self.doubtful = doubtful


class SettingsInvalid(ValueError):
    """Settings of an outlet are missing or wrong. ``problems`` maps each field to what is wrong: all of them."""

    def __init__(self, channel: str, problems: Mapping[str, str]) -> None:
        listed = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        super().__init__(f"The settings of {channel} need attention: {listed}")
        self.problems = dict(problems)


class ChannelSettings(BaseModel):
    """Base of each channel's settings. Unknown fields are refused; secrets are ``SecretStr`` and never in ``repr``."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Unit(StrEnum):
    """What a service counts when it counts length."""

    NONE = "none"
    CHARACTERS = "characters"
    GRAPHEMES = "graphemes"
    BYTES = "bytes"
    WEIGHTED = "weighted"  # as X counts: Latin and its punctuation one, other scripts and an emoji two


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a copy may be, in the service's own unit. ``lines`` is octets per line on the wire."""

    length: int | None = None
    unit: Unit = Unit.NONE
    url_length: int | None = None  # where every URL counts as this many
    lines: int | None = None
    languages: bool = True  # one copy per language; else one copy carries all


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the service lets us do. ``keyed``: a repeat under the same key is harmless.

    ``by_hand``: a person does what the channel composes. ``publish``, ``amend`` and ``withdraw`` send nothing and
    answer ``deferred`` with ``Reason.BY_HAND``; the other abilities are what that person can do. ``never_repeat``:
    nothing drops a twin, and readers would see it, so a person decides about what is in doubt.
    """

    edit: bool = False
    withdraw: bool = False
    read_back: bool = False
    look_up: bool = False
    keyed: bool = False
    by_hand: bool = False
    never_repeat: bool = False


class Vault(ABC):
    """State that all workers of an outlet share: a session token, a refresh lock. The ledger implements it."""

    @abstractmethod
    async def get(self, name: str) -> str | None: ...

    @abstractmethod
    async def put(self, name: str, value: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a channel is given beside its settings: where it may connect to, and what its workers share."""

    egress: Egress
    vault: Vault | None = None


class Common(ABC):
    """What both kinds of channel have. ``name`` is the registry's name and that of the file and its docs page.

    ``limits`` of the class are those of the service as a rule; an opened channel may know this outlet's own.
    """

    name: ClassVar[str]
    limits: Limits
    can: ClassVar[Abilities]
    Settings: ClassVar[type[ChannelSettings]]

    def __init__(self, settings: ChannelSettings, surroundings: Surroundings) -> None:
        self.settings = settings
        self.surroundings = surroundings

    @classmethod
    def read_settings(cls, values: Mapping[str, object]) -> ChannelSettings:
        """Validated settings.

        Raises:
            SettingsInvalid: with every field that is missing, unknown or wrong.
        """
        try:
            return cls.Settings.model_validate(dict(values))
        except ValidationError as error:
            raise SettingsInvalid(
                cls.name,
                {".".join(str(part) for part in e["loc"]) or cls.name: e["msg"] for e in error.errors()},
            ) from None

    @abstractmethod
    def compose(self, bulletin: Bulletin, language: str, act: Act, limits: Limits) -> Copy:
        """The copy of ``bulletin`` in ``language``. Pure: no clock, no network, equal in gives equal out."""

    @abstractmethod
    async def check(self) -> list[Finding]:
        """Whether this outlet can work: credentials, quota, limits of this server. Sends nothing to anyone."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return None


class Direct(Common):
    """A channel with one message per recipient."""

    @abstractmethod
    def deliver(self, act: Act, copy: Copy, recipients: AsyncIterable[Recipient]) -> AsyncIterator[Receipt]:
        """Pulls recipients in order and yields one receipt for each one pulled, as soon as it is known, in any order.

        Never raises for a recipient's sake. The iterator of recipients may pause for as long as receipts are not
        taken: so it is pulled and the receipts are yielded side by side.

        Raises:
            OutletDown: after a receipt for every recipient pulled; those not pulled stay due.
        """


class Broadcast(Common):
    """A channel with one public copy per language."""

    @abstractmethod
    async def publish(self, copy: Copy, key: str) -> Receipt:
        """Puts a copy where the public sees it. The receipt carries its remote id and public URL."""

    @abstractmethod
    async def amend(self, copy: Copy, previous: Published, key: str) -> Receipt:
        """Corrects ``previous``, in place where the service can."""

    @abstractmethod
    async def withdraw(self, notice: Copy, previous: Published, key: str) -> Receipt:
        """Takes ``previous`` away, leaving ``notice`` in its place where the service can."""

    @abstractmethod
    async def read_back(self, previous: Published) -> Seen:
        """What the public sees now."""

    async def look_up(self, key: str) -> Receipt | None:  # noqa: ARG002 - named for those who implement it
        """The receipt of an earlier attempt under ``key``, or ``None`` where the far side has none of it."""
        return None
