"""Where the installation is found and what it may reach inside: the part that lives in the installation's own file."""

from __future__ import annotations

from ipaddress import ip_network

from django.conf import settings
from django.db import transaction
from pydantic import ValidationError

from channels.kit import hosts
from channels.kit.egress import Egress
from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.acts.town import SettingRefused
from dispatcher.config import installation
from dispatcher.config.installation import Installation
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.secretbox import seal, unseal


def set_address(*, base_url: str, trusted_proxies: str = "", egress: str = "", by: By) -> None:
    """Writes the installation's file; what it says counts once the processes start again.

    The websites take over the new address at once, so that pages written from now on carry it.

    Raises:
        NotAllowed: only administrators configure.
        SettingRefused: ``base_url``, ``trusted_proxies`` or ``egress``.
        OSError: the data folder cannot be written.
    """
    author = need(by, Right.CONFIGURE, "installation")
    problems = check_address(base_url, trusted_proxies, egress, practice=settings.PRACTICE)
    if problems:
        raise SettingRefused(problems)
    said = installation.read(settings.DATA).model_copy(
        update={
            "base_url": base_url.strip().rstrip("/"),
            "trusted_proxies": " ".join(trusted_proxies.split()),
            "egress": " ".join(egress.split()).lower(),
        }
    )
    with transaction.atomic():
        move_websites(said.base_url)
        # Exceptions to the egress policy are told apart: whoever reviews the audit looks for these.
        record(author, "set address", "installation", base_url=said.base_url, egress=said.egress)
        installation.write(settings.DATA, said)


def move_websites(base_url: str) -> None:
    """Gives every website outlet the address. Inside a transaction."""
    for outlet in Outlet.objects.select_for_update().filter(channel="website"):
        values = unseal(outlet.settings) if outlet.settings else {}
        if values.get("base_url") != base_url:
            outlet.settings = seal(values | {"base_url": base_url})
            outlet.save(update_fields=["settings"])


def check_address(base_url: str, trusted_proxies: str, egress: str, *, practice: bool) -> dict[str, str]:
    """What is wrong; empty where all is well."""
    problems = {}
    try:
        Installation(base_url=base_url.strip())
    except ValidationError:
        problems["base_url"] = "Give a plain web address. Example: https://nieuws.example.nl"
    if not base_url.strip():
        problems["base_url"] = "Say where residents find the site. Example: https://nieuws.example.nl"
    elif not practice and not base_url.strip().startswith("https://"):
        problems["base_url"] = "Begin with https://: links in messages and the pages behind them are private."
    elif not practice and (inside := hosts.problems({"url": base_url.strip()}, Egress())):
        problems["base_url"] = inside["url"]
    for each in trusted_proxies.split():
        try:
            ip_network(each)
        except ValueError:
            problems["trusted_proxies"] = f"'{each}' is no network. Example: 10.0.0.0/8"
    for each in egress.split():
        host, colon, port = each.rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
            problems["egress"] = f"'{each}' is no host with a port. Example: relay.intern.example.nl:25"
    return problems
