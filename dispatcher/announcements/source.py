"""An announcement as it is handed in: by a file, a form or the API. Cleaned, measured and whole, or refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from dispatcher.announcements.cleaning import clean
from dispatcher.announcements.links import normal_url
from dispatcher.announcements.models import Group, Kind
from dispatcher.announcements.text import BODY_LIMIT, LINK_LIMIT, TextRefused, count_links, parse

PUBLIC = "public"  # residents and entrepreneurs, in stages


def refusal(code: str, what: str, remedy: str) -> PydanticCustomError:
    """A finding with its remedy, as a validator raises it."""
    return PydanticCustomError(code, "{what} {remedy}", {"what": what, "remedy": remedy})


def _cleaned(value: object) -> object:
    return clean(value).text if isinstance(value, str) else value


def cleaned_lines(value: object) -> object:
    """A text of several lines without what cannot be seen or misleads; anything else as it is."""
    return clean(value, lines=True).text if isinstance(value, str) else value


def measured(limit: int, *, required: bool = True) -> Callable[[str], str]:
    """A check that a text is at most ``limit`` characters long, and, where required, not empty."""

    def check(value: str) -> str:
        if required and not value:
            raise refusal("missing", "It is empty.", "Fill it in.")
        if len(value) > limit:
            over = len(value) - limit
            raise refusal(
                "too-long",
                f"It is {over:,} character{'s' if over > 1 else ''} too long ({len(value):,} of {limit:,}).",
                "Shorten it.",
            )
        return value

    return check


def _checked_url(value: str) -> str:
    try:
        return normal_url(value)
    except ValueError:
        raise refusal(
            "url", f"'{value[:80]}' is not a link.", "Write the whole address, beginning with https://."
        ) from None


def checked_body(value: str) -> str:
    """A body as it is.

    Raises:
        PydanticCustomError: it goes beyond what can be shown everywhere.
    """
    try:
        parse(value)
    except TextRefused as refused:
        raise refusal(f"body-{refused.code}", refused.what, refused.remedy) from None
    return value


def line(limit: int, *, required: bool = True) -> tuple[BeforeValidator, AfterValidator]:
    """What makes a field a single line of at most ``limit`` characters."""
    return BeforeValidator(_cleaned), AfterValidator(measured(limit, required=required))


Title = Annotated[str, *line(200)]
Summary = Annotated[str, *line(500)]
Label = Annotated[str, *line(200)]
Alt = Annotated[str, *line(500)]
Sentence = Annotated[str, *line(300, required=False)]
Slug = Annotated[str, *line(40)]
Url = Annotated[str, BeforeValidator(_cleaned), AfterValidator(_checked_url), AfterValidator(measured(500))]
Body = Annotated[
    str, BeforeValidator(cleaned_lines), AfterValidator(measured(BODY_LIMIT)), AfterValidator(checked_body)
]


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class LinkSource(_Source):
    """Where readers can go on: a label that says where, and the address."""

    label: Label
    url: Url


class ImageSource(_Source):
    """A picture, and what it shows in words: both or neither."""

    url: Url
    alt: Alt


class TextSource(_Source):
    """The announcement in one language. ``body`` is Markdown; ``change`` says what a correction changed."""

    title: Title
    summary: Summary
    body: Body
    links: tuple[LinkSource, ...] = ()
    image: ImageSource | None = None
    contact: Sentence = ""
    change: Sentence = ""

    @model_validator(mode="after")
    def _few_links(self) -> Self:
        links = len(self.links) + count_links(parse(self.body))
        if links > LINK_LIMIT:
            raise refusal("links", f"There are {links} links, more than {LINK_LIMIT}.", "Keep the most useful ones.")
        return self


class AnnouncementSource(_Source):
    """All that is handed in of one announcement.

    ``publish_at`` is ``None`` for now; empty ``topics`` or ``districts`` are all. ``stages`` is how many seconds after
    the start a group hears, ``public`` standing for residents and entrepreneurs; empty as the town does it. The first
    of ``texts`` is the language it was written in. ``notes`` says what reading it adjusted, ``lines`` where a field
    stood in its file, ``as_written`` what its times said: these are not content.
    """

    kind: Kind
    audience: Annotated[tuple[Group, ...], Field(min_length=1)]
    topics: tuple[Slug, ...] = ()
    districts: tuple[Slug, ...] = ()
    publish_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    stages: Mapping[str, float] = {}
    texts: Annotated[Mapping[str, TextSource], Field(min_length=1)]
    notes: tuple[str, ...] = ()
    lines: Mapping[str, int] = {}
    as_written: Mapping[str, str] = {}

    @property
    def language(self) -> str:
        """The language it was written in."""
        return next(iter(self.texts))

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal: the same file read tomorrow has the same, ``+2h`` or not."""
        resolved = {"publish_at", "expires_at"} if self.as_written else set()
        content = self.model_dump(mode="json", exclude={"notes", "lines"} | resolved) | {"language": self.language}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for _, what, remedy in contradictions(vars(self), self.publish_at):
            raise refusal("contradiction", what, remedy)
        return self


def contradictions(values: Mapping[str, Any], start: datetime | None) -> Iterator[tuple[str, str, str]]:
    """What does not fit together in ``values`` (fields of ``AnnouncementSource``, some perhaps missing).

    ``start`` is when it goes out, ``None`` where that is not known. Yields field, what is wrong, and remedy.
    """
    expires = values.get("expires_at")
    if expires and start and expires <= start:
        yield "expires_at", "It is over before it goes out.", "Choose a later moment, or leave it out."
    stages, audience = values.get("stages") or {}, values.get("audience")
    if stages and values.get("kind") == Kind.EMERGENCY:
        yield "stages", "An emergency has no stages: everybody hears at once.", "Leave `stages` out."
    for group in stages:
        meant = (Group.RESIDENT, Group.ENTREPRENEUR) if group == PUBLIC else (group,)
        if isinstance(audience, list | tuple) and not any(reached in meant for reached in audience):
            yield "stages", f"'{group}' is not in the audience.", "Leave it out, or add it to `audience`."
