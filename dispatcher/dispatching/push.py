"""Push messages as the outlet that sends them is set up: what a browser needs to subscribe, what we take of it."""

from __future__ import annotations

from typing import cast

import structlog

from channels.kit.push_address import PushAddress, PushAddressInvalid
from channels.kit.push_settings import WebPushSettings
from channels.kit.vapid import public_key as public_of
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.outlets import build

log = structlog.get_logger("omroeper.push")

CHANNEL = "webpush"


def is_served(channel: str) -> bool:
    """Whether an outlet sends to the addresses of ``channel``."""
    return Outlet.objects.filter(channel=channel, enabled=True).exists()


def public_key() -> str | None:
    """The key to which a browser binds its subscription; ``None`` where no outlet sends push messages."""
    settings = _settings()
    return public_of(settings.vapid_key.get_secret_value()) if settings else None


def extra_hosts() -> tuple[str, ...]:
    """The push services (``host:port``) that the town added to those of the browsers."""
    settings = _settings()
    return settings.extra_hosts if settings else ()


def is_extra(device: PushAddress) -> bool:
    """Whether ``device`` is reached through a push service that the town added."""
    place = device.origin.partition("//")[2]
    return any(place in {extra, extra.removesuffix(":443")} for extra in extra_hosts())


def read(source: str) -> PushAddress:
    """The device in the JSON of a browser's subscription. A refusal is logged with the host and nothing else of it.

    Raises:
        PushAddressInvalid: it is none that we push to.
    """
    settings = _settings()
    try:
        if settings is None:
            raise PushAddressInvalid("subscription", "cannot be used: no outlet sends push messages")
        return PushAddress.from_subscription(source, extra_hosts=settings.extra_hosts)
    except PushAddressInvalid as error:
        log.info("push.refused", field=error.field, host=error.host)
        raise


def _settings() -> WebPushSettings | None:
    outlet = Outlet.objects.filter(channel=CHANNEL, enabled=True).first()
    return cast(WebPushSettings, build(outlet).settings) if outlet is not None else None
