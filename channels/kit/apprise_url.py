"""The addresses of services that Apprise may be used for: an allow-list by scheme, read without Apprise itself.

Apprise knows some 250 schemes, among them ones that write to this machine's log or desktop, read files, or post
anywhere. Here are those of chat and message services on the far side of TLS. The web process saves settings, so this
module imports nothing of Apprise; ``apprise_library`` looks again at what Apprise made of the address.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from channels.kit.egress import Egress

ADDRESS = "{address}"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,30})://", re.I)
# What a subscriber's address must look like to be put into a template: nothing that could mean something in a URL.
ADDRESSES: Mapping[str, re.Pattern[str]] = {
    "phone": re.compile(r"\+[1-9][0-9]{6,14}", re.A),  # E.164
    "threema": re.compile(r"[0-9A-Z]{8}", re.A),
    "name": re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.A),
}


@dataclass(frozen=True, slots=True)
class Service:
    """One service. ``plug_in`` is module and class in ``apprise.plugins``, ``length`` what it takes in characters.

    ``queries`` are the parameters that its address may carry; all others are refused.
    """

    label: str
    plug_in: str
    length: int
    queries: frozenset[str] = frozenset()


# Lengths are those of the plug-ins of Apprise 2.2.
SERVICES: Mapping[str, Service] = {
    "cm": Service("CM.com", "cm:NotifyCM", 1_224),
    "discord": Service("Discord", "discord:NotifyDiscord", 2_000),
    "gchat": Service("Google Chat", "google_chat:NotifyGoogleChat", 4_000),
    "gotifys": Service("Gotify", "gotify:NotifyGotify", 32_768),
    "mmosts": Service("Mattermost", "mattermost:NotifyMattermost", 4_000),
    "nctalks": Service("Nextcloud Talk", "nextcloudtalk:NotifyNextcloudTalk", 32_000),
    "ntfys": Service("ntfy", "ntfy:NotifyNtfy", 7_800),
    "rockets": Service("Rocket.Chat", "rocketchat:NotifyRocketChat", 1_000),
    "signals": Service("Signal", "signal_api:NotifySignalAPI", 32_768),
    "slack": Service("Slack", "slack:NotifySlack", 35_000),
    "stackfield": Service("Stackfield", "stackfield:NotifyStackfield", 4_000),
    "synologys": Service("Synology Chat", "synology:NotifySynology", 32_768),
    "tgram": Service("Telegram", "telegram:NotifyTelegram", 4_096),
    "threema": Service("Threema Gateway", "threema:NotifyThreema", 3_500),
    "workflows": Service("Microsoft Teams", "workflows:NotifyWorkflows", 1_000, frozenset({"pa", "powerautomate"})),
    "wxteams": Service("Webex", "webexteams:NotifyWebexTeams", 1_000),
    "zulip": Service("Zulip", "zulip:NotifyZulip", 10_000),
}
# In clear text, so for the practice town's colleagues on this machine and for nothing else.
PRACTICE: Mapping[str, Service] = {
    "json": Service("practice colleagues", "custom_json:NotifyJSON", 32_768),
    "mmost": Service("practice colleagues", "mattermost:NotifyMattermost", 4_000),
}


class UrlRefused(ValueError):
    """An address that Apprise is not used for. Names the scheme at most, never what follows it."""


def scheme_of(url: str) -> str:
    """The scheme of ``url`` in small letters; empty where it has none."""
    found = _SCHEME.match(url)
    return found[1].lower() if found else ""


def service_of(url: str, *, personal: bool) -> Service:
    """The service that ``url`` is for. ``personal`` addresses hold ``{address}`` once in their path, others nowhere.

    Raises:
        UrlRefused: with the scheme where that is what is wrong.
    """
    scheme = scheme_of(url)
    service = SERVICES.get(scheme) or PRACTICE.get(scheme)
    if not scheme:
        raise UrlRefused("give the address as Apprise writes it, such as slack://…")
    if service is None:
        also = f"; use {scheme}s://" if f"{scheme}s" in SERVICES else ""
        raise UrlRefused(f"{scheme}:// is not allowed{also}. These are: {', '.join(sorted(SERVICES))}")
    if not url.isascii() or not url.isprintable() or len(url) > 1_000 or any(sign in url for sign in ' ,\\#"<>'):
        raise UrlRefused(f"the address after {scheme}:// holds characters that have no place in it, or is too long")
    before, _, query = url.partition("?")
    if url.count(ADDRESS) != int(personal) or (personal and ADDRESS not in _path(before)):
        where = f"holds {ADDRESS} once, in its path" if personal else f"holds no {ADDRESS}"
        raise UrlRefused(f"the address after {scheme}:// {where}")
    check_queries([name for name, _ in parse_qsl(query.replace(";", "&"), keep_blank_values=True)], scheme)
    return service


def check_queries(names: Collection[str], scheme: str) -> None:
    """Refuses parameters that the service is not known to need: they switch checks off, read files, or repeat.

    Raises:
        UrlRefused: with the first of them.
    """
    service = SERVICES.get(scheme) or PRACTICE[scheme]
    for name in names:
        if name.lower() not in service.queries:
            raise UrlRefused(f"{scheme}:// takes no parameter {name[:30]!r} here")


def check_place(url: str, egress: Egress) -> None:
    """Refuses a scheme of the practice town for anything but a far side that the practice town has started.

    Raises:
        UrlRefused: with the scheme.
    """
    scheme = scheme_of(url)
    if scheme in SERVICES:
        return
    try:
        parts = urlsplit(url)
        known = "@" not in parts.netloc and (parts.hostname, parts.port) in egress.exceptions
    except ValueError:
        known = False
    if not egress.closed or not known:
        raise UrlRefused(f"{scheme}:// is not allowed: it is for the practice town's colleagues only")


def filled(url: str, address: str, kind: str) -> str:
    """``url`` made out to ``address``, a subscriber's, which must be one of ``kind``.

    Raises:
        UrlRefused: it is not.
    """
    if not ADDRESSES[kind].fullmatch(address):
        raise UrlRefused(f"the address is no {kind}")
    return url.replace(ADDRESS, quote(address, safe=""))


def _path(url: str) -> str:
    return "/" + url.partition("://")[2].partition("/")[2]
