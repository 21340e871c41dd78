"""Dispatches in each state that the follow page has words for, written straight into the ledger's tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils.timezone import now

from dispatcher.acts.models import AuditEntry
from dispatcher.announcements.models import Announcement, Revision, RevisionText, State
from dispatcher.audience.models import Address, Subscriber
from dispatcher.dispatching import clock
from dispatcher.dispatching.models import Batch, Circuit, Delivery, Dispatch, DispatchAct, Outlet, Proof
from tests.support.town import Town

TITLES = {
    "nl": "Gemeentehuis alleen open op afspraak door corona",
    "en": "Town hall open by appointment only because of corona",
}


@dataclass(frozen=True)
class Some:
    """``count`` deliveries in one state; ``due_in`` seconds makes them open."""

    count: int
    state: str
    reason: str = ""
    due_in: float | None = None


def announcement(state: str = State.GOING_OUT) -> Announcement:
    """An announcement with one revision in Dutch and English, handed in and approved."""
    made = Announcement.objects.create(
        slug=f"gemeentehuis-{Announcement.objects.count()}",
        kind="service-change",
        state=state,
        audience=["resident"],
        created_by="cli:balie",
    )
    revision = Revision.objects.create(announcement=made, number=1, language="nl", created_by="cli:balie")
    for language, title in TITLES.items():
        RevisionText.objects.create(revision=revision, language=language, title=title, summary=title)
    AuditEntry.objects.create(actor="cli:balie", act="submit", subject=f"announcement {made.public_id}")
    return made


def dispatch(
    made: Announcement, act: str = DispatchAct.ANNOUNCE, *, start_in: float = -60, planned: bool = True, ended: str = ""
) -> Dispatch:
    """A dispatch of its newest revision, starting ``start_in`` seconds from now."""
    moment = now()
    found = Dispatch.objects.create(
        announcement=made,
        revision=made.revisions.latest("number"),
        act=act,
        created_at=moment - timedelta(seconds=90),
        created_by="cli:communicatie",
        start_at=moment + timedelta(seconds=start_in),
        planned_at=moment - timedelta(seconds=80) if planned else None,
        ended_at=moment if ended else None,
        ended_why=ended,
    )
    AuditEntry.objects.create(
        actor="cli:communicatie",
        act={"announce": "approve", "update": "correct", "withdraw": "withdraw"}[act],
        subject=f"announcement {made.public_id}",
        details={"dispatch": found.key, "revision": 1},
    )
    return found


def outlet(name: str, label: str, channel: str, position: int = 0) -> Outlet:
    """An outlet that works; the same one again where it is there."""
    return Outlet.objects.get_or_create(name=name, defaults={"label": label, "channel": channel, "position": position})[
        0
    ]


def batch(of: Dispatch, on: Outlet, parts: Sequence[Some], *, in_hand: int = 0, needs_page: bool = False) -> Batch:
    """A batch of subscribers with its deliveries; the first ``in_hand`` open ones are in a worker's hands."""
    moment = now()
    size = sum(part.count for part in parts)
    counts = {
        name: sum(part.count for part in parts if part.state == name)
        for name in ("accepted", "rejected", "gone", "unknown", "skipped")
    }
    dues = [moment + timedelta(seconds=part.due_in) for part in parts if part.due_in is not None]
    made = Batch.objects.create(
        dispatch=of,
        outlet=on,
        lane="mail",
        language="nl",
        act=of.act,
        number=Batch.objects.filter(dispatch=of, outlet=on).count(),
        size=size,
        needs_page=needs_page,
        due_at=min(dues, default=None),
        moved_at=moment if any(counts.values()) else None,
        handed=in_hand,
        cutoff=moment + timedelta(seconds=1) if in_hand else None,
        **counts,
    )
    people = Subscriber.objects.bulk_create(Subscriber(group="resident", language="nl") for _ in range(size))
    start = Address.objects.count()
    addresses = Address.objects.bulk_create(
        Address(subscriber=each, channel=on.channel, value=f"r{start + nth}@practice.invalid", state="active")
        for nth, each in enumerate(people)
    )
    # What is open comes first, so that the hand-over mark covers it.
    states = [part for part in sorted(parts, key=lambda part: part.due_in is None) for _ in range(part.count)]
    Delivery.objects.bulk_create(
        Delivery(
            dispatch=of,
            outlet=on,
            batch=made,
            target=str(address.pk),
            address=address,
            position=nth,
            state=part.state,
            reason=part.reason,
            due_at=None if part.due_in is None else moment + timedelta(seconds=part.due_in),
            settled_at=None if part.state == "due" and not part.reason else moment,
        )
        for nth, (address, part) in enumerate(zip(addresses, states, strict=True))
    )
    if in_hand:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE dispatching_batch SET lease_until = {clock.lease_now()} + 5 WHERE id = %s", [made.pk]
            )
    return made


def pages(of: Dispatch, on: Outlet, proofs: Sequence[str | None]) -> None:
    """Public copies in Dutch and English, accepted, and what reading each back showed; ``None``: not read yet."""
    for language, proof in zip(TITLES, proofs, strict=True):
        moment = now()
        made = Batch.objects.create(
            dispatch=of, outlet=on, lane="broadcast", language=language, act=of.act, size=1, accepted=1, moved_at=moment
        )
        delivery = Delivery.objects.create(
            dispatch=of,
            outlet=on,
            batch=made,
            target=language,
            position=0,
            state="accepted",
            settled_at=moment,
            url=f"http://localhost:8700/{language}/gemeentehuis/",
        )
        Proof.objects.create(delivery=delivery, result=proof or "", at=moment if proof else None, due_at=moment)


