"""What a benchmark announces, and to whom. Imported once Django is set up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.timezone import now

from benchmarks import postfix
from channels.contract import Copy, Recipient
from channels.kit.letter import Letter, Stationery
from dispatcher.acts import outlets
from dispatcher.acts.approve import approve
from dispatcher.acts.submit import submit
from dispatcher.announcements import files
from dispatcher.announcements.source import AnnouncementSource
from dispatcher.audience.models import Address, AddressState, Subscriber, Topic
from dispatcher.dispatching import clock
from dispatcher.dispatching.models import ComposedCopy, Dispatch, Outlet
from dispatcher.dispatching.progress import Progress, progress
from dispatcher.dispatching.secretbox import seal

TEXT = Path(__file__).with_name("announcement.md")
SENDER = "berichten@practice.invalid"
TOPIC = "public-services"
POLL_SECONDS = 0.25
LONGEST_SECONDS = 900.0
_AT_ONCE = 5_000
_QUESTIONS = 101


def address(number: int) -> str:
    """The address of a resident."""
    return f"resident-{number:06}@practice.invalid"


def set_up(port: int, *, folder: Path) -> None:
    """The outlets: the website, and e-mail to the mail server on ``port``."""
    site = {"folder": str(folder), "base_url": settings.BASE_URL, "languages": ["nl", "en"]}
    Outlet.objects.create(name="website", label="Website", channel="website", settings=seal(site))
    Outlet.objects.create(name="email", label="E-mail", channel="email", position=1, settings=seal(_mail(port, {})))
    Topic.objects.create(slug=TOPIC, names={"nl": "Dienstverlening", "en": "Public services"})


def sign(port: int, dkim: dict[str, str]) -> None:
    """Has the e-mail outlet sign with its own DKIM key from now on; without one again where ``dkim`` is empty."""
    Outlet.objects.filter(name="email").update(settings=seal(_mail(port, dkim)))


def _mail(port: int, dkim: dict[str, str]) -> dict[str, Any]:
    return {"host": postfix.HOST, "port": port, "security": "none", "sender": SENDER, **dkim}


def populate(residents: int) -> None:
    """Gives the town so many residents with an e-mail address, one in ten of whom reads English."""
    topic = Topic.objects.get(slug=TOPIC)
    chosen = Subscriber.topics.through
    for first in range(Address.objects.count(), residents, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, residents))
        with transaction.atomic():
            people = Subscriber.objects.bulk_create(
                Subscriber(group="resident", language="nl" if number % 10 else "en") for number in numbers
            )
            chosen.objects.bulk_create(chosen(subscriber_id=each.pk, topic_id=topic.pk) for each in people)
            Address.objects.bulk_create(
                Address(subscriber=each, channel="email", value=address(number), state=AddressState.ACTIVE)
                for each, number in zip(people, numbers, strict=True)
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum has done in a town whose residents did not all come this minute


@dataclass(frozen=True, slots=True)
class Announced:
    """One announcement, from submit to the last receipt settled; times in seconds.

    ``planned`` is when planning was through (its first ring), ``first`` when the first message's receipt was settled,
    both since submit.
    """

    seconds: float
    planned: float
    first: float
    accepted: int


def announce(channel: str = "email") -> Announced:
    """Submits and approves the announcement, and waits until the last receipt of ``channel`` is settled.

    Raises:
        RuntimeError: if not all of it is accepted.
    """
    source = files.read(TEXT, now())
    began, began_on_lease_clock = time.time(), _lease_clock()
    dispatch = _approved(source)
    found = _until(dispatch, lambda found: found.settled)
    accepted = next(outlet.accepted for outlet in found.outlets if outlet.channel == channel)
    if found.total("accepted") != found.total("planned"):
        raise RuntimeError(f"{found.total('accepted')} of {found.total('planned')} were accepted: {found.outlets}")
    first, last, rung = _moments(dispatch, channel)
    return Announced(seconds=last - began, planned=rung - began_on_lease_clock, first=first - began, accepted=accepted)


def publish() -> str:
    """Has the announcement on the website; returns the path of its Dutch page."""
    dispatch = _approved(files.read(TEXT, now()))
    _until(dispatch, lambda found: any(each.channel == "website" and each.settled for each in found.outlets))
    assert dispatch.announcement is not None
    return f"/nl/{dispatch.announcement.slug}/"


def progress_seconds() -> tuple[float, float]:
    """How long the progress of a dispatch takes that has its whole mailing due: its query, and the call around it.

    The mailing is held back meanwhile, so that nothing else is at work; then it goes out.
    """
    outlet = Outlet.objects.get(name="email")
    outlets.pause(outlet, by="benchmark")
    dispatch = _approved(files.read(TEXT, now()))
    _until(dispatch, lambda found: any(each.channel == "website" and each.settled for each in found.outlets))
    queries, calls = [], []

    def timed(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, *arguments)
        finally:
            if "dispatching_batch" in sql:
                queries.append(time.perf_counter() - began)

    for _ in range(_QUESTIONS):
        began = time.perf_counter()
        with connection.execute_wrapper(timed):
            progress(dispatch, details=False)
        calls.append(time.perf_counter() - began)
    outlets.resume(outlet, by="benchmark")
    _until(dispatch, lambda found: found.settled)
    return median(queries), median(calls)


def _approved(source: AnnouncementSource) -> Dispatch:
    announcement, _ = submit(source, by="benchmark")
    return approve(announcement, by="benchmark")


def _until(dispatch: Dispatch, condition: Callable[[Progress], bool]) -> Progress:
    end = time.monotonic() + LONGEST_SECONDS
    while not condition(found := progress(dispatch, details=False)):
        if time.monotonic() > end:
            raise RuntimeError(f"it does not get on: {found.outlets}")
        time.sleep(POLL_SECONDS)
    return found


def _lease_clock() -> float:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {clock.lease_now()}")
        return float(cursor.fetchone()[0])


def _moments(dispatch: Dispatch, channel: str) -> tuple[float, float, float]:
    """When the first and the last message were settled (since the epoch), and the first ring (lease clock)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT min(d.settled_at), max(d.settled_at),
                (SELECT min(rung_at) FROM dispatching_batch WHERE dispatch_id = %s)
            FROM dispatching_delivery d JOIN dispatching_outlet o ON o.id = d.outlet_id
            WHERE d.dispatch_id = %s AND o.channel = %s""",
            [dispatch.pk, dispatch.pk, channel],
        )
        first, last, rung = cursor.fetchone()
    settled = [moment.timestamp() for moment in map(clock.moment, (first, last)) if moment is not None]
    return settled[0], settled[1], float(rung)


def octets_of_a_message() -> int:
    """How long the Dutch message is on the wire."""
    content = ComposedCopy.objects.filter(outlet__channel="email", language="nl").latest("pk").content
    stationery = Stationery(
        sender=SENDER, sender_names={}, reply_to="", list_id="berichten.practice.invalid", bounce="", feedback_id="",
        signer=None,
    )  # fmt: skip
    copy = Copy.from_json(content)
    link = f"{settings.BASE_URL}/leave/{'x' * 45}"
    made = Letter(copy, stationery).made_out(
        Recipient(address=address(1), key="k" * 65, thread="t", slots=dict.fromkeys(copy.slots, link))
    )
    content_on_the_wire: bytes = getattr(made, "content", b"")
    return len(content_on_the_wire)
