"""Subscribe: a resident asks to hear. Nothing starts before they say yes where they want to hear it."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.db import IntegrityError, transaction

from channels.kit.push_address import PushAddress
from dispatcher.acts.notify import notify
from dispatcher.announcements.models import Group
from dispatcher.audience import asking, limits
from dispatcher.audience.asking import Choice, Consent, Reach
from dispatcher.audience.models import Address, AddressState, Subscriber
from dispatcher.dispatching import push

log = structlog.get_logger("omroeper.acts")

# The number rises when the words change that people agree to (templates/portal/subscribe.html).
CONSENT_TEXT = "subscribe-1"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a request came from: a network (``203.0.113.0/24``), and a browser by a hash that names nobody."""

    network: str
    browser: str


def subscribe(*, email: str, device: PushAddress | None, choice: Choice, source: Source) -> None:
    """Asks the owner of ``email`` (normal form; empty: none) and of ``device`` whether they want to hear ``choice``.

    A new address gets a message with a button that confirms. One that hears already gets one that says so and leads
    to its choices, which stay as they are. Who asks learns nothing of the difference. An address gets one such message
    an hour and three a day at most, whoever asks for it.

    Raises:
        dispatcher.audience.limits.TooMany: from this network, browser, push service or in all; nothing was done.
    """
    _spend(device, source)
    reaches = [Reach("email", email)] if email else []
    reaches += [Reach(push.CHANNEL, device.value())] if device else []
    consent = Consent(source="subscribe page", text=CONSENT_TEXT)
    try:
        _ask(reaches, choice, consent)
    except IntegrityError:  # the same address was asked for at the same moment: it is known now
        _ask(reaches, choice, consent)
    log.info("subscribe.requested", channels=[reach.channel for reach in reaches], network=source.network)


def add_device(person: Subscriber, device: PushAddress, source: Source) -> None:
    """Asks on ``device`` whether it is to hear what ``person`` chose.

    Raises:
        dispatcher.audience.limits.TooMany: see ``subscribe``.
    """
    _spend(device, source)
    with transaction.atomic():
        address = asking.add(Reach(push.CHANNEL, device.value()), person, Consent("preferences page", CONSENT_TEXT))
        _answer(address)
    log.info("subscribe.device", subscriber=address.public_id[:8], network=source.network)


def renew_device(old: PushAddress, new: PushAddress, source: Source) -> bool:
    """A browser has replaced its subscription ``old`` by ``new``: the device goes on hearing there.

    Knowing all of ``old``, its secret too, is what shows that they are one device. False where ``old`` is not known.

    Raises:
        dispatcher.audience.limits.TooMany: see ``subscribe``.
    """
    _spend(new, source)
    known = Address.objects.filter(channel=push.CHANNEL, value=old.value()).first()
    if known is None:
        return False
    with transaction.atomic():
        Address.objects.filter(channel=push.CHANNEL, value=new.value()).exclude(pk=known.pk).delete()
        Address.objects.filter(pk=known.pk).update(value=new.value())
    log.info("subscribe.renewed", subscriber=known.public_id[:8], network=source.network)
    return True


def _spend(device: PushAddress | None, source: Source) -> None:
    limits.spend(limits.REQUESTS, source.network)
    if device is not None:
        limits.spend(limits.DEVICES, source.browser)
        if push.is_extra(device):
            limits.spend(limits.HOST, device.origin)
    limits.spend(limits.SITE)


def _ask(reaches: list[Reach], choice: Choice, consent: Consent) -> None:
    with transaction.atomic():
        for address in asking.ask(reaches, choice, consent, Group.RESIDENT):
            _answer(address)


def _answer(address: Address) -> None:
    """The message to the address itself, unless it had its share of them."""
    whose = limits.hashed(f"{address.channel}:{address.value}")
    if limits.within(limits.CONFIRM_HOUR, whose) and limits.within(limits.CONFIRM_DAY, whose):
        notify(address, "known" if address.state == AddressState.ACTIVE else "confirm", by="portal")
