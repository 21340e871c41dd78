"""When a dispatch may be planned and a batch handed over: SQL conditions, used by whoever does it and by the sweep.

Aliases: ``b`` batch, ``d`` dispatch, ``o`` outlet.
"""

from __future__ import annotations

from dispatcher.dispatching import clock

# An announcement is planned so many seconds before its start, so that it goes out on the second.
PLAN_AHEAD = 60.0
# Others wait so many seconds for a page that failed for good: time to repair it. Then they go without: their own copy
# holds the whole text, and not to hear is worse than a link that does not work yet.
PAGE_PATIENCE = 600.0


def to_plan() -> str:
    """Not planned yet, and time to: who has to hear a correction or a withdrawal is known at its start, no sooner."""
    return f"""(d.planned_at IS NULL AND d.ended_at IS NULL AND d.start_at <=
        CASE WHEN d.act = 'announce' THEN {clock.wall_in(str(PLAN_AHEAD))} ELSE {clock.wall()} END)"""


def ended() -> str:
    """Nothing that is still due in the dispatch goes out any more.

    The batch says so too: a statement that waited for the batch's lock has its newest version, but of all other rows
    what they were when it began to wait.
    """
    return f"(b.closed OR d.ended_at IS NOT NULL OR (d.expires_at IS NOT NULL AND d.expires_at <= {clock.wall()}))"


def outlet_open() -> str:
    """The outlet takes messages: enabled, not paused, its circuit closed or due for a probe."""
    return (
        "(o.enabled AND o.paused_at IS NULL AND (o.circuit = 'closed' OR "
        f"(NOT o.needs_person AND (o.retry_at IS NULL OR o.retry_at <= {clock.wall()}))))"
    )


def page_there() -> str:
    """Website first: nobody gets a link to a page that is not there. An emergency waits no longer than ``page_by``.

    A page that is still tried holds the others up; one that failed does so for ``PAGE_PATIENCE``.
    Pages wait for no page, and an index holds those batches alone: this is asked for every batch that is due.
    """
    return f"""(NOT b.needs_page OR (b.page_by IS NOT NULL AND b.page_by <= {clock.wall()}) OR NOT EXISTS (
        SELECT 1 FROM dispatching_batch pb
        JOIN dispatching_outlet po ON po.id = pb.outlet_id AND po.channel = 'website'
        WHERE pb.dispatch_id = b.dispatch_id AND NOT pb.needs_page AND pb.stage <= b.stage
            AND pb.accepted + pb.skipped < pb.size
            AND (pb.due_at IS NOT NULL OR pb.moved_at > {clock.wall_in(str(-PAGE_PATIENCE))})))"""


def dead() -> str:
    """A worker held it and did not come back."""
    return f"(b.lease_until IS NOT NULL AND {clock.lease_over('b.')})"


def ready() -> str:
    """Due, in nobody's hands, and either to be handed over or to be closed because its dispatch ended."""
    return f"""(b.due_at IS NOT NULL AND b.due_at <= {clock.wall()} AND {clock.lease_over("b.")}
        AND ({ended()} OR ({outlet_open()} AND {page_there()})))"""
