"""Who hears an announcement, as one query: over all of them for the ledger, for one of them in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, Value, When

from dispatcher.audience.models import Address, AddressState, District, Subscriber

EMERGENCY = "emergency"
# No subscriber is in it: an empty list would make Django leave out the query instead of answering with no rows.
_NO_GROUP = ""


class Aimed(Protocol):
    """What says whom something is for; an announcement does."""

    @property
    def kind(self) -> str: ...
    @property
    def audience(self) -> Sequence[str]: ...
    @property
    def topics(self) -> Sequence[str]: ...
    @property
    def districts(self) -> Sequence[str]: ...


def recipients_sql(
    announcement: Aimed,
    channel: str,
    groups: Iterable[str] | None,
    languages: Iterable[str],
    default_language: str,
) -> tuple[str, tuple[Any, ...]]:
    """The active addresses of ``channel`` that hear ``announcement``, as SQL and its parameters (``%s`` style).

    The columns are ``address_id``, ``language``, ``district_id``, ``group_name``, in that order; one row an address,
    however many of its topics match; in no particular order. It stands in an ``INSERT … SELECT`` on SQLite and
    PostgreSQL alike. ``groups`` narrows the announcement's audience to those of a stage (``None``: all of it).
    ``language`` is the subscriber's own where it is among ``languages``, else ``default_language``.
    """
    own = list(languages) or [default_language]
    rows = (
        recipients(announcement, groups)
        .filter(channel=channel)
        .annotate(
            address_id=F("pk"),
            language=Case(
                When(subscriber__language__in=own, then=F("subscriber__language")),
                default=Value(default_language),
                output_field=CharField(),
            ),
            district_id=F("subscriber__district_id"),
            group_name=F("subscriber__group"),
        )
        .values_list("address_id", "language", "district_id", "group_name")
    )
    sql, params = rows.query.sql_with_params()
    return sql, tuple(params)


def recipients(announcement: Aimed, groups: Iterable[str] | None = None) -> QuerySet[Address]:
    """The active addresses, of every channel, that hear ``announcement``.

    A subscriber hears it who is in its audience and, where it names topics, chose one of them, and, where it names
    districts, lives in one of them or chose the whole town (no district). An emergency is for everyone in its audience
    and districts, whatever topics they chose.
    """
    audience = set(announcement.audience) if groups is None else set(announcement.audience) & set(groups)
    chosen = Q(subscriber__group__in=sorted(audience) or [_NO_GROUP])
    if announcement.districts:
        chosen &= Q(subscriber__district=None) | Q(
            subscriber__district__in=District.objects.filter(slug__in=announcement.districts)
        )
    found = Address.objects.filter(chosen, state=AddressState.ACTIVE.value)
    if announcement.topics and announcement.kind != EMERGENCY:
        choices = Subscriber.topics.through.objects.filter(
            subscriber_id=OuterRef("subscriber_id"), topic__slug__in=announcement.topics
        )
        found = found.filter(Exists(choices))
    return found


class WhyNot(StrEnum):
    """Why an address does not hear an announcement."""

    NOT_CONFIRMED = "not-confirmed"
    LEFT = "left"
    SUPPRESSED = "suppressed"
    NO_ADDRESS = "no-address"
    GROUP = "group"
    TOPIC = "topic"
    DISTRICT = "district"

    def sentence(self, language: str) -> str:
        """The reason in a sentence, in Dutch for ``nl`` and in English for any other language."""
        return _SENTENCES[self][0 if language == "nl" else 1]


_SENTENCES = {
    WhyNot.NOT_CONFIRMED: ("Het adres is nog niet bevestigd.", "The address is not confirmed yet."),
    WhyNot.LEFT: ("Dit adres heeft zich afgemeld.", "This address has unsubscribed."),
    WhyNot.SUPPRESSED: (
        "Dit adres bestaat niet meer, of de eigenaar wil geen berichten.",
        "This address does not exist any more, or its owner wants no messages.",
    ),
    WhyNot.NO_ADDRESS: ("Er is geen adres om berichten naar te sturen.", "There is no address to send messages to."),
    WhyNot.GROUP: ("Het bericht is niet voor deze groep.", "The announcement is not for this group."),
    WhyNot.TOPIC: (
        "Het bericht gaat over een onderwerp dat niet is gekozen.",
        "The announcement is about a topic that was not chosen.",
    ),
    WhyNot.DISTRICT: (
        "Het bericht is voor een andere wijk of een ander dorp.",
        "The announcement is for another district.",
    ),
}
_STATES = {
    AddressState.PENDING: WhyNot.NOT_CONFIRMED,
    AddressState.LEFT: WhyNot.LEFT,
    AddressState.SUPPRESSED: WhyNot.SUPPRESSED,
}


def why_not(reader: Subscriber | Address, announcement: Aimed) -> tuple[WhyNot, ...]:
    """Every reason why ``reader`` does not hear ``announcement``; empty when they do, as ``recipients`` has it.

    For a subscriber the addresses count together: one that is active is enough.
    """
    if isinstance(reader, Address):
        subscriber, states = reader.subscriber, [AddressState(reader.state)]
    else:
        subscriber, states = reader, [AddressState(state) for state in reader.addresses.values_list("state", flat=True)]
    reasons = []
    if AddressState.ACTIVE not in states:
        reasons += sorted({_STATES[state] for state in states}) or [WhyNot.NO_ADDRESS]
    if subscriber.group not in announcement.audience:
        reasons.append(WhyNot.GROUP)
    chosen = subscriber.topics.filter(slug__in=announcement.topics)
    if announcement.topics and announcement.kind != EMERGENCY and not chosen.exists():
        reasons.append(WhyNot.TOPIC)
    if announcement.districts and subscriber.district and subscriber.district.slug not in announcement.districts:
        reasons.append(WhyNot.DISTRICT)
    return tuple(reasons)


@dataclass(frozen=True)
class Counts:
    """How many addresses hear an announcement: in all, and by what they are. ``""`` is the whole town."""

    total: int
    by_channel: dict[str, int]
    by_group: dict[str, int]
    by_district: dict[str, int]
    by_language: dict[str, int]


def counts(announcement: Aimed) -> Counts:
    """How many addresses, of every channel, hear ``announcement``: one grouped query."""
    rows = (
        recipients(announcement)
        .values_list("channel", "subscriber__group", "subscriber__district__slug", "subscriber__language")
        .annotate(number=Count("pk"))
    )
    sums: tuple[Counter[str], ...] = (Counter(), Counter(), Counter(), Counter())
    for *values, number in rows:
        for counter, value in zip(sums, values, strict=True):
            counter[value or ""] += number
    channel, group, district, language = (dict(sorted(counter.items())) for counter in sums)
    return Counts(sum(channel.values()), channel, group, district, language)
