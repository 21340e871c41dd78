"""What the workers of a push outlet tell each other: how long a push service asked to be left alone (F28)."""

from __future__ import annotations

import pytest

from channels.contract import Outcome, Reason, Receipt, Surroundings, Vault
from channels.kit.egress import Egress
from channels.webpush import WebPush
from tests.support.push_far import HOST, Pushed, Reply, created, push_far
from tests.support.pushing import channel, compose, deliver, recipient, run


class Shared(Vault):
    """What the workers of an outlet share, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self.kept.get(name)

    async def put(self, name: str, value: str) -> None:
        self.kept[name] = value


class Broken(Shared):
    """One whose database is away."""

    async def get(self, name: str) -> str | None:  # noqa: ARG002
        raise OSError("the database is away")

    async def put(self, name: str, value: str) -> None:  # noqa: ARG002
        raise OSError("the database is away")


@pytest.mark.parametrize(("vault", "came"), [(Shared(), 1), (Broken(), 11)])
def test_f28_what_one_worker_was_told_the_others_know(vault: Vault, came: int) -> None:
    asked = []

    def behave(request: Pushed) -> Reply:
        asked.append(request)
        return Reply(429, {"Retry-After": "60"}) if len(asked) == 1 else created(request)

    async def two() -> tuple[list[Receipt], list[Receipt], int]:
        async with push_far(behave) as far:
            surroundings = Surroundings(Egress({(HOST, far.port)}), vault)
            given = [recipient(f"r{i}", far.port) for i in range(10)]
            made = channel(far.port, concurrency=1)
            workers = [WebPush(made.settings, surroundings) for _ in range(2)]
            copy = compose(made)
            async with workers[0] as one, workers[1] as other:
                return await deliver(one, copy, given), await deliver(other, copy, given), len(far.pushed)

    first, second, pushed = run(two())
    assert {receipt.outcome for receipt in first} == {Outcome.DEFERRED}
    assert pushed == came
    if came == 1:
        assert {(receipt.outcome, receipt.reason) for receipt in second} == {(Outcome.DEFERRED, Reason.THROTTLED)}
        assert all(receipt.retry_after is not None and 55 < receipt.retry_after <= 60 for receipt in second)
