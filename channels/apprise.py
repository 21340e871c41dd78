"""Apprise: the long tail of chat services, for one channel or group on each. A colleagues' channel, mostly.

Apprise says no more than yes or no. A yes is ``accepted``, without id or proof. A refused connection, tried first, is
``OutletDown``. Any other no is ``unknown``: the message may stand there. It is never repeated by itself, as nothing
would drop the twin. Nothing can be changed afterwards: a correction or a withdrawal is a new message that says what it
is about.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import SecretStr, field_validator

from channels.contract import (
    Abilities,
    Act,
    Broadcast,
    Bulletin,
    ChannelSettings,
    Copy,
    Finding,
    Limits,
    Outcome,
    Published,
    Reason,
    Receipt,
    Seen,
    SeenState,
    Surroundings,
    Unit,
)
from channels.kit import apprise_message
from channels.kit.apprise_message import LONGEST, AppriseSettings, Sender, checked, limits_of, require_place


class OneUrl(AppriseSettings):
    """The settings: see ``AppriseSettings``."""

    @field_validator("url")
    @classmethod
    def _allowed(cls, url: SecretStr) -> SecretStr:
        return checked(url, personal=False)


class Apprise(Broadcast):
    """See the module."""

    name = "apprise"
    limits = Limits(length=LONGEST, unit=Unit.CHARACTERS)
    can: ClassVar[Abilities] = Abilities(never_repeat=True)
    Settings: ClassVar[type[ChannelSettings]] = OneUrl

    def __init__(self, settings: ChannelSettings, surroundings: Surroundings) -> None:
        """
        Raises:
            SettingsInvalid: the address is for the practice town, and this is none.
        """
        assert isinstance(settings, OneUrl)
        super().__init__(settings, surroundings)
        url = settings.url.get_secret_value()
        require_place(self.name, url, surroundings.egress)
        self.service = settings
        self.limits = limits_of(url, personal=False)
        self.sender = Sender(surroundings.egress, settings.seconds)

    def compose(self, bulletin: Bulletin, language: str, act: Act, limits: Limits) -> Copy:
        """See ``apprise_message.compose``."""
        return apprise_message.compose(bulletin, language, act, limits, personal=False)

    async def publish(self, copy: Copy, key: str) -> Receipt:
        """One message. Nothing is known of it afterwards but the yes or no."""
        url = self.service.url.get_secret_value()
        await self.sender.reach(url)
        try:
            said = await self.sender.send(url, copy.text)
        except TimeoutError:
            return Receipt(key=key, outcome=Outcome.UNKNOWN, reason=Reason.NO_ANSWER)
        if said:
            return Receipt(key=key, outcome=Outcome.ACCEPTED)
        return Receipt(key=key, outcome=Outcome.UNKNOWN, reason=Reason.NOT_UNDERSTOOD, detail="Apprise said no.")

    async def amend(self, copy: Copy, previous: Published, key: str) -> Receipt:  # noqa: ARG002 - nothing to point at
        return await self.publish(copy, key)

    async def withdraw(self, notice: Copy, previous: Published, key: str) -> Receipt:  # noqa: ARG002
        return await self.publish(notice, key)

    async def read_back(self, previous: Published) -> Seen:  # noqa: ARG002
        return Seen(SeenState.UNREACHABLE, detail="Apprise reads nothing back.")

    async def check(self) -> list[Finding]:
        """See ``apprise_message.check``."""
        return await apprise_message.check(self.surroundings.egress, self.service.url.get_secret_value())
