"""An emergency to public outlets, and a mailing beside it. Imported once Django is set up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db.models import Max, Min
from django.utils.timezone import now

from benchmarks import timeline, town
from dispatcher.acts.approve import approve
from dispatcher.acts.submit import submit
from dispatcher.announcements import files
from dispatcher.dispatching.models import Batch, Delivery, Dispatch, Outlet, Proof
from dispatcher.dispatching.secretbox import seal

# Nobody in the mailing is an entrepreneur: it goes to the public outlets alone.
TEXT = Path(__file__).with_name("emergency.md")
LONGEST_SECONDS = 300.0
_POLL_SECONDS = 0.02


def set_up(far_side: timeline.Timeline, outlets: int) -> None:
    """As many public outlets in all: the website, which is there, and accounts at the far side."""
    values = seal({"url": far_side.url, "token": timeline.TOKEN})
    Outlet.objects.bulk_create(
        Outlet(name=f"account-{number}", label=f"Account {number}", channel="mastodon", position=2 + number,
               settings=values)
        for number in range(1, outlets)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alarm:
    """One emergency, from submit to the last acceptance; ``seconds`` in all, ``legs`` by what they were spent on."""

    seconds: float
    legs: dict[str, float]


def sound(far_side: timeline.Timeline, outlets: int) -> Alarm:
    """Submits and approves the emergency, and waits until every outlet has accepted it.

    Raises:
        RuntimeError: if one of them does not.
    """
    source = files.read(TEXT, now())
    began = time.time()
    announcement, _ = submit(source, by="benchmark")
    submitted = time.time()
    dispatch = approve(announcement, by="benchmark")
    approved = time.time()
    _until(lambda: dispatch.batches.filter(due_at=None, accepted=1).count() == outlets, str(dispatch))
    dispatch.refresh_from_db()
    assert dispatch.planned_at is not None
    settled = Delivery.objects.filter(dispatch=dispatch).aggregate(last=Max("settled_at"))["last"].timestamp()
    page = Delivery.objects.filter(dispatch=dispatch, outlet__name="website").aggregate(at=Min("settled_at"))["at"]
    taken = far_side.taken(f"/{announcement.slug}/")
    if taken.posts != outlets - 1:
        raise RuntimeError(f"the far side took {taken.posts} posts of {outlets - 1}")
    moments = {
        "submit: the text and its commit": submitted,
        "approve: the dispatch, its commit and its ring": approved,
        "from the ring to the plan's commit, copies composed": dispatch.planned_at.timestamp(),
        "the page: its ring, lease, files and receipt": page.timestamp(),
        "from there to the first post: ring, leases, request": taken.first,
        "on the wire: from the first post to the last": taken.last,
        "from the last post to its receipt settled": settled,
    }
    legs, before = {}, began
    for leg, moment in moments.items():
        legs[leg], before = moment - before, moment
    return Alarm(settled - began, legs)


def calm_down() -> None:
    """Waits until all public copies have been read back and nothing is in hand: what is measured next stands alone."""
    _until(lambda: not Proof.objects.filter(result="").exists() and not Batch.objects.exclude(due_at=None).exists(), "")


class Mailing:
    """A mailing to all residents, which goes out beside the emergencies."""

    def __init__(self) -> None:
        """Starts it, and returns once its first e-mail is settled."""
        announcement, _ = submit(files.read(town.TEXT, now()), by="benchmark")
        self._dispatch: Dispatch = approve(announcement, by="benchmark")
        self._mails = Batch.objects.filter(dispatch=self._dispatch, outlet__name="email")
        _until(self._mails.filter(accepted__gt=0).exists, "the mailing")

    @property
    def under_way(self) -> bool:
        """Whether e-mails of it are still to go out."""
        return self._mails.exclude(due_at=None).exists()


def _until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + LONGEST_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"it does not get on: {what}")
        time.sleep(_POLL_SECONDS)
