"""A small town in the test's own database: outlets, people, announcements, and the hops called one by one.

No worker runs: a test calls ``plan``, ``send`` and ``sweep`` itself, so that it can stand still between two hops. The
far sides are real: the practice town's mail server, and the website's folder behind a web server.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import connection, connections
from django.db.models import F
from django.utils.timezone import now

from channels.contract import Outcome, Reason, Receipt
from dispatcher.acts.approve import approve
from dispatcher.acts.correct import correct
from dispatcher.acts.submit import submit
from dispatcher.acts.withdraw import withdraw
from dispatcher.announcements.models import Announcement
from dispatcher.announcements.source import AnnouncementSource
from dispatcher.audience.models import Address, District, Subscriber, Topic
from dispatcher.dispatching import leasing, plan, readiness, send, settle
from dispatcher.dispatching.leasing import Lease
from dispatcher.dispatching.models import Batch, Delivery, Dispatch, Outlet
from dispatcher.dispatching.process import WorkerProcess, current
from dispatcher.dispatching.secretbox import seal
from dispatcher.dispatching.settle import Released, Result
from tests.support.practice import Practice

T = TypeVar("T")

COUNTERS = ("accepted", "rejected", "gone", "unknown", "skipped")
TOPIC = "public-services"


class SiteServer:
    """Serves a folder on loopback, as any web server in front of the website's folder would."""

    def __init__(self, folder: Path) -> None:
        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Nobody answers from now on. Harmless when repeated."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


@dataclass
class Scene:
    """The town. Mail arrives in ``practice``; ``folder`` is the website's, read at ``base_url``."""

    practice: Practice
    folder: Path
    base_url: str
    began: int = 0
    _people: int = field(default=0)

    def website(self, **more: Any) -> Outlet:
        values = {"folder": str(self.folder), "base_url": self.base_url, "languages": ["nl", "en"]}
        return Outlet.objects.create(
            **{"name": "website", "label": "Website", "channel": "website", "settings": seal(values), **more}
        )

    def email(self, *, values: Mapping[str, Any] | None = None, **more: Any) -> Outlet:
        """An e-mail outlet towards the practice town; ``values`` changes its settings, ``more`` its row."""
        plain = {"host": "127.0.0.1", "port": self.practice.smtp_port, "security": "none"}
        sealed = seal({**plain, "sender": "berichten@practice.invalid", **(values or {})})
        return Outlet.objects.create(
            **{"name": "email", "label": "E-mail", "channel": "email", "position": 1, "settings": sealed, **more}
        )

    def by_hand(self, *, values: Mapping[str, Any] | None = None, **more: Any) -> Outlet:
        """An outlet that a person posts on; ``values`` changes its settings, ``more`` its row."""
        sealed = seal({"network": "facebook", "account": "Gemeente Losser", **(values or {})})
        return Outlet.objects.create(
            **{"name": "facebook", "label": "Facebook", "channel": "byhand", "position": 2, "settings": sealed, **more}
        )

    def people(
        self,
        count: int,
        *,
        group: str = "resident",
        language: str = "nl",
        topics: Sequence[str] = (TOPIC,),
        district: str | None = None,
        state: str = "active",
    ) -> list[Address]:
        """Subscribers with one e-mail address each, who chose ``topics``."""
        chosen = [Topic.objects.get_or_create(slug=slug, defaults={"names": {"nl": slug}})[0] for slug in topics]
        place = District.objects.get_or_create(slug=district, defaults={"name": district})[0] if district else None
        made = Subscriber.objects.bulk_create(
            [Subscriber(group=group, language=language, district=place) for _ in range(count)]
        )
        through = Subscriber.topics.through
        through.objects.bulk_create(
            [through(subscriber_id=person.pk, topic_id=topic.pk) for person in made for topic in chosen]
        )
        first = self._people
        self._people += count
        return Address.objects.bulk_create(
            [
                Address(subscriber=person, channel="email", state=state, value=f"{group}-{first + i}@practice.invalid")
                for i, person in enumerate(made)
            ]
        )

    def announced(self, **more: Any) -> Announcement:
        """An announcement that was approved without grace; see ``source`` for what can be said."""
        announcement, _ = submit(source(**more), by="writer")
        approve(announcement, by="approver", grace=0)
        return announcement

    def planned(self, **more: Any) -> Dispatch:
        """The first dispatch of a new announcement, planned."""
        return self.plan(self.announced(**more).dispatches.get())

    def plan(self, dispatch: Dispatch) -> Dispatch:
        plan.plan(dispatch.pk)
        dispatch.refresh_from_db()
        return dispatch

    def corrected(self, announcement: Announcement, text: str = "tweede", **more: Any) -> Dispatch:
        """An update of the announcement, planned."""
        announcement.refresh_from_db()
        return self.plan(correct(announcement, source(text, **more), by="writer", grace=0))

    def withdrawn(self, announcement: Announcement) -> Dispatch:
        """A withdrawal of the announcement, planned."""
        announcement.refresh_from_db()
        return self.plan(withdraw(announcement, by="writer", reason={"nl": "Het klopt niet.", "en": "It is wrong."}))

    def work(self, *, rounds: int = 30) -> None:
        """Does what is due, as workers and sweep would, until nothing is."""
        for _ in range(rounds):
            for dispatch in Dispatch.objects.filter(planned_at=None, ended_at=None, start_at__lte=now()):
                plan.plan(dispatch.pk)
            ready = ready_batches()
            if not ready:
                return
            for identity in ready:
                send.send(identity)
        raise AssertionError(f"after {rounds} rounds there is still work: {ready_batches()}")

    def received(self) -> Counter[str]:
        """How many mails each address got in this test."""
        return Counter(line.recipient for line in self.practice.record.lines()[self.began :])

    def keys(self) -> Counter[str]:
        """How often each delivery key arrived in this test."""
        return Counter(line.key for line in self.practice.record.lines()[self.began :])

    def subjects(self, address: Address) -> list[str]:
        """What an address got, in order, by subject."""
        lines = self.practice.record.lines()[self.began :]
        return [line.subject for line in lines if line.recipient == address.value]


