"""Notify: a message about the reader, on a lane that waits behind no mailing."""

from __future__ import annotations

from django.db import transaction
from django.utils.timezone import now

from dispatcher.audience.models import Address
from dispatcher.dispatching import notices, ring
from dispatcher.dispatching.models import Dispatch, DispatchAct


def notify(address: Address | None, kind: str, *, by: str) -> Dispatch:
    """Orders a notice of ``kind`` (``confirm``, ``known``, ``login``) to one address; to ``None`` nothing goes out.

    Raises:
        KeyError: there is no such kind.
    """
    if kind not in notices.WORDINGS:
        raise KeyError(kind)
    moment = now()
    with transaction.atomic():
        dispatch = Dispatch.objects.create(
            act=DispatchAct.NOTICE,
            notice={"kind": kind, "address": address.pk if address else 0},
            created_at=moment,
            created_by=by,
            start_at=moment,
        )
        ring.plan(dispatch)
    return dispatch
