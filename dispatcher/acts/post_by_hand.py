"""Post by hand: a person says that they posted, changed or removed what a task asks, or that they did not after all."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Min, Q
from django.utils.timezone import now

from channels.byhand import public_address
from channels.contract import Act, Outcome, Reason
from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.dispatching import handwork
from dispatcher.dispatching.models import Batch, Delivery, DeliveryState, Dispatch, PastReceipt, Proof
from dispatcher.dispatching.policy import DAY

_OVERTAKEN = {
    "replaced": "A correction replaced it before it was ticked off. Did you post the old text? Change that post: "
    "the new task has the text.",
    "withdrawn": "The announcement was withdrawn before it was ticked off. Did you post it? Remove that post.",
    "stopped": "The announcement was stopped before it was ticked off. Did you post it? Remove that post.",
    "expired": "The announcement is over. Nothing is left to post.",
}


class NoSuchTask(Exception):
    """There is no hand task of that number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"There is no task by hand with number {number}.")


class Overtaken(Exception):
    """The task was replaced, withdrawn or over before it was settled. ``why`` is the ledger's word for it."""

    def __init__(self, why: str) -> None:
        super().__init__(_OVERTAKEN.get(why, "The task is closed and cannot be changed any more."))
        self.why = why


class NotYet(Exception):
    """The task is still to come: nothing was handed to a person yet."""

    def __init__(self) -> None:
        super().__init__("It is not time for this yet: the task is still to come.")


class AddressInvalid(ValueError):
    """The pasted address is none. The message says what to paste."""


def done(number: int, *, by: By, url: str = "") -> Delivery:
    """Settles task ``number`` as accepted, at ``url`` or without an address, and orders the proof where it can be read.

    Without ``url``, a correction or withdrawal keeps the address of the post it was about. Pressed twice it is done
    once; with another address the second time, that address is put right.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        NoSuchTask, NotYet, Overtaken, AddressInvalid: nothing was changed.
    """
    author = need(by, Right.POST_BY_HAND, f"delivery {number}")
    try:
        url = public_address(url) if url.strip() else ""
    except ValueError as error:
        raise AddressInvalid(str(error)) from None
    with transaction.atomic():
        delivery = _locked(number)
        again = delivery.state == DeliveryState.ACCEPTED
        if again and url in {"", delivery.url}:
            return delivery
        _check_open(delivery, again=again)
        delivery.url = url or (delivery.previous_url if delivery.batch.act != Act.ANNOUNCE else "")
        _keep(delivery, DeliveryState.ACCEPTED, Reason.OK, f"posted by hand by {author}", due=None)
        if not again:
            _count(delivery, accepted=1)
        Proof.objects.update_or_create(
            delivery=delivery,
            defaults={"result": "", "seen": "", "attempts": 0, "due_at": now() if delivery.url else None},
        )
        _past(delivery, Outcome.ACCEPTED, Reason.OK, delivery.detail)
        record(author, "post by hand", f"delivery {number}", dispatch=delivery.dispatch.key, address=bool(delivery.url))
    return delivery


def undo(number: int, *, by: By) -> Delivery:
    """Opens task ``number`` again: it was not posted after all. Harmless when pressed twice.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        NoSuchTask, NotYet: nothing was changed.
        Overtaken: a correction or withdrawal already goes by what was ticked off.
    """
    author = need(by, Right.POST_BY_HAND, f"delivery {number}")
    with transaction.atomic():
        delivery = _locked(number)
        _check_open(delivery, again=True)
        if delivery.state == DeliveryState.DUE:
            return delivery
        delivery.url = ""
        _keep(delivery, DeliveryState.DUE, Reason.BY_HAND, f"opened again by {author}", due=DAY)
        _count(delivery, accepted=-1)
        Proof.objects.filter(delivery=delivery).delete()
        _past(delivery, Outcome.DEFERRED, Reason.BY_HAND, delivery.detail)
        record(author, "undo post by hand", f"delivery {number}", dispatch=delivery.dispatch.key)
    return delivery


def _locked(number: int) -> Delivery:
    """The delivery, with its dispatch and batch locked: in the order in which everybody locks them."""
    found = Delivery.objects.filter(pk=number, outlet__channel=handwork.CHANNEL).first()
    if found is None:
        raise NoSuchTask(number)
    Dispatch.objects.select_for_update(no_key=True).get(pk=found.dispatch_id)
    Batch.objects.select_for_update().get(pk=found.batch_id)
    return Delivery.objects.select_related("dispatch", "batch", "outlet").get(pk=number)


def _check_open(delivery: Delivery, *, again: bool) -> None:
    """Raises where the delivery cannot be settled by a person now; ``again`` where it was before."""
    if delivery.state == DeliveryState.SKIPPED:
        raise Overtaken(delivery.reason)
    dispatch = delivery.dispatch
    over = dispatch.expires_at is not None and dispatch.expires_at <= now()
    if dispatch.ended_at is not None or delivery.batch.closed or over:
        raise Overtaken(dispatch.ended_why or "expired")
    waits = delivery.state == DeliveryState.DUE and delivery.reason == Reason.BY_HAND and delivery.follows is None
    if not (waits or (again and delivery.state == DeliveryState.ACCEPTED)):
        raise NotYet


def _keep(delivery: Delivery, state: DeliveryState, reason: Reason, detail: str, *, due: float | None) -> None:
    delivery.state, delivery.reason, delivery.detail = state, reason, detail[:200]
    delivery.due_at = None if due is None else now() + timedelta(seconds=due)
    delivery.settled_at = now()
    delivery.attempts += 1  # a worker that looks at it in this moment sees that its own look is out of date
    names = ("state", "reason", "detail", "due_at", "settled_at", "attempts", "url")
    Delivery.objects.filter(pk=delivery.pk).update(**{name: getattr(delivery, name) for name in names})


def _count(delivery: Delivery, *, accepted: int) -> None:
    """Moves the batch's counter; it is due when the first of its open deliveries is."""
    first = Delivery.objects.filter(batch=delivery.batch_id, due_at__isnull=False).aggregate(first=Min("due_at"))
    batch = Batch.objects.filter(pk=delivery.batch_id)
    batch.update(accepted=F("accepted") + accepted, moved_at=now())
    # Whoever holds a lease sets it when giving the lease back.
    batch.filter(Q(lease_until=None)).update(due_at=first["first"])


def _past(delivery: Delivery, outcome: Outcome, reason: Reason, detail: str) -> None:
    PastReceipt.objects.create(
        delivery=delivery, attempt=delivery.attempts, outcome=outcome, reason=reason, detail=detail, at=now()
    )
