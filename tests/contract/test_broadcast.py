"""What holds for every channel with a public copy per language."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from channels.contract import (
    Act,
    Broadcast,
    Copy,
    Outcome,
    OutletDown,
    Published,
    Receipt,
    SeenState,
    Surroundings,
)
from channels.kit.facts import normalised
from channels.registry import channel
from tests.contract.case import BroadcastCase, FarSide
from tests.contract.cases import BROADCAST
from tests.support.bulletins import NL, bulletin

MOMENTS = [(name, fault) for name, case in BROADCAST.items() for fault in case.moments]
CHANGED = replace(
    NL, summary="De balie is weer open vanaf maandag 6 april. Bel 053 000 00 00.", facts=(), change="Open"
)
WITHDRAWN = replace(NL, change="De balie blijft toch gewoon open.")


def reach(case: BroadcastCase, far: FarSide) -> Broadcast:
    found = channel(case.name)
    made = found(found.read_settings(far.settings), Surroundings(far.egress))
    assert isinstance(made, Broadcast)
    return made


def first(made: Broadcast) -> Copy:
    return made.compose(bulletin(NL), "nl", Act.ANNOUNCE, made.limits)


def second(made: Broadcast) -> Copy:
    return made.compose(bulletin(CHANGED, revision=2), "nl", Act.UPDATE, made.limits)


def notice(made: Broadcast) -> Copy:
    return made.compose(bulletin(WITHDRAWN, revision=3), "nl", Act.WITHDRAW, made.limits)


async def assert_seen(made: Broadcast, published: Published, copy: Copy) -> None:
    seen = await made.read_back(published)
    assert seen.state is SeenState.FOUND, seen.detail
    assert normalised(seen.text) == normalised(copy.text)


@pytest.mark.parametrize("name", BROADCAST)
def test_what_is_published_is_what_the_public_sees(name: str, tmp_path: Path) -> None:
    case = BROADCAST[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            receipt = await made.publish(first(made), "key1")
            assert receipt.outcome is Outcome.ACCEPTED, receipt
            assert receipt.key == "key1"
            assert receipt.remote_id
            assert receipt.url
            if made.can.read_back:
                await assert_seen(made, receipt.published(), first(made))

    asyncio.run(run())


@pytest.mark.parametrize("name", BROADCAST)
def test_a_repeat_under_the_same_key_makes_no_second_copy(name: str, tmp_path: Path) -> None:
    case = BROADCAST[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            if not made.can.keyed:
                pytest.skip("this service has no keys; its docs page says so")
            once = await made.publish(first(made), "key1")
            again = await made.publish(first(made), "key1")
            assert again.published() == once.published()
            if made.can.look_up:
                found = await made.look_up("key1")
                assert isinstance(found, Receipt)
                assert found.published() == once.published()
                assert await made.look_up("never used") is None

    asyncio.run(run())


@pytest.mark.parametrize("name", BROADCAST)
def test_a_correction_replaces_its_original(name: str, tmp_path: Path) -> None:
    case = BROADCAST[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            original = await made.publish(first(made), "key1")
            amended = await made.amend(second(made), original.published(), "key2")
            assert amended.outcome is Outcome.ACCEPTED, amended
            if made.can.edit:
                assert amended.url == original.url, "links that people have keep working"
            if made.can.read_back:
                await assert_seen(made, amended.published(), second(made))

    asyncio.run(run())


@pytest.mark.parametrize("name", BROADCAST)
def test_a_withdrawal_takes_it_away_or_leaves_its_notice(name: str, tmp_path: Path) -> None:
    case = BROADCAST[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            original = await made.publish(first(made), "key1")
            taken = await made.withdraw(notice(made), original.published(), "key3")
            assert taken.outcome is Outcome.ACCEPTED, taken
            if made.can.read_back:
                seen = await made.read_back(taken.published() if taken.remote_id else original.published())
                assert seen.state is SeenState.MISSING or normalised(seen.text) == normalised(notice(made).text)

    asyncio.run(run())


@pytest.mark.parametrize("name", BROADCAST)
def test_what_is_not_there_is_missing(name: str, tmp_path: Path) -> None:
    case = BROADCAST[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            if not made.can.read_back:
                pytest.skip("this service shows nothing to strangers; its docs page says so")
            there = await made.publish(first(made), "key1")
            elsewhere = Published(there.remote_id.replace("corona", "never"), there.url.replace("corona", "never"))
            assert (await made.read_back(elsewhere)).state is SeenState.MISSING

    asyncio.run(run())


@pytest.mark.parametrize(("name", "fault"), MOMENTS)
def test_the_outcome_follows_the_moment(name: str, fault: str, tmp_path: Path) -> None:
    case = BROADCAST[name]
    expected = case.moments[fault]

    async def run() -> tuple[Receipt | None, OutletDown | None]:
        async with case.far_side(tmp_path, fault) as far, reach(case, far) as made:
            try:
                return await made.publish(first(made), "key1"), None
            except OutletDown as down:
                return None, down

    receipt, down = asyncio.run(asyncio.wait_for(run(), 30))
    assert (down is not None) == expected.down
    assert down is None or down.needs_person == expected.needs_person
    assert (receipt.outcome if receipt else None) == expected.outcome
    if receipt is not None:
        assert expected.reason in (None, receipt.reason)
        assert len(receipt.detail) <= 200


@pytest.mark.parametrize("name", BROADCAST)
def test_secrets_stand_in_no_receipt_and_no_log(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    case = BROADCAST[name]
    caplog.set_level(logging.DEBUG)

    async def run() -> str:
        shown = ""
        for number, fault in enumerate(["", *case.moments]):
            folder = tmp_path / str(number)
            folder.mkdir()
            async with case.far_side(folder, fault) as far, reach(case, far) as made:
                try:
                    shown += f"{await made.publish(first(made), 'key1')!r} {made!r} {made.__dict__!r}"
                except OutletDown as down:
                    shown += f"{down!r} {down.reason}"
        return shown

    shown = asyncio.run(run()) + caplog.text
    assert shown
    assert not [secret for secret in case.secrets if secret in shown]


@pytest.mark.parametrize("name", BROADCAST)
def test_check_finds_nothing_wrong_where_nothing_is(name: str, tmp_path: Path) -> None:
    case = BROADCAST[name]

    async def run() -> list[str]:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            return [finding.what for finding in await made.check() if finding.level.value == "fault"]

    assert asyncio.run(run()) == []
