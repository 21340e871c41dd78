"""Asking to hear: an address that waits for its owner's yes. The audience's half of subscribing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from dispatcher.audience.models import Address, AddressState, District, Subscriber, Topic

# A request that was not confirmed by then is void.
WITHIN = timedelta(hours=48)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What someone wants to hear about, for which part of town (``None``: all of it), in which language."""

    topics: tuple[Topic, ...]
    district: District | None
    language: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Where someone wants to hear: an address in the normal form of its channel."""

    channel: str
    value: str


@dataclass(frozen=True, slots=True)
class Consent:
    """Where, and to which version of our words, someone said that they want to hear."""

    source: str
    text: str


def ask(reaches: Iterable[Reach], choice: Choice, consent: Consent, group: str) -> list[Address]:
    """The addresses of ``reaches``, in that order, each waiting for its owner's yes unless it is active already.

    What is asked for together belongs to one subscriber, with ``choice``. An active address keeps its subscriber and
    their choice: whoever asked has not shown that it is theirs. For the same reason an address that waits for a yes,
    has left or is suppressed is taken away from a subscriber who has others, before anybody says yes for it.
    """
    person: Subscriber | None = None
    found = []
    for reach in reaches:
        address = _locked(reach)
        if address is None or address.state != AddressState.ACTIVE:
            if person is None:
                person = _person(address, choice, group)
            address = _wait(address, reach, person, consent)
        found.append(address)
    return found


def add(reach: Reach, person: Subscriber, consent: Consent) -> Address:
    """``reach`` as an address of ``person``, who showed who they are; it waits for a yes of its own.

    One that is theirs and active stays so. One that was someone else's becomes theirs: only who can answer at the
    address can say yes for it.
    """
    address = _locked(reach)
    if address is not None and address.state == AddressState.ACTIVE and address.subscriber_id == person.pk:
        return address
    return _wait(address, reach, person, consent)


def forget_unconfirmed() -> int:
    """Requests that nobody confirmed in time: a new address goes, one that was known falls back to what it was.

    Returns how many there were. Subscribers without any address go with their last one.
    """
    over = Address.objects.filter(state=AddressState.PENDING, state_at__lt=timezone.now() - WITHIN)
    # Imported lists hold addresses that wait as well; only what was asked for on a page ends by itself.
    over = over.exclude(consent_text="")
    back = over.exclude(pending_from="").update(
        state=F("pending_from"), state_reason="not-confirmed", state_at=timezone.now(), pending_from=""
    )
    people = set(over.values_list("subscriber_id", flat=True))
    gone, _ = over.delete()
    Subscriber.objects.filter(pk__in=people, addresses=None).delete()
    return back + gone


def _locked(reach: Reach) -> Address | None:
    known = Address.objects.select_for_update(of=("self",)).select_related("subscriber")
    return known.filter(channel=reach.channel, value=reach.value).first()


def _person(address: Address | None, choice: Choice, group: str) -> Subscriber:
    """Whose the address is to be: who has nothing but it, else someone new."""
    if address is not None and address.subscriber.addresses.count() == 1:
        person = address.subscriber
        person.district, person.language = choice.district, choice.language
        person.save(update_fields=["district", "language"])
    else:
        # The links in mails that an address got before go on working.
        epoch = address.subscriber.epoch if address is not None else 0
        person = Subscriber.objects.create(group=group, district=choice.district, language=choice.language, epoch=epoch)
    person.topics.set(choice.topics)
    return person


def _wait(address: Address | None, reach: Reach, person: Subscriber, consent: Consent) -> Address:
    if address is None:
        return Address.objects.create(
            subscriber=person,
            channel=reach.channel,
            value=reach.value,
            consent_source=consent.source,
            consent_text=consent.text,
        )
    before = address.subscriber
    if address.state in {AddressState.LEFT, AddressState.SUPPRESSED}:
        address.pending_from = address.state
    address.subscriber = person
    address.state, address.state_reason, address.state_at = AddressState.PENDING, "asked", timezone.now()
    address.consent_source, address.consent_text = consent.source, consent.text
    address.save()
    if before != person and not before.addresses.exists():
        before.delete()
    return address
