"""Planning: who gets what of a dispatch, written as ledger rows in one transaction. All or nothing, once.

The targets are gathered in a temporary table (so that counting and writing see the same audience), grouped into
batches, and inserted with one ``INSERT … SELECT``. The lock on the dispatch keeps a second plan from being made, and
the unique key of a delivery refuses one.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db import connection, transaction

from channels.contract import Act
from dispatcher.announcements import lifecycle
from dispatcher.announcements.models import Announcement, State
from dispatcher.audience import selecting
from dispatcher.dispatching import clock, copies, holders, notices, readiness, ring, stages
from dispatcher.dispatching.lanes import lane_for
from dispatcher.dispatching.models import Batch, Dispatch, Outlet
from dispatcher.dispatching.outlets import is_direct

log = structlog.get_logger("omroeper.plan")

TARGETS = "plan_targets"
_TARGET_COLUMNS = """outlet_id, target, address_id, language, act, stage, early, due_at, previous, previous_url,
    follows, holds"""


def plan(dispatch_id: int) -> None:
    """Plans a dispatch, unless that was done or it is too early, and rings for what is due. Harmless when doubled."""
    dispatch = Dispatch.objects.select_related("announcement", "revision").get(pk=dispatch_id)
    if not _to_plan(dispatch_id):
        return
    if dispatch.act == Act.NOTICE:
        notices.plan(dispatch)
        return
    assert dispatch.announcement_id is not None
    composed, failed = copies.compose(dispatch)
    with transaction.atomic():
        # The order in which acts lock them, too: announcement, dispatch, batches.
        Announcement.objects.select_for_update(no_key=True).get(pk=dispatch.announcement_id)
        Dispatch.objects.select_for_update().get(pk=dispatch_id)
        if not _to_plan(dispatch_id):
            return
        _make_targets()
        if dispatch.act == Act.ANNOUNCE:
            _announce(dispatch, [each.outlet for each in composed] + list(failed))
        else:
            holders.correct(dispatch, TARGETS, _TARGET_COLUMNS)
        batches = _write_batches(dispatch, {each.outlet.pk: each.outlet for each in composed})
        copies.write(dispatch, composed, batches)
        _write_deliveries(dispatch)
        for outlet, why in failed.items():
            _reject(dispatch, outlet, why)
        _mark_planned(dispatch)
        _drop_targets()
    log.info("dispatch.planned", dispatch=dispatch.key, batches=len(batches))
    ring.batches(_due_now(dispatch.pk))


def _to_plan(dispatch_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT 1 FROM dispatching_dispatch d WHERE d.id = %s AND {readiness.to_plan()}",
            [dispatch_id],
        )
        return cursor.fetchone() is not None


def _make_targets() -> None:
    text, number, flag, moment = (
        ("text", "integer", "integer", "text") if clock.is_sqlite() else ("text", "bigint", "boolean", "timestamptz")
    )
    _drop_targets()
    with connection.cursor() as cursor:
        cursor.execute(
            # What the rows are sorted by comes first, numbers before texts: PostgreSQL reads them quickest from there.
            f"""CREATE TEMPORARY TABLE {TARGETS} (outlet_id {number}, stage {number}, early {flag}, address_id {number},
                follows {number}, holds {flag}, due_at {moment}, language {text}, act {text}, target {text},
                previous {text}, previous_url {text})"""
        )


def _drop_targets() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TARGETS}")


def _announce(dispatch: Dispatch, outlets: list[Outlet]) -> None:
    announcement = dispatch.announcement
    revision = dispatch.revision
    assert announcement is not None
    assert revision is not None
    languages = sorted(revision.texts.values_list("language", flat=True))
    reading = stages.read(dispatch.stages)
    for outlet in {outlet.pk: outlet for outlet in outlets}.values():
        offered = [language for language in languages if not outlet.languages or language in outlet.languages]
        fallback = revision.language if revision.language in offered or not offered else offered[0]
        if is_direct(outlet.channel):
            for index, stage in enumerate(reading):
                _add_addresses(dispatch, announcement, outlet, index, stage, offered, fallback)
        else:
            _add_public(dispatch, outlet, reading, offered)


def _add_addresses(
    dispatch: Dispatch,
    announcement: Announcement,
    outlet: Outlet,
    index: int,
    stage: stages.Stage,
    offered: list[str],
    fallback: str,
) -> None:
    groups = [group for group in stage.groups if not outlet.groups or group in outlet.groups]
    if not groups or not offered:
        return
    query, values = selecting.recipients_sql(announcement, outlet.channel, groups, offered, fallback)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO {TARGETS} ({_TARGET_COLUMNS})
            SELECT %s, CAST(q.address_id AS text), q.address_id, q.language, 'announce', %s, %s, {_due()}, '', '',
                NULL, {_false()}
            FROM ({query}) q""",
            [outlet.pk, index, stage.early, dispatch.start_at, stage.delay, *values],
        )


