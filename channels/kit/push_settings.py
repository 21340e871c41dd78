"""The settings of a push outlet, checked all at once."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, field_validator

from channels.contract import ChannelSettings
from channels.kit.vapid import public_key

_CONTACT = re.compile(r"mailto:[^\s<>@\"]+@[^\s<>@\"]+\.[^\s<>@\"]+|https://[^\s<>\"]+\.[^\s<>\"]+")
_PLACE = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\]):[1-9]\d{0,4}")
LONGEST_TTL = 2_419_200  # seconds: four weeks, the most that the browsers' services keep a message


def _contact(value: str) -> str:
    # Apple refuses a token whose contact has a space, angle brackets, or a host that cannot be reached from outside.
    if not value.isascii() or not _CONTACT.fullmatch(value):
        raise ValueError("is no mailto: or https: address; example: mailto:webmaster@losser.example")
    return value


def _places(values: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [value for value in values if not _PLACE.fullmatch(value)]
    if wrong:
        raise ValueError(f"{wrong[0][:80]!r} is no host and port in lower case; example: push.losser.example:443")
    return values


Seconds = Annotated[float, Field(gt=0, le=600)]


class WebPushSettings(ChannelSettings):
    """Who we are to the push services, and how they are used. ``docs/channels/webpush.md`` tells about each."""

    vapid_key: SecretStr
    contact: Annotated[str, AfterValidator(_contact)]
    ttl: int = Field(default=3 * 86400, ge=60, le=LONGEST_TTL)
    concurrency: int = Field(default=16, ge=1, le=64)
    extra_hosts: Annotated[tuple[str, ...], AfterValidator(_places)] = ()
    ca_file: str = ""
    opening_seconds: Seconds = 10.0
    reply_seconds: Seconds = 30.0
    idle_seconds: Seconds = 20.0

    @field_validator("vapid_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr) -> SecretStr:
        public_key(value.get_secret_value())
        return value