def waiting_page(of: Dispatch, on: Outlet, *, due_in: float = 0) -> None:
    """A public copy that is not out yet."""
    moment = now() + timedelta(seconds=due_in)
    made = Batch.objects.create(
        dispatch=of, outlet=on, lane="broadcast", language="nl", act=of.act, size=1, due_at=moment
    )
    Delivery.objects.create(dispatch=of, outlet=on, batch=made, target="nl", position=0, state="due", due_at=moment)


def written(town: Town, *scenes: str) -> dict[str, str]:
    """Dispatches in the states of ``scenes``, written into a running installation; their keys."""
    script = "import django; django.setup(); import json, sys; from tests.support.standing import SCENES; " + (
        "print(json.dumps({scene: SCENES[scene]().key for scene in sys.argv[1:]}))"
    )
    environment = {**os.environ, **town.environment, "DJANGO_SETTINGS_MODULE": "dispatcher.config.settings"}
    done = subprocess.run(
        [sys.executable, "-c", script, *scenes], env=environment, capture_output=True, text=True, check=True
    )
    keys: dict[str, str] = json.loads(done.stdout)
    return keys


def _website() -> Outlet:
    return outlet("website", "Website en banner", "website", 0)


def _email() -> Outlet:
    return outlet("email", "E-mail", "email", 1)


def _grace() -> Dispatch:
    made = dispatch(announcement(), start_in=50)
    waiting_page(made, _website(), due_in=50)
    batch(made, _email(), [Some(120, "due", due_in=50)], needs_page=True)
    return made


def _scheduled() -> Dispatch:
    return dispatch(announcement(State.APPROVED), start_in=86_400 * 3, planned=False)


def _preparing() -> Dispatch:
    return dispatch(announcement(State.APPROVED), planned=False)


def _sending() -> Dispatch:
    made = dispatch(announcement())
    pages(made, _website(), ["same", None])
    batch(
        made,
        _email(),
        [
            Some(1188, "accepted"),
            Some(30, "due", due_in=0),
            Some(24, "rejected", "no-such-address"),
            Some(7, "due", "mailbox-full", due_in=3600),
            Some(12, "unknown", "connection-lost", due_in=600),
        ],
        in_hand=20,
    )
    return made


def _page() -> Dispatch:
    made = dispatch(announcement())
    waiting_page(made, _website())
    batch(made, _email(), [Some(120, "due", due_in=0)], needs_page=True)
    return made


def _down(*, person: bool = False) -> Dispatch:
    made = dispatch(announcement())
    pages(made, _website(), ["same", "same"])
    batch(made, _email(), [Some(80, "accepted"), Some(40, "due", due_in=-1)])
    Outlet.objects.filter(name="email").update(
        circuit=Circuit.OPEN,
        circuit_reason="535 5.7.8 authentication failed" if person else "The mail server does not answer.",
        circuit_since=now() - timedelta(minutes=12),
        needs_person=person,
        retry_at=None if person else now() + timedelta(seconds=50),
    )
    return made


def _paused() -> Dispatch:
    made = dispatch(announcement())
    pages(made, _website(), ["same", "same"])
    batch(made, _email(), [Some(80, "accepted"), Some(40, "due", due_in=-1)])
    Outlet.objects.filter(name="email").update(
        paused_at=now() - timedelta(minutes=2), paused_by="cli:beheer", pause_reason="De mailserver wordt vervangen"
    )
    AuditEntry.objects.create(actor="cli:beheer", act="pause", subject="outlet email")
    return made


def _unknown() -> Dispatch:
    made = dispatch(announcement(State.LIVE))
    pages(made, _website(), ["same", "differs"])
    batch(made, _email(), [Some(108, "accepted"), Some(12, "unknown", "connection-lost")])
    return made


def _finished() -> Dispatch:
    made = dispatch(announcement(State.LIVE))
    pages(made, _website(), ["same", "same"])
    batch(
        made,
        _email(),
        [
            Some(1100, "accepted"),
            Some(24, "rejected", "no-such-address"),
            Some(3, "gone", "address-disabled"),
            Some(2, "skipped", "left"),
        ],
    )
    return made


def _withdrawn() -> Dispatch:
    made = dispatch(announcement(State.WITHDRAWN), ended="withdrawn")
    pages(made, _website(), ["same", "same"])
    batch(made, _email(), [Some(60, "accepted"), Some(60, "skipped", "withdrawn")])
    return made


def _stopped() -> Dispatch:
    made = dispatch(announcement(State.IN_REVIEW), start_in=5, planned=False, ended="stopped")
    AuditEntry.objects.create(
        actor="follow page",
        act="stop",
        subject=f"announcement {made.announcement.public_id}",  # type: ignore[union-attr]
        details={"dispatch": made.key},
    )
    return made


def _nobody() -> Dispatch:
    return dispatch(announcement(State.LIVE))


SCENES: dict[str, Callable[[], Dispatch]] = {
    "grace": _grace,
    "scheduled": _scheduled,
    "preparing": _preparing,
    "sending": _sending,
    "page": _page,
    "down": _down,
    "person": lambda: _down(person=True),
    "paused": _paused,
    "unknown": _unknown,
    "finished": _finished,
    "withdrawn": _withdrawn,
    "stopped": _stopped,
    "nobody": _nobody,
}
