"""Planning: who gets what, written once, all or nothing."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from dispatcher.acts.correct import correct
from dispatcher.acts.leave import leave
from dispatcher.announcements.models import State
from dispatcher.dispatching import plan, stages
from dispatcher.dispatching.models import Batch, ComposedCopy, Delivery, Dispatch, Outlet
from dispatcher.dispatching.secretbox import seal
from tests.support.scene import Scene, batch_of, check_counters, later, source, states, together


def targets(dispatch: Dispatch, outlet: str) -> list[str]:
    rows = Delivery.objects.filter(dispatch=dispatch, outlet__name=outlet)
    return sorted(rows.values_list("target", flat=True))


def languages(dispatch: Dispatch, outlet: str) -> Counter[str]:
    return Counter(
        Delivery.objects.filter(dispatch=dispatch, outlet__name=outlet).values_list("batch__language", flat=True)
    )


# Once


def test_repeated_plan_changes_nothing(scene: Scene) -> None:
    scene.website(), scene.email()
    scene.people(12)
    dispatch = scene.planned()
    before = list(Delivery.objects.order_by("pk").values()), list(Batch.objects.order_by("pk").values())
    scene.plan(dispatch)
    assert (list(Delivery.objects.order_by("pk").values()), list(Batch.objects.order_by("pk").values())) == before
    assert dispatch.announcement is not None
    assert dispatch.announcement.state == State.GOING_OUT


def test_ten_planners_at_once_make_one_plan(scene: Scene) -> None:
    scene.website(), scene.email()
    scene.people(40)
    dispatch = scene.announced().dispatches.get()
    assert together(*[lambda: plan.plan(dispatch.pk)] * 10) == [None] * 10
    assert len(targets(dispatch, "email")) == len(set(targets(dispatch, "email"))) == 40
    assert Batch.objects.filter(dispatch=dispatch, outlet__name="email").count() == 1
    check_counters()


@pytest.mark.parametrize("statement", ["delivery", "copy"])
def test_error_in_the_middle_leaves_nothing(scene: Scene, statement: str) -> None:
    scene.website(), scene.email()
    scene.people(12)
    dispatch = scene.announced().dispatches.get()
    table, column = {
        "delivery": ("dispatching_delivery", "position"),
        "copy": ("dispatching_composedcopy", "language"),
    }[statement]
    with refusing(table, f"{column} = {'7' if statement == 'delivery' else repr('en')}"), pytest.raises(DatabaseError):
        plan.plan(dispatch.pk)
    dispatch.refresh_from_db()
    assert dispatch.planned_at is None
    assert not Delivery.objects.exists() and not Batch.objects.exists() and not ComposedCopy.objects.exists()
    scene.plan(dispatch)
    assert len(targets(dispatch, "email")) == 12
    check_counters()


class refusing:  # noqa: N801 - read as a word of the with statement
    """While it lasts, the database refuses rows of ``table`` for which ``condition`` holds."""

    def __init__(self, table: str, condition: str) -> None:
        self.table, self.condition = table, condition

    def __enter__(self) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute(
                    f"""CREATE TRIGGER refusing BEFORE INSERT ON {self.table} WHEN NEW.{self.condition}
                    BEGIN SELECT RAISE(ABORT, 'refused'); END"""
                )
            else:
                cursor.execute(f"ALTER TABLE {self.table} ADD CONSTRAINT refusing CHECK (NOT ({self.condition}))")

    def __exit__(self, *_: object) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("DROP TRIGGER refusing")
            else:
                cursor.execute(f"ALTER TABLE {self.table} DROP CONSTRAINT refusing")


def test_what_ended_before_it_was_planned_is_not_planned(scene: Scene) -> None:
    scene.email()
    scene.people(3)
    dispatch = scene.announced().dispatches.get()
    Dispatch.objects.filter(pk=dispatch.pk).update(ended_at=now(), ended_why="stopped")
    scene.plan(dispatch)
    assert dispatch.planned_at is None
    assert not Delivery.objects.exists()


# To whom


def test_one_delivery_an_address_however_many_topics_match(scene: Scene) -> None:
    scene.email()
    both = scene.people(3, topics=("public-services", "events"), district="glane")
    none = scene.people(2, topics=("road-works",), district="glane")
    elsewhere = scene.people(2, topics=("events",), district="losser")
    whole_town = scene.people(2, topics=("events",))
    pending = scene.people(2, topics=("events",), state="pending")
    left = scene.people(1, topics=("events",))[0]
    leave(left, cause="page")
    dispatch = scene.planned(topics=("public-services", "events"), districts=("glane", "overdinkel"))
    assert targets(dispatch, "email") == sorted(str(address.pk) for address in both + whole_town)
    assert not {str(a.pk) for a in none + elsewhere + pending + [left]} & set(targets(dispatch, "email"))


def test_batches_are_filled_to_their_size(scene: Scene, settings: Settings) -> None:
    settings.BATCH_SIZE = 10
    scene.email()
    scene.people(25), scene.people(10, language="en")
    dispatch = scene.planned()
    sizes = [(b.language, b.number, b.size) for b in Batch.objects.order_by("language", "number")]
    assert sizes == [("en", 0, 10), ("nl", 0, 10), ("nl", 1, 10), ("nl", 2, 5)]
    for batch in Batch.objects.all():
        positions = Delivery.objects.filter(batch=batch).order_by("position").values_list("position", flat=True)
        assert list(positions) == list(range(batch.size))
    assert len(targets(dispatch, "email")) == 35
    check_counters()


def test_each_reads_their_language_else_the_one_it_was_written_in(scene: Scene) -> None:
    scene.website(), scene.email()
    scene.people(2), scene.people(3, language="en"), scene.people(4, language="de")
    dispatch = scene.planned()
    assert languages(dispatch, "email") == {"nl": 6, "en": 3}
    assert targets(dispatch, "website") == ["en", "nl"]


def test_outlet_that_carries_one_language_has_copies_for_all_its_readers(scene: Scene) -> None:
    scene.website(languages=["en"]), scene.email(languages=["en"])
    dutch = scene.people(2)
    scene.people(3, language="en")
    dispatch = scene.planned()
    assert languages(dispatch, "email") == {"en": 5}
    assert targets(dispatch, "website") == ["en"]
    scene.work()
    assert states(dispatch) == {"accepted": 5}
    assert scene.received()[dutch[0].value] == 1


def test_outlet_without_a_language_of_the_announcement_has_nothing_to_do(scene: Scene) -> None:
    scene.website(languages=["en"]), scene.email(languages=["en"])
    scene.people(2)
    dispatch = scene.planned(languages=("nl",))
    assert targets(dispatch, "email") == targets(dispatch, "website") == []
    assert dispatch.planned_at is not None


def test_outlet_serves_its_groups_only(scene: Scene) -> None:
    scene.website(), scene.email(groups=["colleague"])
    scene.people(2), scene.people(3, group="colleague")
    dispatch = scene.planned(audience=("resident", "colleague"))
    assert len(targets(dispatch, "email")) == 3


def test_disabled_outlet_is_left_out(scene: Scene) -> None:
    scene.website(), scene.email(enabled=False)
    scene.people(2)
    dispatch = scene.planned()
    assert targets(dispatch, "email") == []
    assert targets(dispatch, "website") == ["en", "nl"]


# One outlet that cannot compose


@pytest.mark.parametrize("cause", ["settings", "key"])
def test_outlet_that_cannot_compose_keeps_nothing_from_the_others(scene: Scene, cause: str) -> None:
    scene.website(), scene.email()
    broken = scene.email(name="second", position=2)
    sealed = seal({"host": "no host at all"}) if cause == "settings" else "sealed elsewhere"
    Outlet.objects.filter(pk=broken.pk).update(settings=sealed)
    scene.people(4)
    dispatch = scene.planned()
    assert states(dispatch, "second") == {"rejected": 4}
    row = Delivery.objects.filter(outlet=broken).first()
    assert row is not None
    assert (row.reason, row.due_at) == ("compose", None)
    assert {"settings": "SettingsInvalid", "key": "CannotOpen"}[cause] in row.detail
    check_counters()
    scene.work()
    assert states(dispatch) == {"accepted": 4}


# When


STAGED = {"colleague": 0.0, "partner": 60.0, "public": 3600.0}
EVERYBODY = ("resident", "entrepreneur", "partner", "colleague")


def test_colleagues_hear_first_and_nothing_of_the_public_stage_before_its_time(scene: Scene) -> None:
    scene.website(), scene.email()
    people = {group: scene.people(2, group=group) for group in EVERYBODY}
    dispatch = scene.planned(audience=EVERYBODY, stages=STAGED)
    starts = dispatch.start_at
    by_stage = {
        b.stage: (b.due_at - starts).total_seconds() for b in Batch.objects.filter(outlet__name="email") if b.due_at
    }
    assert [round(by_stage[stage]) for stage in sorted(by_stage)] == [0, 60, 3600]
    assert targets(dispatch, "website") == ["early:en", "early:nl", "en", "nl"]

    scene.work()
    assert set(scene.received()) == {a.value for a in people["colleague"]}
    pages = {str(page.relative_to(scene.folder)).split("/")[0] for page in scene.folder.rglob("index.html")}
    assert "early" in pages
    assert not list(scene.folder.glob("nl/gemeentehuis*")), "the public page comes with the public stage"

    later(61)
    scene.work()
    assert set(scene.received()) == {a.value for group in ("colleague", "partner") for a in people[group]}
    later(3600)
    scene.work()
    assert scene.received() == dict.fromkeys([a.value for group in EVERYBODY for a in people[group]], 1)
    assert list(scene.folder.glob("nl/gemeentehuis*/index.html"))
    check_counters()


def test_mail_of_an_early_stage_leads_to_the_early_page_and_public_mail_to_the_public_one(scene: Scene) -> None:
    scene.website(), scene.email()
    scene.people(1), scene.people(1, group="colleague")
    dispatch = scene.planned(audience=("resident", "colleague"), stages={"public": 60})
    text = {
        copy.early: copy.content
        for copy in ComposedCopy.objects.filter(dispatch=dispatch, outlet__name="email", language="nl")
    }
    assert "/early/" in text[True]
    assert "/early/" not in text[False]


def test_emergency_has_one_stage_and_one_lane(scene: Scene) -> None:
    scene.website(), scene.email()
    scene.people(1), scene.people(1, group="colleague", topics=())
    dispatch = scene.planned(kind="emergency", audience=("resident", "colleague"))
    assert {batch.lane for batch in Batch.objects.filter(dispatch=dispatch)} == {"urgent"}
    assert {batch.stage for batch in Batch.objects.filter(dispatch=dispatch)} == {0}
    mail = batch_of(dispatch)
    assert mail.size == 2
    assert mail.page_by is not None
    assert 1 < (mail.page_by - now()).total_seconds() <= 2


@pytest.mark.parametrize(
    ("delays", "expected"),
    [
        ({}, [(("resident", "partner", "colleague"), 0.0, False)]),
        ({"public": 60}, [(("partner", "colleague"), 0.0, True), (("resident",), 60.0, False)]),
        (
            {"partner": 30, "resident": 60},
            [(("colleague",), 0.0, True), (("partner",), 30.0, True), (("resident",), 60.0, False)],
        ),
        ({"colleague": 60}, [(("resident", "partner"), 0.0, False), (("colleague",), 60.0, False)]),
    ],
)
def test_stages(scene: Scene, delays: dict[str, float], expected: list[tuple[tuple[str, ...], float, bool]]) -> None:
    announcement = scene.announced(audience=("resident", "partner", "colleague"))
    read = stages.read(stages.stages_of(announcement, delays))
    assert [(stage.groups, stage.delay, stage.early) for stage in read] == expected


def test_announcement_is_planned_a_minute_ahead_and_not_before(scene: Scene) -> None:
    scene.email()
    scene.people(1)
    announcement = scene.announced(publish_at=now() + timedelta(hours=1))
    dispatch = scene.plan(announcement.dispatches.get())
    assert dispatch.planned_at is None, "who joins until then hears it too"
    scene.people(1)
    later(3600 - 59)
    scene.plan(dispatch)
    assert len(targets(dispatch, "email")) == 2
    scene.work()
    assert not scene.received()
    later(60)
    scene.work()
    assert sum(scene.received().values()) == 2


def test_correction_is_not_planned_before_its_grace_is_over(scene: Scene) -> None:
    scene.website(), scene.email()
    scene.people(2)
    dispatch = scene.planned()
    scene.work()
    assert dispatch.announcement is not None
    update = correct(dispatch.announcement, source("tweede"), by="writer", grace=10)
    scene.plan(update)
    assert update.planned_at is None, "who hears it is known when it starts, and until then it can be stopped"
    later(10)
    scene.plan(update)
    assert len(targets(update, "email")) == 2


# Corrections need what announcements need


def test_staged_announcement_can_be_corrected_and_withdrawn(scene: Scene) -> None:
    scene.website(), scene.email()
    people = scene.people(2) + scene.people(2, group="colleague")
    dispatch = scene.planned(audience=("resident", "colleague"), stages={"public": 60})
    later(61)
    scene.work()
    assert scene.received() == {address.value: 1 for address in people}
    assert dispatch.announcement is not None
    update = scene.corrected(dispatch.announcement, audience=("resident", "colleague"), stages={"public": 60})
    scene.work()
    assert states(update) == {"accepted": 4}
    assert states(update, "website") == {"accepted": 4}
    withdrawal = scene.withdrawn(dispatch.announcement)
    scene.work()
    assert states(withdrawal) == states(withdrawal, "website") == {"accepted": 4}
    assert scene.received() == {address.value: 3 for address in people}
    check_counters()


def test_correction_reaches_holders_of_an_outlet_that_is_off_or_carries_less_now(scene: Scene) -> None:
    scene.website()
    mail = scene.email()
    people = scene.people(2) + scene.people(2, language="en")
    dispatch = scene.planned()
    scene.work()
    assert dispatch.announcement is not None
    Outlet.objects.filter(pk=mail.pk).update(enabled=False, languages=["nl"])
    update = scene.corrected(dispatch.announcement)
    scene.work()
    assert states(update) == {"due": 4}, "nothing is lost on an outlet that is off"
    Outlet.objects.filter(pk=mail.pk).update(enabled=True)
    scene.work()
    assert states(update) == {"accepted": 4}
    assert scene.received() == {address.value: 2 for address in people}
    check_counters()