def _add_public(dispatch: Dispatch, outlet: Outlet, reading: list[stages.Stage], offered: list[str]) -> None:
    """One copy a language, when its readers' turn comes; the website has an unlisted page for those who hear first."""
    public = next((i for i, stage in enumerate(reading) if not stage.early), None)
    wanted: list[tuple[int, bool]] = []
    if outlet.groups:
        # Readers who hear it first get the link that works by then: to the unlisted page.
        wanted += [(i, stage.early) for i, stage in enumerate(reading) if set(stage.groups) & set(outlet.groups)][:1]
    elif public is not None:
        wanted.append((public, False))
    if outlet.channel == "website" and reading[0].early:
        wanted.insert(0, (0, True))
    with connection.cursor() as cursor:
        for index, early in wanted:
            for language in offered:
                cursor.execute(
                    f"""INSERT INTO {TARGETS} ({_TARGET_COLUMNS})
                    SELECT %s, %s, NULL, %s, 'announce', %s, %s, {_due()}, '', '', NULL, {_false()}""",
                    [
                        outlet.pk,
                        f"early:{language}" if early else language,
                        language,
                        index,
                        early,
                        dispatch.start_at,
                        reading[index].delay,
                    ],
                )


def _due() -> str:
    """SQL for start plus delay; takes those two as values."""
    if clock.is_sqlite():
        return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', %s, %s || ' seconds')"
    return "%s::timestamptz + %s * interval '1 second'"


def _false() -> str:
    return "0" if clock.is_sqlite() else "false"


def _write_batches(dispatch: Dispatch, outlets: dict[int, Outlet]) -> list[Batch]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT outlet_id, language, act, stage, early, min(due_at), count(*) FROM {TARGETS}
            GROUP BY outlet_id, language, act, stage, early ORDER BY stage, outlet_id, language""",
            [],
        )
        groups = cursor.fetchall()
    batches = []
    for outlet_id, language, act, stage, early, due_at, count in groups:
        outlet = outlets.get(outlet_id) or Outlet.objects.get(pk=outlet_id)
        direct = is_direct(outlet.channel)
        website = outlet.channel == "website"
        for number in range((count - 1) // settings.BATCH_SIZE + 1):
            batches.append(
                Batch(
                    dispatch=dispatch,
                    outlet=outlet,
                    lane=lane_for(outlet.channel, direct=direct, urgent=dispatch.urgent),
                    language=language,
                    act=act,
                    stage=stage,
                    early=bool(early),
                    number=number,
                    size=min(settings.BATCH_SIZE, count - number * settings.BATCH_SIZE),
                    needs_page=not website,
                    due_at=clock.moment(due_at),
                    starts_at=clock.moment(due_at),
                )
            )
    Batch.objects.bulk_create(batches)
    if dispatch.urgent:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""UPDATE dispatching_batch SET page_by = {clock.wall_in("%s")}
                WHERE dispatch_id = %s AND needs_page""",
                [settings.EMERGENCY_PAGE_SECONDS, dispatch.pk],
            )
    return batches


def _write_deliveries(dispatch: Dispatch) -> None:
    size = settings.BATCH_SIZE
    with connection.cursor() as cursor:
        if not clock.is_sqlite():
            # PostgreSQL knows nothing of batches that were made a moment ago. It would take them for one, and go
            # through all of them for each delivery; and sort on disk what fits in memory.
            cursor.execute(
                "SET LOCAL enable_mergejoin = off; SET LOCAL enable_nestloop = off; SET LOCAL work_mem = '64MB'"
            )
        cursor.execute(
            f"""INSERT INTO dispatching_delivery (dispatch_id, outlet_id, batch_id, target, address_id, position, state,
                due_at, attempts, reason, detail, remote_id, url, previous, previous_url, follows, holds)
            SELECT %s, q.outlet_id, b.id, q.target, q.address_id, (q.nth - 1) %% {size}, 'due', q.due_at, 0, '', '', '',
                '', q.previous, q.previous_url, q.follows, q.holds
            FROM (SELECT t.*, row_number() OVER
                    (PARTITION BY outlet_id, stage, early, language, act ORDER BY address_id, target) AS nth
                FROM {TARGETS} t) q
            JOIN dispatching_batch b ON b.dispatch_id = %s AND b.outlet_id = q.outlet_id AND b.language = q.language
                AND b.act = q.act AND b.stage = q.stage AND b.early = q.early AND b.number = (q.nth - 1) / {size}""",
            [dispatch.pk, dispatch.pk],
        )


def _reject(dispatch: Dispatch, outlet: Outlet, why: str) -> None:
    """Nothing can go out where no copy could be made; the reason stands at each delivery."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_delivery SET state = 'rejected', reason = 'compose', detail = %s, due_at = NULL,
                settled_at = {clock.wall()} WHERE dispatch_id = %s AND outlet_id = %s""",
            [why, dispatch.pk, outlet.pk],
        )
        cursor.execute(
            f"""UPDATE dispatching_batch SET rejected = size, due_at = NULL, moved_at = {clock.wall()}
            WHERE dispatch_id = %s AND outlet_id = %s""",
            [dispatch.pk, outlet.pk],
        )


def _mark_planned(dispatch: Dispatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE dispatching_dispatch SET planned_at = {clock.wall()} WHERE id = %s AND planned_at IS NULL",
            [dispatch.pk],
        )
    assert dispatch.announcement is not None
    if dispatch.act == Act.ANNOUNCE:
        lifecycle.move(dispatch.announcement, State.GOING_OUT)


def _due_now(dispatch_id: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT id FROM dispatching_batch WHERE dispatch_id = %s AND due_at <= {clock.wall()}
                AND (NOT needs_page OR page_by <= {clock.wall()}) ORDER BY stage, id""",
            [dispatch_id],
        )
        return [row[0] for row in cursor.fetchall()]
