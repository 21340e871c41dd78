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
    Reason,
    Receipt,
    Seen,
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
    assert_says(made, seen, copy)


def assert_says(made: Broadcast, seen: Seen, copy: Copy) -> None:
    """Only where a person posts on a page that is not ours may there be more than the copy."""
    if made.can.by_hand:
        assert seen.around
        assert normalised(copy.text) in normalised(seen.text)
    else:
        assert not seen.around
        assert normalised(seen.text) == normalised(copy.text)


def accepted(
    case: BroadcastCase, far: FarSide, receipt: Receipt, copy: Copy, previous: Published | None = None
) -> Published:
    """Where the copy is now. A channel by hand has sent nothing and says so; then its person does it."""
    if channel(case.name).can.by_hand:
        assert (receipt.outcome, receipt.reason) == (Outcome.DEFERRED, Reason.BY_HAND), receipt
        assert receipt.published() == Published(""), "nothing is anywhere before a person says so"
        assert case.person is not None, "the case says what its person does"
        return case.person(far, copy, previous)
    assert receipt.outcome is Outcome.ACCEPTED, receipt
    return receipt.published()


@pytest.mark.parametrize("name", BROADCAST)
def test_what_is_published_is_what_the_public_sees(name: str, tmp_path: Path) -> None:
    case = BROADCAST[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            receipt = await made.publish(first(made), "key1")
            published = accepted(case, far, receipt, first(made))
            assert receipt.key == "key1"
            if made.can.edit or made.can.read_back:
                assert published.remote_id or made.can.by_hand
                assert published.url
            if made.can.read_back:
                await assert_seen(made, published, first(made))

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
            original = accepted(case, far, await made.publish(first(made), "key1"), first(made))
            receipt = await made.amend(second(made), original, "key2")
            amended = accepted(case, far, receipt, second(made), original)
            if made.can.edit:
                assert amended.url == original.url, "links that people have keep working"
            if made.can.read_back:
                await assert_seen(made, amended, second(made))

    asyncio.run(run())


@pytest.mark.parametrize("name", BROADCAST)
def test_a_withdrawal_takes_it_away_or_leaves_its_notice(name: str, tmp_path: Path) -> None:
    case = BROADCAST[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            original = accepted(case, far, await made.publish(first(made), "key1"), first(made))
            receipt = await made.withdraw(notice(made), original, "key3")
            taken = accepted(case, far, receipt, notice(made), original)
            if made.can.read_back:
                seen = await made.read_back(taken if taken != Published("") else original)
                if seen.state is not SeenState.MISSING:
                    assert_says(made, seen, notice(made))

    asyncio.run(run())


@pytest.mark.parametrize("name", BROADCAST)
def test_what_is_not_there_is_missing(name: str, tmp_path: Path) -> None:
    case = BROADCAST[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            if not made.can.read_back:
                pytest.skip("this service shows nothing to strangers; its docs page says so")
            there = accepted(case, far, await made.publish(first(made), "key1"), first(made))
            elsewhere = Published(there.remote_id.replace("corona", "never"), there.url.replace("corona", "never"))
            if elsewhere == there:  # a service that numbers what it has
                elsewhere = Published(f"{there.remote_id}0", f"{there.url}0")
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
    assert down is None or down.doubtful == expected.doubtful
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
