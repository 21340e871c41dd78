"""What holds for every channel with one message per recipient."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.contract import (
    Act,
    Copy,
    Direct,
    Outcome,
    OutletDown,
    Reason,
    Receipt,
    Recipient,
    Surroundings,
)
from channels.registry import channel
from tests.contract.case import DirectCase, DirectFarSide
from tests.contract.cases import DIRECT
from tests.support.bulletins import NL, bulletin

MOMENTS = [(name, fault) for name, case in DIRECT.items() for fault in case.moments]


def reach(case: DirectCase, far: DirectFarSide) -> Direct:
    found = channel(case.name)
    made = found(found.read_settings(far.settings), Surroundings(far.egress))
    assert isinstance(made, Direct)
    return made


def recipients(case: DirectCase, count: int, prefix: str = "k") -> list[Recipient]:
    return [
        Recipient(address=address, key=f"{prefix}{i:03d}", thread=f"t{i:03d}", slots=case.slots)
        for i, address in enumerate(case.addresses(count))
    ]


class Pulled:
    """Gives recipients and counts how many were taken. At most ``window`` are out without a receipt."""

    def __init__(self, given: list[Recipient], window: int = 100) -> None:
        self.given, self.window = given, window
        self.taken: list[str] = []
        self.receipts: list[Receipt] = []
        self.moved = asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[Recipient]:
        for recipient in self.given:
            while len(self.taken) - len(self.receipts) >= self.window:
                self.moved.clear()
                await self.moved.wait()
            self.taken.append(recipient.key)
            yield recipient

    async def deliver(self, made: Direct, copy: Copy) -> OutletDown | None:
        try:
            async for receipt in made.deliver(copy.act, copy, self):
                self.receipts.append(receipt)
                self.moved.set()
        except OutletDown as down:
            return down
        return None


def announce(made: Direct, act: Act = Act.ANNOUNCE) -> Copy:
    return made.compose(bulletin(NL), "nl", act, made.limits)


@pytest.mark.parametrize("name", DIRECT)
@pytest.mark.parametrize("window", [1, 3, 100])
def test_one_receipt_for_each_recipient_pulled_at_any_window(name: str, window: int, tmp_path: Path) -> None:
    case = DIRECT[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            pulled = Pulled(recipients(case, 60), window)
            assert await pulled.deliver(made, announce(made)) is None
            assert sorted(r.key for r in pulled.receipts) == sorted(pulled.taken)
            assert len(pulled.taken) == 60
            assert {r.outcome for r in pulled.receipts} == {Outcome.ACCEPTED}
            assert sorted(t.address for t in far.taken) == sorted(r.address for r in pulled.given)
            assert {t.remote_id for t in far.taken} == {r.remote_id for r in pulled.receipts}

    asyncio.run(run())


@pytest.mark.parametrize("name", DIRECT)
def test_nobody_to_send_to_is_no_fault(name: str, tmp_path: Path) -> None:
    case = DIRECT[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            pulled = Pulled([])
            assert await pulled.deliver(made, announce(made)) is None
            assert pulled.receipts == []
            assert far.taken == []

    asyncio.run(run())


@pytest.mark.parametrize(("name", "fault"), MOMENTS)
def test_the_outcome_follows_the_moment(name: str, fault: str, tmp_path: Path) -> None:
    case = DIRECT[name]
    expected = case.moments[fault]

    async def run() -> tuple[Pulled, OutletDown | None, int]:
        async with case.far_side(tmp_path, fault) as far, reach(case, far) as made:
            pulled = Pulled(recipients(case, 1))
            down = await pulled.deliver(made, announce(made))
            return pulled, down, len(far.taken)

    pulled, down, taken = asyncio.run(asyncio.wait_for(run(), 20))
    receipts = pulled.receipts
    assert [(r.outcome, r.reason) for r in receipts] == [(expected.outcome, expected.reason)]
    assert (down is not None) == expected.down
    assert down is None or down.needs_person == expected.needs_person
    assert taken == 0 or expected.outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN), (
        "what was taken is never called unsent"
    )
    assert len(receipts[0].detail) <= 200
    assert receipts[0].detail.isprintable()


@pytest.mark.parametrize(("name", "fault"), [(n, f) for n, f in MOMENTS if DIRECT[n].moments[f].down])
def test_an_outlet_that_is_down_leaves_nobody_pulled_without_a_receipt(name: str, fault: str, tmp_path: Path) -> None:
    case = DIRECT[name]

    async def run() -> tuple[Pulled, OutletDown | None]:
        async with case.far_side(tmp_path, fault) as far, reach(case, far) as made:
            pulled = Pulled(recipients(case, 40))
            return pulled, await pulled.deliver(made, announce(made))

    pulled, down = asyncio.run(asyncio.wait_for(run(), 30))
    assert down is not None
    assert sorted(r.key for r in pulled.receipts) == sorted(pulled.taken)
    assert len(pulled.taken) < 40, "those not pulled stay due"
    assert {r.outcome for r in pulled.receipts} <= {Outcome.DEFERRED, case.moments[fault].outcome}


@pytest.mark.parametrize("name", DIRECT)
def test_the_preview_is_the_message_once_slots_are_filled(name: str, tmp_path: Path) -> None:
    case = DIRECT[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            for act in (Act.ANNOUNCE, Act.UPDATE, Act.WITHDRAW):
                copy = announce(made, act)
                pulled = Pulled(recipients(case, 1, prefix=act.value))
                assert await pulled.deliver(made, copy) is None
                seen = far.taken[-1].texts
                assert [_filled(part, case) for part in case.readable(copy)] == list(seen)

    asyncio.run(run())


def _filled(text: str, case: DirectCase) -> str:
    for slot, value in case.slots.items():
        text = text.replace(f"{{{{{slot}}}}}", value)
    return text


@pytest.mark.parametrize("name", DIRECT)
def test_a_repeat_under_the_same_key_can_be_known_as_one(name: str, tmp_path: Path) -> None:
    case = DIRECT[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            if made.can.never_repeat:
                pytest.skip("nothing tells a twin there, so nothing in doubt is repeated; its docs page says so")
            first, second = Pulled(recipients(case, 5)), Pulled(recipients(case, 5))
            await first.deliver(made, announce(made))
            await second.deliver(made, announce(made))
            twins = sorted(t.twin for t in far.taken[:5])
            assert len(set(twins)) == 5
            assert sorted(t.twin for t in far.taken[5:]) == twins
            ids = [{r.key: r.remote_id for r in pulled.receipts} for pulled in (first, second)]
            assert (ids[0] == ids[1]) == case.own_ids
            assert sorted(t.remote_id for t in far.taken) == sorted([*ids[0].values(), *ids[1].values()])

    asyncio.run(run())


@pytest.mark.parametrize("name", DIRECT)
def test_connections_are_used_again_by_the_next_run(name: str, tmp_path: Path) -> None:
    case = DIRECT[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            # A run may open what an earlier one did not need yet, but never more in all than there may be at once.
            for turn in range(4):
                pulled = Pulled(recipients(case, 20, prefix=f"r{turn}"))
                assert await pulled.deliver(made, announce(made)) is None
            assert far.connections <= (case.connections if case.keeps_connections else 80)
            assert len(far.taken) == 80

    asyncio.run(run())


@pytest.mark.parametrize("name", DIRECT)
def test_a_recipient_that_cannot_be_served_gets_a_receipt_and_the_others_their_message(
    name: str, tmp_path: Path
) -> None:
    case = DIRECT[name]

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:
            good = recipients(case, 4)
            bad = [
                Recipient(address="\r\nnot an address", key="bad1", thread="t", slots=case.slots),
                Recipient(address=good[0].address, key="bad2", thread="t", slots={}),
                Recipient(address="", key="bad3", thread="t", slots=case.slots),
            ]
            pulled = Pulled([good[0], bad[0], good[1], bad[1], bad[2], good[2], good[3]])
            assert await pulled.deliver(made, announce(made)) is None
            outcomes = {r.key: (r.outcome, r.reason) for r in pulled.receipts}
            assert {key: outcomes[key] for key in ("bad1", "bad2", "bad3")} == {
                "bad1": (Outcome.REJECTED, Reason.ADDRESS_NOT_SUPPORTED),
                "bad2": (Outcome.REJECTED, Reason.FAULT),
                "bad3": (Outcome.REJECTED, Reason.ADDRESS_NOT_SUPPORTED),
            }
            assert [outcomes[r.key][0] for r in good] == [Outcome.ACCEPTED] * 4
            assert len(far.taken) == 4

    asyncio.run(run())


@pytest.mark.parametrize("name", DIRECT)
def test_a_failing_source_of_recipients_is_told_after_the_receipts(name: str, tmp_path: Path) -> None:
    case = DIRECT[name]

    class SourceGone(Exception):
        pass

    async def run() -> None:
        async with case.far_side(tmp_path, "") as far, reach(case, far) as made:

            async def source() -> AsyncIterator[Recipient]:
                for recipient in recipients(case, 3):
                    yield recipient
                raise SourceGone

            receipts = []
            with pytest.raises(SourceGone):
                async for receipt in made.deliver(Act.ANNOUNCE, announce(made), source()):
                    receipts.append(receipt)
            assert [r.outcome for r in receipts] == [Outcome.ACCEPTED] * 3

    asyncio.run(run())


@pytest.mark.parametrize("name", DIRECT)
def test_secrets_stand_in_no_receipt_and_no_log(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    case = DIRECT[name]
    caplog.set_level(logging.DEBUG)

    async def run() -> str:
        shown = ""
        for fault in case.moments:
            async with case.far_side(tmp_path, fault) as far, reach(case, far) as made:
                pulled = Pulled(recipients(case, 1))
                down = await pulled.deliver(made, announce(made))
                shown += f"{pulled.receipts!r} {down!r} {made!r} {made.__dict__!r}"
        return shown

    shown = asyncio.run(run()) + caplog.text
    assert not [secret for secret in case.secrets if secret in shown]
