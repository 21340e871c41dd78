"""The channels there are: one line each. A class is imported when it is first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from channels.contract import Common

CHANNELS = {
    "website": "channels.website:Website",
    "email": "channels.email:Email",
    "webpush": "channels.webpush:WebPush",
    "apprise": "channels.apprise:Apprise",
    "apprise-direct": "channels.apprise_direct:AppriseDirect",
    "mastodon": "channels.mastodon:Mastodon",
    "byhand": "channels.byhand:ByHand",
}


@cache
def channel(name: str) -> type[Common]:
    """The channel class called ``name``.

    Raises:
        KeyError: if there is no such channel.
    """
    module, _, attribute = CHANNELS[name].partition(":")
    return cast(type[Common], getattr(import_module(module), attribute))
