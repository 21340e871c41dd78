"""Once the cause is mended: missing copies are made, and what was rejected for want of one is due again."""

from __future__ import annotations

from django.db import connection, transaction

from dispatcher.dispatching import clock, copies
from dispatcher.dispatching.models import Batch, ComposedCopy, Dispatch, Outlet


class StillBroken(ValueError):
    """The copy still cannot be made. The message says why, with the template and its line where a template is."""


def again(outlet: Outlet) -> int:
    """Makes the outlet's missing copies; how many deliveries are due by that. Those of ended dispatches stay as is.

    Raises:
        StillBroken: nothing was changed.
    """
    waiting = list(_waiting(outlet))
    made = []
    for dispatch in waiting:
        try:
            made.append((dispatch, copies.compose_for(dispatch, outlet)))
        except Exception as error:
            raise StillBroken(copies.cause(error)) from error
    with transaction.atomic():
        return sum(_make_due(dispatch, outlet, composed) for dispatch, composed in made)


def _waiting(outlet: Outlet) -> list[Dispatch]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT DISTINCT d.dispatch_id FROM dispatching_delivery d
            JOIN dispatching_dispatch p ON p.id = d.dispatch_id
            WHERE d.outlet_id = %s AND d.state = 'rejected' AND d.reason = 'compose' AND p.ended_at IS NULL
                AND (p.expires_at IS NULL OR p.expires_at > {clock.wall()}) ORDER BY d.dispatch_id""",
            [outlet.pk],
        )
        ids = [row[0] for row in cursor.fetchall()]
    return list(Dispatch.objects.select_related("announcement", "revision").filter(pk__in=ids).order_by("pk"))


def _make_due(dispatch: Dispatch, outlet: Outlet, composed: list[copies.Composed]) -> int:
    # In the order in which planning and acts lock them: the dispatch, then its batches.
    locked = Dispatch.objects.select_for_update().get(pk=dispatch.pk)
    if locked.ended_at is not None:
        return 0
    batches = list(Batch.objects.select_for_update().filter(dispatch=dispatch, outlet=outlet).order_by("pk"))
    ComposedCopy.objects.filter(dispatch=dispatch, outlet=outlet).delete()
    copies.write(dispatch, composed, batches)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_delivery SET state = 'due', reason = '', detail = '', settled_at = NULL,
                due_at = (SELECT CASE WHEN b.starts_at > {clock.wall()} THEN b.starts_at ELSE {clock.wall()} END
                    FROM dispatching_batch b WHERE b.id = batch_id)
            WHERE dispatch_id = %s AND outlet_id = %s AND state = 'rejected' AND reason = 'compose'""",
            [dispatch.pk, outlet.pk],
        )
        changed = int(cursor.rowcount)
        cursor.execute(
            """UPDATE dispatching_batch SET barren = 0,
                rejected = (SELECT count(*) FROM dispatching_delivery d
                    WHERE d.batch_id = dispatching_batch.id AND d.state = 'rejected'),
                due_at = (SELECT min(due_at) FROM dispatching_delivery d WHERE d.batch_id = dispatching_batch.id)
            WHERE dispatch_id = %s AND outlet_id = %s AND EXISTS (SELECT 1 FROM dispatching_delivery d
                WHERE d.batch_id = dispatching_batch.id AND d.state = 'due')""",
            [dispatch.pk, outlet.pk],
        )
    return changed
