"""By hand: for networks without an open door (Facebook, Instagram, LinkedIn, X, WhatsApp).

A person copies the composed text and picture, posts it, ticks it off and pastes the public address. Until then nothing
has left us: every attempt answers ``deferred``, ``by-hand``. A correction or a withdrawal is a new task for them, and
the address says where. Proof reads that address as a stranger would, and claims nothing about what only members see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from channels.contract import (
    Abilities,
    Act,
    Broadcast,
    Bulletin,
    ChannelSettings,
    Copy,
    Finding,
    Level,
    Limits,
    Outcome,
    Published,
    Reason,
    Receipt,
    Seen,
    SeenState,
    Surroundings,
    Unit,
)
from channels.kit.brief import fitted
from channels.kit.http import Answer, Http, NoAnswer, NotSent
from channels.kit.pagetext import whole_page_text
from channels.kit.templates import render

NO_ACCOUNT = "It cannot be read without an account."


@dataclass(frozen=True, slots=True)
class Network:
    """A network as its makers call it, and how long a post on it may be."""

    label: str
    length: int | None
    unit: Unit = Unit.CHARACTERS
    url_length: int | None = None


# Lengths as the networks state them (2026): docs/channels/byhand.md says where.
NETWORKS = {
    "facebook": Network("Facebook", 63_206),
    "instagram": Network("Instagram", 2_200),
    "linkedin": Network("LinkedIn", 3_000),
    "x": Network("X", 280, Unit.WEIGHTED, 23),
    "whatsapp": Network("WhatsApp", 1_024),
    "other": Network("", None, Unit.NONE),
}
# Where networks send a stranger instead of showing a post.
_WALLS = ("/login", "/signin", "/signup", "/checkpoint", "/accounts/", "/authwall", "/i/flow", "/uas/")
_WALL_STATUSES = frozenset({401, 403, 407, 429, 999})  # 999 is LinkedIn's own


class ByHandSettings(ChannelSettings):
    """Where the person posts. ``length`` and ``unit`` replace what the network allows as a rule."""

    network: Literal["facebook", "instagram", "linkedin", "x", "whatsapp", "other"]
    account: str = Field(min_length=1, max_length=80)
    page_url: str = Field(default="", max_length=500)
    length: int | None = Field(default=None, ge=100, le=100_000)
    unit: Literal["characters", "graphemes", "bytes", "weighted"] | None = None

    @field_validator("page_url")
    @classmethod
    def _address(cls, url: str) -> str:
        if url:
            public_address(url)
        return url


class ByHand(Broadcast):
    """See the module. A receipt has no remote id; its address is the one that the person pasted, if any."""

    name = "byhand"
    limits = Limits()
    can: ClassVar[Abilities] = Abilities(edit=True, withdraw=True, read_back=True, keyed=True, by_hand=True)
    Settings: ClassVar[type[ChannelSettings]] = ByHandSettings

    def __init__(self, settings: ChannelSettings, surroundings: Surroundings) -> None:
        assert isinstance(settings, ByHandSettings)
        super().__init__(settings, surroundings)
        self.place = settings
        usual = NETWORKS[settings.network]
        length = settings.length or usual.length
        unit = Unit(settings.unit) if settings.unit else usual.unit
        if length is not None:
            unit = Unit.CHARACTERS if unit is Unit.NONE else unit
            self.limits = Limits(length=length, unit=unit, url_length=usual.url_length)

    def compose(self, bulletin: Bulletin, language: str, act: Act, limits: Limits) -> Copy:
        """The text to paste: title, summary and link. ``picture`` and ``alt`` are what goes with it, empty for none.

        Raises:
            ValueError: the facts of title and summary do not fit the network.
        """
        text = bulletin.text_for(language)

        def post(title: str, summary: str, change: str) -> str:
            return render(
                "byhand/post.txt",
                act=act.value,
                language=text.language,
                practice=bulletin.sender.practice,
                title=title,
                summary=summary,
                change=change,
                url=text.url,
            ).strip()

        image = text.image if act is not Act.WITHDRAW else None
        return Copy(
            language=text.language,
            act=act,
            text=fitted(text, limits, post),
            parts={"picture": image.url if image else "", "alt": image.alt if image else ""},
            links=(text.url,),
            shortened=bool(text.body_text.strip()),
        )

    async def publish(self, copy: Copy, key: str) -> Receipt:  # noqa: ARG002 - a person has it in front of them
        return Receipt(key=key, outcome=Outcome.DEFERRED, reason=Reason.BY_HAND)

    async def amend(self, copy: Copy, previous: Published, key: str) -> Receipt:  # noqa: ARG002
        return await self.publish(copy, key)

    async def withdraw(self, notice: Copy, previous: Published, key: str) -> Receipt:  # noqa: ARG002
        return await self.publish(notice, key)

    async def read_back(self, previous: Published) -> Seen:
        """The text of the page at the pasted address, as a stranger reads it; a log-in page is no reading."""
        if not previous.url:
            return Seen(SeenState.UNREACHABLE, detail="No address was given for it.")
        try:
            async with Http(self.surroundings.egress) as http:
                answer = await http.read(previous.url)
        except (NotSent, NoAnswer) as error:
            return Seen(SeenState.UNREACHABLE, detail=str(error)[:200])
        if answer.status in (404, 410):
            return Seen(SeenState.MISSING, detail=f"the page gives status {answer.status}")
        if answer.status in _WALL_STATUSES or _is_wall(answer):
            return Seen(SeenState.UNREACHABLE, detail=NO_ACCOUNT)
        if answer.status != 200 or not answer.whole:
            return Seen(SeenState.UNREACHABLE, detail=f"the page gives status {answer.status}")
        return Seen(SeenState.FOUND, whole_page_text(answer.body), around=True)

    async def check(self) -> list[Finding]:
        """That a person is needed, and whether the page of the account can be reached."""
        network = NETWORKS[self.place.network].label or self.place.account
        findings = [Finding(Level.FINE, f"A person posts on {network} as {self.place.account}.")]
        if self.place.page_url:
            try:
                async with Http(self.surroundings.egress, seconds=10) as http:
                    answer = await http.read(self.place.page_url)
            except (NotSent, NoAnswer) as error:
                findings.append(Finding(Level.WARNING, f"The page cannot be reached: {error}.", "Check page_url."))
            else:
                if answer.status in (404, 410):
                    findings.append(Finding(Level.WARNING, "There is no page at page_url.", "Correct the address."))
        return findings


def public_address(url: str) -> str:
    """``url`` as a person pasted it, where it is a whole web address without a name or password in it.

    Raises:
        ValueError: it is not. Says what to paste.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or "@" in parts.netloc or "\\" in url or not url.isprintable() or " " in url or len(url) > 500:
        raise ValueError("paste the whole address of the post, beginning with https://")
    return url


def _is_wall(answer: Answer) -> bool:
    """Whether a stranger got the network's front door instead of the post."""
    path = urlsplit(answer.url).path.lower()
    return path.startswith(_WALLS) or b'type="password"' in answer.body
