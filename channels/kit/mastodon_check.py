"""What ``check`` says about a Mastodon account and its server."""

from __future__ import annotations

from typing import Any

from channels.contract import Finding, Level, OutletDown
from channels.kit.mastodon_api import Api, Gone, Refused, Unclear


async def findings(api: Api, length: int, url_length: int) -> list[Finding]:
    """Whether the token is known, and whether the server's limits are those of the settings. Posts nothing."""
    try:
        account = await api.call("GET", "/api/v1/accounts/verify_credentials")
        instance = await api.call("GET", "/api/v2/instance")
    except OutletDown as down:
        return [Finding(Level.FAULT, down.reason, "Check the address and the token, then check again.")]
    except (Gone, Refused, Unclear) as error:
        said = f"The server does not speak Mastodon's API ({error})."
        return [Finding(Level.FAULT, said[:200], "Check the address of the server.")]
    return [
        Finding(Level.FINE, f"Posts as @{_text(account, 'acct')} on {_text(instance, 'domain')}."),
        *_limits(instance, length, url_length),
    ]


def _limits(instance: Any, length: int, url_length: int) -> list[Finding]:
    try:
        statuses = instance["configuration"]["statuses"]
        allowed, per_url = int(statuses["max_characters"]), int(statuses["characters_reserved_per_url"])
    except (KeyError, TypeError, ValueError):
        return [Finding(Level.WARNING, "The server does not say how long a post may be.", "Set length yourself.")]
    found = []
    if allowed < length:
        found.append(
            Finding(Level.FAULT, f"The server takes {allowed} characters, not {length}.", f"Set length to {allowed}.")
        )
    elif allowed > length:
        what = f"The server takes {allowed} characters; posts are kept to {length}."
        found.append(Finding(Level.FINE, what, "You may set length."))
    if per_url != url_length:
        found.append(Finding(Level.WARNING, f"The server counts a link as {per_url}.", f"Set url_length to {per_url}."))
    return found


def _text(values: Any, name: str) -> str:
    return str(values.get(name, ""))[:100] if isinstance(values, dict) else ""
