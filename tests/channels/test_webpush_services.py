"""Push services that are slow, full, gone or strange: one's trouble is no other's (F28, F32, A18)."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from channels.contract import Outcome, OutletDown, Reason, Receipt, Recipient, Surroundings
from channels.kit.egress import Egress
from channels.kit.push_outcomes import judge, stated_wait
from channels.kit.vapid import new_key
from channels.webpush import WebPush
from tests.support.push_far import (
    HOST,
    LATE,
    NEVER,
    Pushed,
    PushFarSide,
    Reply,
    created,
    device,
    push_far,
    reserved,
)
from tests.support.pushing import channel, compose, deliver, recipient, run
from tests.support.tls import authority

NOW = datetime(2026, 3, 15, tzinfo=UTC)


def by_status(*statuses: int, **headers: str) -> Callable[[Pushed], Reply]:
    """Answers with these, one after the other, and then with 201."""
    left = list(statuses)

    def behave(request: Pushed) -> Reply:
        return Reply(left.pop(0), headers) if left else created(request)

    return behave


def test_f32_too_large_is_sent_once_more_without_its_button() -> None:
    async def one(behave: Callable[[Pushed], Reply]) -> tuple[list[Receipt], PushFarSide]:
        async with push_far(behave) as far, channel(far.port) as made:
            return await deliver(made, compose(made), [recipient("one", far.port)]), far

    receipts, far = run(one(by_status(413)))
    assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED]
    whole, small = (device("one").read(request) for _, request in far.pushed)
    assert "actions" in whole and "actions" not in small
    assert (small["title"], small["body"], small["navigate"]) == (whole["title"], whole["body"], whole["navigate"])

    receipts, far = run(one(by_status(413, 413, 413)))
    assert [(receipt.outcome, receipt.reason) for receipt in receipts] == [(Outcome.REJECTED, Reason.TOO_LARGE)]
    assert len(far.pushed) == 2


@pytest.mark.parametrize("location", ["", "x" * 301, "bad\x7fid"])
def test_f32_without_a_usable_location_it_is_accepted_without_an_id(location: str) -> None:
    async def one() -> list[Receipt]:
        headers = {"Location": location} if location else {}
        async with push_far(lambda _: Reply(201, headers)) as far, channel(far.port) as made:
            return await deliver(made, compose(made), [recipient("one", far.port)])

    assert [(receipt.outcome, receipt.remote_id) for receipt in run(one())] == [(Outcome.ACCEPTED, "")]


def test_f32_a_thousand_endpoints_of_which_three_in_ten_are_gone() -> None:
    def behave(request: Pushed) -> Reply:
        number = int(request.device)
        if number % 10 < 3:
            return Reply(404 if number % 2 else 410)
        return Reply(201) if number % 10 == 3 else created(request)

    async def all_of_them() -> tuple[list[Receipt], PushFarSide]:
        async with push_far(behave) as far, channel(far.port) as made:
            return await deliver(made, compose(made), [recipient(str(i), far.port) for i in range(1000)]), far

    receipts, far = run(all_of_them())
    outcomes = Counter(receipt.outcome for receipt in receipts)
    assert outcomes == {Outcome.GONE: 300, Outcome.ACCEPTED: 700}
    assert len({receipt.key for receipt in receipts}) == 1000
    assert all(receipt.reason is Reason.NO_SUCH_ADDRESS for receipt in receipts if receipt.outcome is Outcome.GONE)
    assert len(far.pushed) == 1000
    assert far.connections <= 4


TROUBLE: dict[str, Callable[[Pushed], Reply]] = {
    "never answers": lambda _: Reply(act=NEVER, taken=True),
    "201 late": lambda request: replace(created(request), act=LATE),
    "429": lambda _: Reply(429, {"Retry-After": "7"}),
    "500": lambda _: Reply(500),
}


@pytest.mark.parametrize("trouble", ["nobody listens", *TROUBLE])
def test_f32_a_dead_push_service_does_not_hold_up_the_other_three(
    trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.kit.push_service.PATIENCE", 1.0)

    async def four() -> tuple[list[Receipt], list[Receipt], int]:
        own: list[Receipt] = []
        others: list[Receipt] = []
        window = asyncio.Semaphore(100)
        async with AsyncExitStack() as stack:
            held = stack.enter_context(reserved())
            dead = PushFarSide(created)
            ports = [held.getsockname()[1]]
            if trouble in TROUBLE:
                dead = await stack.enter_async_context(push_far(TROUBLE[trouble], port=ports[0]))
            ports += [(await stack.enter_async_context(push_far())).port for _ in range(3)]
            made = await stack.enter_async_context(channel(*ports, reply_seconds=600))

            async def source() -> AsyncIterator[Recipient]:
                for i in range(400):
                    await window.acquire()
                    yield recipient(f"r{i}", ports[i % 4])

            copy = compose(made)
            async for receipt in made.deliver(copy.act, copy, source()):
                (others if int(receipt.key[1:]) % 4 else own).append(receipt)
                window.release()
                if len(others) == 300:  # all that the other three get, while the dead one has not said a word
                    dead.release.set()
        return own, others, len(dead.pushed)

    own, others, came = run(four())
    assert len(others) == 300 and {receipt.outcome for receipt in others} == {Outcome.ACCEPTED}
    outcomes = Counter(receipt.outcome for receipt in own)
    on_the_wire = {"never answers": Outcome.UNKNOWN, "201 late": Outcome.ACCEPTED}.get(trouble)
    assert outcomes == {Outcome.DEFERRED: 96, on_the_wire: 4} if on_the_wire else {Outcome.DEFERRED: 100}
    assert came <= 16, "what does not answer is left alone"


def test_f28_a_service_that_is_too_busy_gets_nothing_until_it_said() -> None:
    async def twice() -> tuple[list[Receipt], list[Receipt], PushFarSide]:
        async with push_far(by_status(429, **{"Retry-After": "7"})) as far, channel(far.port, concurrency=1) as made:
            copy = compose(made)
            first = await deliver(made, copy, [recipient(f"a{i}", far.port) for i in range(20)])
            return first, await deliver(made, copy, [recipient(f"b{i}", far.port) for i in range(20)]), far

    first, second, far = run(twice())
    assert len(far.pushed) == 1
    for receipt in (*first, *second):
        assert (receipt.outcome, receipt.reason) == (Outcome.DEFERRED, Reason.THROTTLED)
        assert receipt.retry_after is not None and 5 < receipt.retry_after <= 7


@pytest.mark.parametrize(
    ("stated", "wait"),
    [
        ("7", 7.0),
        ("0", 1.0),
        ("86400", 3600.0),
        ("Sun, 15 Mar 2026 00:01:00 GMT", 60.0),
        ("Sun, 15 Mar 2020 00:00:00 GMT", 1.0),
        ("Sun, 15 Mar 2036 00:00:00 GMT", 3600.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 400, 3600.0),
    ],
)
def test_f28_a_stated_wait_is_bounded(stated: str, wait: float | None) -> None:
    assert stated_wait(stated, NOW) == wait


def test_f28_windows_says_406_where_others_say_429() -> None:
    assert judge(406, "wns2-par02p.notify.windows.com").reason is Reason.THROTTLED
    assert judge(406, "fcm.googleapis.com").outcome is Outcome.REJECTED


@pytest.mark.parametrize("status", [401, 403])
def test_where_nobody_accepts_who_we_are_a_person_must_look(status: int) -> None:
    async def one() -> tuple[list[Receipt], OutletDown | None, int]:
        receipts: list[Receipt] = []
        async with push_far(lambda _: Reply(status, body=b"BadJwtToken")) as far, channel(far.port) as made:
            given = [recipient(f"r{i}", far.port) for i in range(300)]
            pulled = 0

            async def source() -> AsyncIterator[Recipient]:
                nonlocal pulled
                for each in given:
                    pulled += 1
                    yield each

            copy = compose(made)
            try:
                async for receipt in made.deliver(copy.act, copy, source()):
                    receipts.append(receipt)
            except OutletDown as down:
                assert pulled == len(receipts)
                return receipts, down, len(far.pushed)
            return receipts, None, len(far.pushed)

    receipts, down, came = run(one())
    assert down is not None and down.needs_person
    assert "BadJwtToken" in down.reason
    assert {(receipt.outcome, receipt.reason) for receipt in receipts} == {(Outcome.DEFERRED, Reason.POLICY)}
    assert len(receipts) < 300 and came < 20


def test_a_service_that_knows_us_and_refuses_one_means_that_one() -> None:
    def behave(request: Pushed) -> Reply:
        return Reply(403) if request.device.startswith("other") else created(request)

    async def some() -> list[Receipt]:
        async with push_far(behave) as far, channel(far.port, concurrency=1) as made:
            names = ["a", "other1", "other2", "other3", "other4", "b"]
            return await deliver(made, compose(made), [recipient(name, far.port) for name in names])

    found = {receipt.key: (receipt.outcome, receipt.reason) for receipt in run(some())}
    assert found["a"] == found["b"] == (Outcome.ACCEPTED, Reason.OK)
    assert {found[f"other{i}"] for i in range(1, 5)} == {(Outcome.REJECTED, Reason.ADDRESS_NOT_ALLOWED)}


def test_no_redirect_is_followed() -> None:
    async def one() -> tuple[list[Receipt], int]:
        async with push_far() as other:
            away = Reply(307, {"Location": f"http://{HOST}:{other.port}/push/one"})
            async with push_far(lambda _: away) as far, channel(far.port, other.port) as made:
                return await deliver(made, compose(made), [recipient("one", far.port)]), len(other.pushed)

    receipts, came = run(one())
    assert [receipt.outcome for receipt in receipts] == [Outcome.REJECTED]
    assert came == 0


def test_a18_an_endpoint_inside_is_not_connected_to_whatever_the_address_list_says() -> None:
    async def one() -> tuple[list[Receipt], int]:
        async with push_far() as far:
            made = WebPush(
                WebPush.read_settings(
                    {"vapid_key": new_key(), "contact": "mailto:a@b.nl", "extra_hosts": [f"{HOST}:{far.port}"]}
                ),
                Surroundings(Egress()),
            )
            async with made:
                return await deliver(made, compose(made), [recipient("one", far.port)]), far.connections

    receipts, connections = run(one())
    assert [(receipt.outcome, receipt.reason) for receipt in receipts] == [
        (Outcome.REJECTED, Reason.ADDRESS_NOT_ALLOWED)
    ]
    assert connections == 0


def test_over_tls_the_certificate_is_checked_against_the_name(tmp_path: Path) -> None:
    ca_file, context = authority(tmp_path)

    async def one(name: str, trusted: str, tls: ssl.SSLContext) -> Receipt:
        async with push_far(tls=tls) as far:
            made = WebPush(
                WebPush.read_settings(
                    {
                        "vapid_key": new_key(),
                        "contact": "mailto:a@b.nl",
                        "extra_hosts": [f"{name}:{far.port}"],
                        "ca_file": trusted,
                    }
                ),
                Surroundings(Egress({(name, far.port)})),
            )
            address = device("one").address(f"https://{name}:{far.port}")
            async with made:
                given = replace(recipient("one", far.port), address=address)
                return (await deliver(made, compose(made), [given]))[0]

    assert run(one("localhost", ca_file, context)).outcome is Outcome.ACCEPTED
    for name, trusted in (("127.0.0.1", ca_file), ("localhost", "")):
        receipt = run(one(name, trusted, context))
        assert (receipt.outcome, receipt.reason) == (Outcome.DEFERRED, Reason.CONNECTION_LOST)


def test_the_check_says_what_can_be_reached() -> None:
    async def findings() -> tuple[list[str], list[str]]:
        async with push_far() as far, channel(far.port) as made:
            well = [f"{finding.level} {finding.what}" for finding in await made.check()]
        held = reserved()
        async with channel(held.getsockname()[1]) as made:
            ill = [f"{finding.level} {finding.what}" for finding in await made.check()]
        held.close()
        assert not far.pushed
        return well, ill

    well, ill = run(findings())
    assert well[0].startswith("fine Our public key is B")
    assert well[1].endswith("can be reached")
    assert ill[1].startswith("fault") and "cannot be reached" in ill[1]