def source(text: str = "eerste", *, languages: Iterable[str] = ("nl", "en"), **more: Any) -> AnnouncementSource:
    """An announcement to hand in; ``text`` stands in its title."""
    said = {
        "title": f"Gemeentehuis op afspraak: {text}",
        "summary": f"Vanaf maandag 16 maart komt u op afspraak ({text}). Bel 053 000 00 00.",
        "body": f"## Wat verandert er?\n\nDe balie helpt u **alleen** op afspraak. Versie: {text}.",
        "change": "" if text == "eerste" else f"Dit is nu de {text}.",
    }
    values = {"kind": "service-change", "audience": ("resident",), "topics": (TOPIC,), **more}
    return AnnouncementSource.model_validate({**values, "texts": dict.fromkeys(languages, said)})


def ready_batches() -> list[int]:
    """What a sweep would ring for."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT b.id FROM dispatching_batch b JOIN dispatching_dispatch d ON d.id = b.dispatch_id
            JOIN dispatching_outlet o ON o.id = b.outlet_id
            WHERE {readiness.ready()} OR {readiness.dead()} ORDER BY b.id""",
            [],
        )
        return [row[0] for row in cursor.fetchall()]


def batch_of(dispatch: Dispatch, outlet: Outlet | str = "email", **more: Any) -> Batch:
    """The one batch of a dispatch on an outlet."""
    name = outlet if isinstance(outlet, str) else outlet.name
    return Batch.objects.get(dispatch=dispatch, outlet__name=name, **more)


def take(batch: Batch, holder: str = "first") -> Lease:
    """The lease of a batch that can be had."""
    lease = leasing.take(batch.pk, holder)
    assert lease is not None, f"{batch} cannot be taken"
    return lease


def released(lease: Lease, room: int, *, after: int = 0) -> list[Released]:
    """The next deliveries, released to a channel: K3."""
    return settle.settle(lease, [], after=after, room=room)


def result(
    lease: Lease, delivery: Released, outcome: Outcome = Outcome.ACCEPTED, reason: Reason = Reason.OK, **more: Any
) -> Result:
    """What a channel's receipt for a delivery comes to."""
    receipt = Receipt(key=str(delivery.id), outcome=outcome, reason=reason, **more)
    return settle.result_of(receipt, delivery, lease, settings.UNKNOWN_REPEAT_SECONDS)


