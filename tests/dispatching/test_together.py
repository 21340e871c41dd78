"""What comes at the same moment is one commit, and an emergency's public copies are one task."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from django.db import DatabaseError, IntegrityError

from dispatcher.dispatching import leasing, ring, send
from dispatcher.dispatching.leasing import Lease
from dispatcher.dispatching.models import Batch, Outlet, VaultEntry
from dispatcher.dispatching.process import WorkerProcess, current
from dispatcher.dispatching.publish import Settling, settle_all
from dispatcher.dispatching.secretbox import seal
from dispatcher.dispatching.settle import LeaseLost
from dispatcher.dispatching.vault import LedgerVault, WorkerVault
from tests.support.scene import AnotherWorker, Scene, check_counters, states, take

pytestmark = pytest.mark.django_db(transaction=True)

groups: list[list[int]] = []


def doubled(numbers: Sequence[int]) -> list[int | Exception]:
    groups.append(list(numbers))
    if 13 in numbers:
        raise IntegrityError("13 cannot be done")
    return [LeaseLost() if number == 7 else number * 2 for number in numbers]


async def ask(process: WorkerProcess, *numbers: int) -> list[int | BaseException]:
    return await asyncio.gather(*(process.together(doubled, number) for number in numbers), return_exceptions=True)


def test_what_comes_at_the_same_moment_is_done_at_once() -> None:
    groups.clear()
    with AnotherWorker() as other:
        assert other.process.run(ask(other.process, 1, 2, 3)) == [2, 4, 6]
        assert other.process.run(ask(other.process, 4)) == [8]
    assert groups == [[1, 2, 3], [4]]


def test_one_that_cannot_be_done_holds_up_no_other() -> None:
    groups.clear()
    with AnotherWorker() as other:
        found = other.process.run(ask(other.process, 1, 13, 7, 3))
    assert (found[0], found[3]) == (2, 6)
    assert isinstance(found[1], DatabaseError)
    assert isinstance(found[2], LeaseLost)
    assert groups == [[1, 13, 7, 3], [1], [13], [7], [3]]


def test_who_does_not_wait_any_more_costs_the_others_nothing() -> None:
    async def two(process: WorkerProcess) -> int:
        impatient = asyncio.create_task(process.together(doubled, 1))
        patient = asyncio.create_task(process.together(doubled, 2))
        await asyncio.sleep(0)
        impatient.cancel()
        return await patient

    with AnotherWorker() as other:
        assert other.process.run(two(other.process)) == 4


def test_lease_that_was_lost_is_told_to_its_holder_alone(scene: Scene, tmp_path: Path) -> None:
    scene.website()
    second_website(scene, tmp_path)
    scene.planned(languages=("nl",))
    first, second = (take(batch) for batch in Batch.objects.order_by("pk"))
    Batch.objects.filter(pk=first.batch_id).update(lease_token=first.token + 1)
    lost, released = settle_all([Settling(first, [], 0, 1), Settling(second, [], 0, 1)])
    assert isinstance(lost, LeaseLost)
    assert isinstance(released, list)
    assert len(released) == 1


def test_leases_are_taken_and_given_back_together(scene: Scene) -> None:
    scene.website()
    scene.planned()
    wanted = [(batch.pk, "somebody") for batch in Batch.objects.order_by("pk")]
    leases = [lease for lease in leasing.take_all(wanted) if isinstance(lease, Lease)]
    assert len(leases) == 2
    assert leasing.take_all(wanted) == [None, None], "they are in somebody's hands"
    assert leasing.give_back_all(leases) == [True, True]


def test_emergency_goes_to_its_public_outlets_in_one_task(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[tuple[str, str, list[int]]] = []

    def heard(task: str, lane: str, identities: Iterable[int]) -> bool:
        rung.append((task, lane, list(identities)))
        return True

    monkeypatch.setattr(ring, "_ring", heard)
    scene.website(), scene.email()
    second_website(scene, tmp_path)
    scene.people(3)
    dispatch = scene.planned(kind="emergency")
    assert ("omroeper.broadcast", "urgent", [dispatch.pk]) in rung
    assert not [each for each in rung if each[0] == "omroeper.send"], "no mail before the page is there"
    send.broadcast(dispatch.pk)
    assert states(dispatch, "website") == states(dispatch, "second") == {"accepted": 2}
    mails = list(Batch.objects.filter(outlet__name="email").values_list("pk", flat=True))
    assert ("omroeper.send", "urgent", mails) in rung, "mail has tasks of its own"
    check_counters()


def test_workers_of_an_outlet_share_its_vault(scene: Scene) -> None:
    outlet = scene.website()
    other = scene.email()

    async def note(process: WorkerProcess) -> list[str | None]:
        vault, foreign = WorkerVault(outlet.pk, process), WorkerVault(other.pk, process)
        await asyncio.gather(vault.put("a", "1"), vault.put("b", "2"), foreign.put("a", "3"))
        await vault.put("a", "4")
        return [await vault.get("a"), await vault.get("b"), await foreign.get("a"), await foreign.get("b")]

    process = current()
    assert process.run(note(process)) == ["4", "2", "3", None]
    assert VaultEntry.objects.count() == 3
    assert not {"1", "2", "3", "4"} & set(VaultEntry.objects.values_list("value", flat=True)), "it is sealed"
    assert process.run(LedgerVault(outlet.pk).get("a")) == "4"


def second_website(scene: Scene, tmp_path: Path) -> Outlet:
    values = {"folder": str(tmp_path / "second"), "base_url": scene.base_url, "languages": ["nl", "en"]}
    return Outlet.objects.create(name="second", label="Second", channel="website", settings=seal(values))
