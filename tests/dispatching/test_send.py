"""Sending: a batch through a real channel, with all that a far side and a database may do meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from channels import registry
from channels.kit.files import held
from dispatcher.acts.leave import leave
from dispatcher.audience.models import Address, AddressState, Subscriber
from dispatcher.dispatching import leasing, send
from dispatcher.dispatching.models import Batch, Circuit, Delivery, Dispatch, Outlet, PastReceipt
from dispatcher.dispatching.outlets import reserve
from dispatcher.dispatching.process import WorkerProcess
from dispatcher.dispatching.secretbox import seal
from tests.support.scene import AnotherWorker, Scene, batch_of, check_counters, die, end, later, states, together

# One connection and a small window: what is in hand at any moment is small, and known.
ONE = {"connections": 1, "reply_seconds": 5}


@contextmanager
def sending(batch: Batch) -> Iterator[WorkerProcess]:
    """A worker that sends the batch in a thread of its own; it has ended afterwards."""
    process = WorkerProcess()
    errors: list[Exception] = []

    def work() -> None:
        try:
            process.run(send._send(process, [batch.pk]))
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield process
    finally:
        thread.join(60)
        assert not thread.is_alive(), "sending hangs"
        end(process)
        assert not errors, errors


def keys_match(scene: Scene) -> None:
    """I2: what the ledger calls accepted has arrived, once."""
    accepted = {
        f"{key}.{address}"
        for key, address in Delivery.objects.filter(state="accepted", outlet__channel="email").values_list(
            "dispatch__key", "address__public_id"
        )
    }
    assert scene.keys() == dict.fromkeys(accepted, 1)


def test_page_first_and_then_every_mail_once(scene: Scene, settings: Settings) -> None:
    settings.BATCH_SIZE = 20
    scene.website(), scene.email()
    scene.people(50)
    dispatch = scene.planned()
    scene.work()
    assert states(dispatch) == {"accepted": 50}
    assert states(dispatch, "website") == {"accepted": 2}
    assert set(Delivery.objects.values_list("attempts", "due_at")) == {(1, None)}
    assert not Delivery.objects.filter(remote_id="").exists()
    assert not PastReceipt.objects.exists(), "a smooth mailing writes none"
    assert set(Batch.objects.values_list("due_at", "lease_until", "handed", "barren")) == {(None, None, 0, 0)}
    keys_match(scene)
    check_counters()


def test_many_leases_one_after_another(scene: Scene, settings: Settings) -> None:
    settings.BATCH_SIZE = 1
    scene.email()
    scene.people(12)
    dispatch = scene.planned()
    scene.work()
    assert states(dispatch) == {"accepted": 12}
    keys_match(scene)


@pytest.mark.parametrize("window", [1, 2, 3, 7, 30])
def test_any_window_reaches_the_end(scene: Scene, settings: Settings, window: int) -> None:
    settings.WINDOW = window
    scene.email()
    people = scene.people(23)
    leave(people[4], cause="page")
    dispatch = scene.planned()
    for address in people[10:13] + people[20:]:
        leave(address, cause="page")
    scene.work()
    assert states(dispatch) == {"accepted": 16, "skipped: left": 6}
    keys_match(scene)
    check_counters()


def test_batch_of_which_everybody_left_is_done(scene: Scene, settings: Settings) -> None:
    settings.WINDOW = 4
    scene.email()
    people = scene.people(10)
    dispatch = scene.planned()
    for address in people:
        leave(address, cause="page")
    scene.work()
    assert states(dispatch) == {"skipped: left": 10}
    assert not scene.received()
    check_counters()


# Who is not written to after all


def test_between_planning_and_hand_over_people_leave_and_are_erased(scene: Scene) -> None:
    scene.email()
    stays, left, erased, suppressed, unconfirmed = scene.people(5)
    dispatch = scene.planned()
    leave(left, cause="one-click")
    Subscriber.objects.filter(pk=erased.subscriber_id).delete()
    Address.objects.filter(pk=suppressed.pk).update(state=AddressState.SUPPRESSED)
    Address.objects.filter(pk=unconfirmed.pk).update(state=AddressState.PENDING)
    scene.work()
    assert states(dispatch) == {
        "accepted": 1,
        "skipped: left": 2,
        "skipped: suppressed": 1,
        "skipped: not-confirmed": 1,
    }
    assert scene.received() == {stays.value: 1}
    assert set(Delivery.objects.filter(state="skipped").values_list("attempts", flat=True)) == {0}
    check_counters()


def test_who_leaves_during_the_run_and_is_not_in_hand_gets_nothing(scene: Scene, settings: Settings) -> None:
    settings.WINDOW = 4
    scene.practice.switch({"kind": "slow", "seconds": 0.05})
    scene.email(values=ONE)
    people = scene.people(30)
    dispatch = scene.planned()
    with sending(batch_of(dispatch)):
        scene.practice.record.wait_for(scene.began + 3)
        for address in people:
            leave(address, cause="one-click")
        when_all_had_left = scene.practice.record.count() - scene.began
    arrived = sum(scene.received().values())
    assert arrived <= when_all_had_left + settings.WINDOW, "I5"
    assert states(dispatch) == {"accepted": arrived, "skipped: left": 30 - arrived}
    keys_match(scene)
    check_counters()


# What the mail server says


def test_address_that_does_not_exist_is_never_written_to_again(scene: Scene) -> None:
    scene.practice.switch({"preset": "unknown-address", "match": "resident-[12]@*"})
    scene.email()
    people = scene.people(6)
    first = scene.planned()
    scene.work()
    assert states(first) == {"accepted": 4, "gone": 2}
    gone = Address.objects.filter(pk__in=[people[1].pk, people[2].pk])
    assert set(gone.values_list("state", "state_reason")) == {("suppressed", "no-such-address")}
    assert set(PastReceipt.objects.values_list("outcome", "reason", "late")) == {("gone", "no-such-address", False)}
    scene.practice.clear()
    second = scene.planned(text="iets anders")
    scene.work()
    assert states(second) == {"accepted": 4}
    check_counters()


def test_greylisted_mail_waits_and_is_tried_again(scene: Scene) -> None:
    scene.practice.switch({"kind": "greylist", "seconds": 0.01, "match": "resident-[0-4]@*"})
    scene.email()
    scene.people(10)
    dispatch = scene.planned()
    scene.work()
    assert states(dispatch) == {"accepted": 5, "due": 5}
    waiting = Delivery.objects.filter(state="due")
    assert {(row.reason, row.attempts) for row in waiting} == {("greylisted", 1)}
    assert all(row.due_at is not None and 40 < (row.due_at - now()).total_seconds() <= 60 for row in waiting)
    check_counters()
    later(61)
    scene.work()
    assert states(dispatch) == {"accepted": 10}
    assert (
        sorted(PastReceipt.objects.values_list("attempt", "outcome")) == [(1, "deferred")] * 5 + [(2, "accepted")] * 5
    )
    keys_match(scene)
    check_counters()


def test_server_that_hangs_up_after_some_messages_gets_the_rest_later(scene: Scene) -> None:
    scene.practice.switch({"preset": "busy", "after": 7, "count": "server", "times": 3})
    scene.email(values=ONE)
    scene.people(30)
    dispatch = scene.planned()
    for _ in range(6):
        scene.work()
        assert set(states(dispatch)) <= {"accepted", "due"}, "nothing is refused for good, nothing in doubt"
        check_counters()
        later(400)
    assert states(dispatch) == {"accepted": 30}
    keys_match(scene)


def test_mail_without_an_answer_is_repeated_once_and_then_left_to_a_person(scene: Scene, settings: Settings) -> None:
    scene.practice.switch({"kind": "cut", "moment": "after-dot", "after": 2, "times": 2, "taken": True})
    scene.email(values=ONE)
    scene.people(6)
    dispatch = scene.planned()
    scene.work()
    later(5)  # two connections lost in a row: the outlet was left alone for a moment
    scene.work()
    assert states(dispatch) == {"accepted": 4, "unknown": 2}
    doubtful = set(Delivery.objects.filter(state="unknown").values_list("pk", flat=True))
    scene.practice.switch({"kind": "cut", "moment": "after-dot", "times": 1, "taken": False})
    later(settings.UNKNOWN_REPEAT_SECONDS + 1)
    scene.work()
    assert states(dispatch) == {"accepted": 5, "unknown": 1}
    later(2 * settings.UNKNOWN_REPEAT_SECONDS)
    scene.work()
    assert states(dispatch) == {"accepted": 5, "unknown": 1}, "a second doubt is not repeated"
    assert not Delivery.objects.exclude(due_at=None).exists()
    twice = {key for key, count in scene.keys().items() if count > 1}
    assert len(twice) == 1 and max(scene.keys().values()) == 2
    doubts = PastReceipt.objects.filter(outcome="unknown").values_list("delivery", flat=True)
    assert set(doubts) == doubtful and len(doubts) == 3
    message_ids = {line.message_id for line in scene.practice.record.lines()[scene.began :] if line.key in twice}
    assert len(message_ids) == 1, "a repeat has the same Message-ID"
    check_counters()


def test_outlet_that_is_down_is_left_alone_and_probed_by_one(scene: Scene, settings: Settings) -> None:
    settings.BATCH_SIZE = 5
    scene.practice.switch("refused")
    outlet = scene.email()
    scene.people(15)
    dispatch = scene.planned()
    scene.work()
    outlet.refresh_from_db()
    assert (outlet.circuit, outlet.failures, outlet.needs_person) == (Circuit.OPEN, 1, False)
    assert outlet.circuit_reason
    assert states(dispatch) == {"due": 15}
    scene.practice.clear()
    scene.work()
    assert not scene.received(), "not before its time"
    later(400)
    scene.work()
    outlet.refresh_from_db()
    assert (outlet.circuit, outlet.failures, outlet.retry_at, outlet.circuit_since) == (Circuit.CLOSED, 0, None, None)
    assert states(dispatch) == {"accepted": 15}
    keys_match(scene)
    check_counters()


def test_each_failed_probe_waits_longer(scene: Scene) -> None:
    scene.practice.switch("refused")
    outlet = scene.email()
    scene.people(2)
    scene.planned()
    waits = []
    for _ in range(3):
        scene.work()
        outlet.refresh_from_db()
        assert outlet.retry_at is not None
        waits.append(round((outlet.retry_at - now()).total_seconds()))
        later(400)
    assert waits == [2, 5, 15]


def test_clear_no_shows_that_an_outlet_is_well(scene: Scene) -> None:
    scene.practice.switch({"preset": "unknown-address", "match": "*"})
    outlet = scene.email(circuit=Circuit.OPEN, retry_at=now(), circuit_since=now(), failures=3)
    scene.people(2)
    dispatch = scene.planned()
    scene.work()
    outlet.refresh_from_db()
    assert states(dispatch) == {"gone": 2}
    assert (outlet.circuit, outlet.failures) == (Circuit.CLOSED, 0)


def test_refused_sender_waits_for_a_person(scene: Scene) -> None:
    scene.practice.switch("not-allowed")
    outlet = scene.email()
    scene.people(4)
    dispatch = scene.planned()
    scene.work()
    outlet.refresh_from_db()
    assert (outlet.circuit, outlet.needs_person) == (Circuit.OPEN, True)
    later(10_000)
    scene.work()
    assert states(dispatch) == {"due": 4}, "nobody is suppressed, nothing is lost, nothing is tried"
    check_counters()


def test_changed_settings_are_used_from_the_next_batch_on(scene: Scene, settings: Settings) -> None:
    outlet = scene.email(values={"port": 1})
    settings.EGRESS_EXCEPTIONS = [*settings.EGRESS_EXCEPTIONS, ("127.0.0.1", 1)]
    scene.people(3)
    dispatch = scene.planned()
    scene.work()
    assert states(dispatch) == {"due": 3}
    right = {"host": "127.0.0.1", "port": scene.practice.smtp_port, "security": "none", "sender": "b@practice.invalid"}
    Outlet.objects.filter(pk=outlet.pk).update(settings=seal(right))
    later(400)
    scene.work()
    assert states(dispatch) == {"accepted": 3}


@pytest.mark.parametrize("cause", ["settings", "key", "address"])
def test_outlet_that_cannot_be_opened_needs_a_person(scene: Scene, settings: Settings, cause: str) -> None:
    outlet = scene.email()
    scene.people(3)
    dispatch = scene.planned()
    if cause == "address":
        settings.EGRESS_EXCEPTIONS = []
    else:
        sealed = seal({"host": "nowhere"}) if cause == "settings" else "sealed elsewhere"
        Outlet.objects.filter(pk=outlet.pk).update(settings=sealed)
    scene.work()
    outlet.refresh_from_db()
    assert outlet.circuit == Circuit.OPEN and outlet.needs_person
    assert outlet.circuit_reason
    assert states(dispatch) == {"due": 3}
    check_counters()


def test_channel_that_breaks_leaves_what_it_had_in_doubt_and_the_rest_due(
    scene: Scene, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.CHANNELS, "failing", "tests.support.odd_channels:Failing")
    outlet = Outlet.objects.create(name="failing", label="Failing", channel="failing")
    Address.objects.filter(pk__in=[address.pk for address in scene.people(8)]).update(channel="failing")
    dispatch = scene.planned()
    scene.work()
    outlet.refresh_from_db()
    assert states(dispatch, "failing") == {"unknown": 2, "accepted": 1, "due": 5}
    assert set(Delivery.objects.filter(state="unknown").values_list("reason", flat=True)) == {"fault"}
    assert outlet.circuit == Circuit.OPEN and not outlet.needs_person
    check_counters()


# A worker that stops, freezes or loses its database


def test_worker_that_was_asked_to_stop_hands_back_what_it_has_not_begun(scene: Scene, settings: Settings) -> None:
    settings.WINDOW = 6
    scene.practice.switch({"kind": "slow", "seconds": 0.05})
    scene.email(values=ONE)
    scene.people(30)
    batch = batch_of(scene.planned())
    with sending(batch) as process:
        scene.practice.record.wait_for(scene.began + 4)
        process.stopping.set()
    arrived = sum(scene.received().values())
    assert 4 <= arrived < 30
    assert states() == {"accepted": arrived, "due": 30 - arrived}, "nothing in doubt"
    batch.refresh_from_db()
    assert (batch.lease_until, batch.handed, batch.barren) == (None, 0, 0)
    keys_match(scene)
    check_counters()
    scene.practice.clear()
    scene.work()
    assert states() == {"accepted": 30}
    keys_match(scene)


def test_task_whose_time_is_up_hands_back_the_rest(scene: Scene, settings: Settings) -> None:
    settings.WINDOW, settings.TASK_SECONDS = 4, 0.3
    scene.practice.switch({"kind": "slow", "seconds": 0.05})
    scene.email(values=ONE)
    scene.people(30)
    batch = batch_of(scene.planned())
    send.send(batch.pk)
    first = states()
    assert 0 < first["accepted"] < 30 and first["due"] == 30 - first["accepted"]
    scene.practice.clear()
    scene.work()
    assert states() == {"accepted": 30}
    keys_match(scene)


def test_holder_that_lost_its_lease_stops_and_its_receipts_are_kept(scene: Scene, settings: Settings) -> None:
    settings.WINDOW = 6
    scene.practice.switch({"kind": "slow", "seconds": 0.05})
    scene.email(values=ONE)
    scene.people(40)
    batch = batch_of(scene.planned())
    with sending(batch):
        scene.practice.record.wait_for(scene.began + 4)
        die(batch)
        second = leasing.take(batch.pk, "second")
        assert second is not None
        when_lost = scene.practice.record.count() - scene.began
    arrived = sum(scene.received().values())
    assert arrived <= when_lost + settings.WINDOW, "I9: it begins nothing new"
    batch.refresh_from_db()
    assert (batch.leased_by, batch.lease_token) == ("second", second.token), "it does not give back what is not its own"
    assert states()["accepted"] == arrived, "I9: its late acceptances count"
    keys_match(scene)
    check_counters()


@contextmanager
def database_away() -> Iterator[None]:
    """While it lasts no delivery can be settled."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                """CREATE TRIGGER away BEFORE UPDATE ON dispatching_delivery
                BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"""
            )
        else:
            cursor.execute(
                """CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$;
                CREATE TRIGGER away BEFORE UPDATE ON dispatching_delivery FOR EACH ROW EXECUTE FUNCTION away()"""
            )
        try:
            yield
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("DROP TRIGGER away")
            else:
                cursor.execute("DROP TRIGGER away ON dispatching_delivery; DROP FUNCTION away()")


def test_receipts_are_kept_in_memory_while_the_database_is_away(scene: Scene, settings: Settings) -> None:
    settings.WINDOW = 6
    scene.email(values=ONE)
    scene.people(30)
    batch = batch_of(scene.planned())
    with ExitStack() as away:
        away.enter_context(database_away())
        with sending(batch):
            scene.practice.record.wait_for(scene.began + 6)
            assert states() == {"due": 30}
            away.close()
    assert sum(scene.received().values()) == 30
    assert states() == {"accepted": 30}
    keys_match(scene)
    check_counters()


def close_from_below() -> None:
    connection.connection.close()


def broken_connections(process: WorkerProcess) -> None:
    """Ends the worker's connection from the database's side (PostgreSQL), or from under it (SQLite)."""

    def identity() -> int:
        connection.ensure_connection()
        link = connection.connection
        return link.info.backend_pid if isinstance(link, psycopg.Connection) else id(link)

    if connection.vendor == "postgresql":
        pid = process._database.submit(identity).result(20)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    else:
        process._database.submit(close_from_below).result(20)


def test_connection_that_breaks_midway_costs_nothing(scene: Scene, settings: Settings) -> None:
    settings.WINDOW = 6
    scene.practice.switch({"kind": "slow", "seconds": 0.03})
    scene.email(values=ONE)
    scene.people(30)
    batch = batch_of(scene.planned())
    with sending(batch) as process:
        for count in (4, 12, 20):
            scene.practice.record.wait_for(scene.began + count)
            broken_connections(process)
    assert states() == {"accepted": 30}
    keys_match(scene)
    check_counters()


# The rate


def test_workers_share_an_outlets_rate(scene: Scene, settings: Settings) -> None:
    outlet = scene.email(rate=10.0)
    takers: list[Callable[[], tuple[int, float]]] = [lambda: reserve(outlet.pk, 100, 60.0)] * 6
    outcomes = together(*takers)
    most = int(10.0 * settings.LEASE_SECONDS / 3)
    assert {outcome[0] for outcome in outcomes if isinstance(outcome, tuple)} == {most}
    waits = sorted(outcome[1] for outcome in outcomes if isinstance(outcome, tuple))
    assert waits == pytest.approx([n * most / 10.0 for n in range(6)], abs=0.5)
    assert reserve(outlet.pk, 100, 1.0) == (0, 0.0), "others have taken all of the next second"
    Outlet.objects.update(rate_next=0)
    assert reserve(outlet.pk, 3, 1.0) == (3, 0.0)


@pytest.mark.parametrize("rate", [None, 0.001, 1000.0])
def test_rate_of_any_size(scene: Scene, rate: float | None) -> None:
    outlet = scene.email(rate=rate)
    first, second = reserve(outlet.pk, 5, 20.0), reserve(outlet.pk, 5, 20.0)
    assert first == (1 if rate == 0.001 else 5, 0.0)
    assert second[0] == (0 if rate == 0.001 else 5)


def test_mark_of_before_a_reboot_holds_nobody_up(scene: Scene) -> None:
    outlet = scene.email(rate=10.0, rate_next=1e12)
    assert reserve(outlet.pk, 5, 1.0) == (5, 0.0)


def test_two_workers_keep_to_the_rate(scene: Scene, settings: Settings) -> None:
    settings.BATCH_SIZE, settings.LEASE_SECONDS = 12, 0.9  # a reservation is for three tenths of a second
    settings.LANE_SLOTS = {"mail": 9}
    scene.email(rate=20.0)
    scene.people(24)
    scene.planned()
    first, second = Batch.objects.order_by("pk")
    began = time.time()
    with AnotherWorker() as one, AnotherWorker() as two:
        outcomes = together(lambda: one.send(first), lambda: two.send(second))
    assert outcomes == [None, None]
    assert states() == {"accepted": 24}
    times = sorted(line.time for line in scene.practice.record.lines()[scene.began :])
    reservation = 6
    assert times[-1] - began >= (24 - reservation) / 20.0
    check_counters()


def test_nobody_is_released_while_the_rate_has_no_room(scene: Scene, settings: Settings) -> None:
    settings.TASK_SECONDS = 1
    scene.email(rate=0.1)
    people = scene.people(3)
    batch = batch_of(scene.planned())
    send.send(batch.pk)
    assert states() == {"accepted": 1, "due": 2}
    send.send(batch.pk)
    batch.refresh_from_db()
    assert (batch.lease_until, batch.handed) == (None, 0)
    assert states() == {"accepted": 1, "due": 2}
    leave(people[1], cause="page")
    Outlet.objects.update(rate_next=0)
    send.send(batch.pk)
    assert states()["skipped: left"] == 1
    check_counters()


# Public outlets


def test_public_outlets_go_out_side_by_side(scene: Scene, tmp_path: Path) -> None:
    scene.website()
    busy = tmp_path / "busy"
    values = {"folder": str(busy), "base_url": scene.base_url, "languages": ["nl", "en"], "wait": 0.3}
    second = Outlet.objects.create(name="second", label="Second", channel="website", settings=seal(values))
    dispatch = scene.planned()
    with held(busy, 1):
        send.broadcast(dispatch.pk)
    assert states(dispatch, "website") == {"accepted": 2}
    assert states(dispatch, "second") == {"due": 2}
    second.refresh_from_db()
    assert second.circuit == Circuit.OPEN
    check_counters()
    later(400)
    scene.work()
    assert states(dispatch, "second") == {"accepted": 2}


def test_one_task_puts_out_every_language_of_every_public_outlet(scene: Scene, tmp_path: Path) -> None:
    scene.website()
    values = {"folder": str(tmp_path / "other"), "base_url": scene.base_url, "languages": ["nl", "en"]}
    Outlet.objects.create(name="second", label="Second", channel="website", settings=seal(values))
    dispatch = scene.planned()
    send.broadcast(dispatch.pk)
    assert states(dispatch, "website") == states(dispatch, "second") == {"accepted": 2}


def test_page_whose_receipt_was_lost_is_found_under_its_key(scene: Scene) -> None:
    scene.website()
    dispatch = scene.planned(languages=("nl",))
    batch = batch_of(dispatch, "website")
    scene.work()
    pages = {page: page.stat().st_mtime_ns for page in scene.folder.glob("nl/*/index.html")}
    Delivery.objects.update(state="unknown", due_at=now(), remote_id="", url="")
    Batch.objects.filter(pk=batch.pk).update(due_at=now(), accepted=0, unknown=1)
    later(1)
    scene.work()
    row = Delivery.objects.get()
    assert (row.state, row.attempts) == ("accepted", 2)
    assert row.url and row.remote_id
    assert {page: page.stat().st_mtime_ns for page in scene.folder.glob("nl/*/index.html")} == pages
    check_counters()


def test_mail_that_waited_for_the_page_is_rung_for_once_it_is_there(scene: Scene) -> None:
    scene.website(), scene.email()
    scene.people(2)
    dispatch = scene.planned()
    mail = batch_of(dispatch)
    assert mail.rung_at is None
    send.broadcast(dispatch.pk)
    mail.refresh_from_db()
    assert mail.rung_at is not None


def test_emergency_does_not_wait_for_a_page_that_cannot_be_written(scene: Scene) -> None:
    scene.website(), scene.email()
    scene.people(3)
    dispatch = scene.planned(kind="emergency")
    with held(scene.folder, 1):
        Outlet.objects.filter(name="website").update(enabled=False)
        scene.work()
        assert not scene.received()
        later(2)
        scene.work()
    assert states(dispatch) == {"accepted": 3}
    assert states(dispatch, "website") == {"due": 2}


def test_broadcasts_of_an_ended_dispatch_are_closed(scene: Scene) -> None:
    scene.website()
    dispatch = scene.planned()
    Dispatch.objects.filter(pk=dispatch.pk).update(expires_at=now())
    send.broadcast(dispatch.pk)
    assert states(dispatch, "website") == {"skipped: expired": 2}
    check_counters()