def die(batch: Batch | Lease) -> None:
    """The holder of a batch is dead: its lease has run out."""
    identity = batch.batch_id if isinstance(batch, Lease) else batch.pk
    changed = Batch.objects.filter(pk=identity, lease_until__isnull=False).update(lease_until=F("lease_until") - 3600)
    assert changed, "nobody holds it"


def later(seconds: float) -> None:
    """Lets time pass for everything that waits for a moment."""
    step = timedelta(seconds=seconds)
    for model, names in (
        (Delivery, ("due_at",)),
        (Batch, ("due_at", "page_by", "starts_at", "moved_at")),
        (Dispatch, ("start_at", "expires_at", "planned_at")),
        (Outlet, ("retry_at",)),
    ):
        for name in names:
            model._default_manager.filter(**{f"{name}__isnull": False}).update(**{name: F(name) - step})


def states(dispatch: Dispatch | None = None, outlet: str = "email") -> Counter[str]:
    """How many deliveries are in which state, ``skipped`` with its reason."""
    rows = Delivery.objects.filter(outlet__name=outlet)
    if dispatch is not None:
        rows = rows.filter(dispatch=dispatch)
    return Counter(f"skipped: {reason}" if state == "skipped" else state for state, reason in _pairs(rows))


def _pairs(rows: Any) -> Iterable[tuple[str, str]]:
    pairs: Iterable[tuple[str, str]] = rows.values_list("state", "reason")
    return pairs


def check_counters() -> None:
    """I1 and I10: each batch says what its deliveries say, and is due when the first of them is."""
    rows: dict[int, Counter[str]] = {}
    due: dict[int, list[Any]] = {}
    for identity, state, due_at in Delivery.objects.values_list("batch", "state", "due_at"):
        rows.setdefault(identity, Counter())[state] += 1
        if due_at is not None:
            due.setdefault(identity, []).append(due_at)
        assert state in {"due", "unknown"} or due_at is None, f"I1: {state} and due"
        assert state != "due" or due_at is not None, "I1: due without a time"
    for batch in Batch.objects.all():
        found = rows.get(batch.pk, Counter())
        assert batch.size == found.total(), f"I10: {batch} of {batch.size} holds {found}"
        wrong = {name: (getattr(batch, name), found[name]) for name in COUNTERS if getattr(batch, name) != found[name]}
        assert not wrong, f"I10: {batch} says (counter, rows): {wrong}"
        if batch.lease_until is None:
            assert (batch.due_at is None) == (batch.pk not in due), f"I1: {batch} is due {batch.due_at}, rows {due}"
            assert batch.due_at is None or batch.due_at <= min(due[batch.pk]), f"I1: {batch} is due after its rows"


def worker() -> WorkerProcess:
    """The process's own worker."""
    return current()


class AnotherWorker:
    """A second worker in a thread's reach: own loop, own connections. ``with AnotherWorker() as other``."""

    def __enter__(self) -> Self:
        self.process = WorkerProcess()
        return self

    def send(self, batch: int | Batch) -> None:
        self.process.run(send._send(self.process, [batch if isinstance(batch, int) else batch.pk]))

    def __exit__(self, *_: object) -> None:
        end(self.process)


def end(process: WorkerProcess) -> None:
    """Closes what a worker has open, its loop left as it is."""
    process.run(process.channels.close())
    process.run(process.drop_connection())


def together(*work: Callable[[], T]) -> list[T | Exception]:
    """Runs each in a thread of its own, all let loose at one moment; what each gave or raised."""
    barrier = threading.Barrier(len(work))
    outcomes: list[T | Exception] = []
    lock = threading.Lock()

    def run(each: Callable[[], T]) -> None:
        barrier.wait(10)
        try:
            outcome: T | Exception = each()
        except Exception as error:
            outcome = error
        finally:
            connections.close_all()
        with lock:
            outcomes.append(outcome)

    threads = [threading.Thread(target=run, args=(each,)) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == len(work), "a thread hangs"
    return outcomes
