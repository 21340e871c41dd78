"""An opened e-mail channel towards a far side, and what came of a mailing."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass, field

from channels.contract import Act, Bulletin, Copy, OutletDown, Receipt, Recipient, Surroundings
from channels.email import Email
from channels.kit.egress import Egress
from tests.support.bulletins import bulletin
from tests.support.smtp_far import SmtpFarSide

SLOTS = {"leave_url": "https://losser.example/stop/abc", "preferences_url": "https://losser.example/keuze/abc"}


def channel_to(far: SmtpFarSide, **settings: object) -> Email:
    """The channel, with settings that reach ``far`` in clear text unless they say otherwise."""
    host = settings.get("host", "127.0.0.1")
    values = {
        **{"host": host, "port": far.port, "security": "none", "sender": "berichten@losser.example"},
        **{"reply_seconds": 10, "opening_seconds": 10},
        **settings,
    }
    return Email(Email.read_settings(values), Surroundings(Egress({(str(host), far.port)})))


def people(count: int, prefix: str = "resident") -> list[Recipient]:
    return [
        Recipient(address=f"{prefix}-{i:04d}@practice.invalid", key=f"{prefix}{i:04d}", thread=f"t{i}", slots=SLOTS)
        for i in range(1, count + 1)
    ]


@dataclass
class Mailing:
    """What came of one run: receipts by key, and whether the outlet went down."""

    receipts: dict[str, Receipt] = field(default_factory=dict)
    down: OutletDown | None = None
    pulled: int = 0

    def outcomes(self) -> list[str]:
        return [self.receipts[key].outcome.value for key in sorted(self.receipts)]


def announcement(channel: Email, act: Act = Act.ANNOUNCE, source: Bulletin | None = None) -> Copy:
    return channel.compose(source or bulletin(), "nl", act, channel.limits)


async def mail(
    channel: Email, recipients: Iterable[Recipient] | AsyncIterable[Recipient], copy: Copy | None = None
) -> Mailing:
    """Delivers to ``recipients``; every receipt's key must be new."""
    mailing = Mailing()

    async def pulled() -> AsyncIterator[Recipient]:
        if isinstance(recipients, AsyncIterable):
            async for recipient in recipients:
                mailing.pulled += 1
                yield recipient
        else:
            for recipient in recipients:
                mailing.pulled += 1
                yield recipient

    copy = copy or announcement(channel)
    try:
        async for receipt in channel.deliver(copy.act, copy, pulled()):
            assert receipt.key not in mailing.receipts, "one receipt per recipient"
            mailing.receipts[receipt.key] = receipt
    except OutletDown as down:
        mailing.down = down
    assert len(mailing.receipts) == mailing.pulled
    return mailing
