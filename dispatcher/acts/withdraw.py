"""Withdraw: it does not hold any more, and everyone who has it hears so."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.timezone import now

from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.announcements import lifecycle
from dispatcher.announcements.models import Announcement, Kind, State
from dispatcher.dispatching import holders, ring, sent
from dispatcher.dispatching.models import Dispatch, DispatchAct


def withdraw(announcement: Announcement, *, by: By, reason: Mapping[str, str]) -> Dispatch:
    """Ends everything of the announcement that is still due, now, and orders the dispatch that withdraws it.

    ``reason`` says why, by language; readers see it. There is no grace: what is wrong stops at once.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        dispatcher.announcements.lifecycle.IllegalMove: it never went out, or was withdrawn before.
    """
    author = need(by, Right.WITHDRAW, f"announcement {announcement.public_id}")
    with transaction.atomic():
        announcement = Announcement.objects.select_for_update().get(pk=announcement.pk)
        lifecycle.move(announcement, State.WITHDRAWN)
        newest = sent.newest_sent(announcement)
        assert newest is not None, "an announcement that may be withdrawn was approved, and so was to be sent"
        moment = now()
        dispatch = Dispatch.objects.create(
            announcement=announcement,
            revision=newest,
            act=DispatchAct.WITHDRAW,
            reason=dict(reason),
            urgent=announcement.kind == Kind.EMERGENCY,
            stages=announcement.dispatches.order_by("pk")[0].stages,
            created_at=moment,
            created_by=author,
            start_at=moment,
        )
        record(author, "withdraw", f"announcement {announcement.public_id}", dispatch=dispatch.key)
        holders.stop_earlier(dispatch)
        ring.plan(dispatch)
    return dispatch
