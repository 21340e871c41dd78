"""What administrators do to outlets themselves: add one, change it, switch it off."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from pydantic import SecretStr

from channels import registry
from channels.contract import SettingsInvalid
from channels.kit import hosts
from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.acts.town import SettingRefused
from dispatcher.announcements.models import Group
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.outlets import egress
from dispatcher.dispatching.secretbox import CannotOpen, seal, unseal

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def save_outlet(
    outlet: Outlet | None,
    *,
    channel: str,
    values: Mapping[str, Any],
    by: By,
    name: str = "",
    label: str = "",
    languages: Sequence[str] = (),
    groups: Sequence[str] = (),
    rate: float | None = None,
    enabled: bool = True,
) -> Outlet:
    """An outlet, new or changed. ``values`` are its channel's settings; a secret that is left out stays as it is.

    Everything that is wrong is told at once, and then nothing is stored. What is in hand is finished with the old
    settings; the next group uses the new ones.

    Raises:
        NotAllowed: only administrators configure.
        SettingRefused: by field: ``name``, ``label``, ``channel``, ``languages``, ``groups``, ``rate``, or
            ``settings.<field>`` as the channel says; also where a host is an address that we may not connect to.
    """
    author = need(by, Right.CONFIGURE, f"outlet {outlet.name if outlet else name}"[:80])
    problems = _of_row(outlet, name, label, languages, groups, rate)
    whole = dict(values)
    if channel not in registry.CHANNELS or (outlet is not None and outlet.channel != channel):
        problems["channel"] = f"Choose one of: {', '.join(registry.CHANNELS)}."
    else:
        whole = {**_secrets_kept(outlet, channel, whole), **whole}
        problems |= {f"settings.{field}": problem for field, problem in check_settings(channel, whole).items()}
    if problems:
        raise SettingRefused(problems)
    with transaction.atomic():
        act = "change outlet" if outlet else "add outlet"
        if outlet is None:
            last = Outlet.objects.aggregate(most=Max("position"))["most"]
            outlet = Outlet(name=name, channel=channel, position=0 if last is None else last + 1)
        outlet.label, outlet.languages, outlet.groups = label.strip(), list(languages), list(groups)
        outlet.rate, outlet.enabled = rate, enabled
        outlet.settings = seal(_plain(channel, whole))
        if outlet.pk:
            outlet.save(update_fields=["label", "languages", "groups", "rate", "enabled", "settings"])
        else:
            outlet.save()
        record(author, act, f"outlet {outlet.name}", channel=channel, enabled=enabled)
    return outlet


def check_settings(channel: str, values: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the settings of a channel, by field; empty where all is well."""
    kind = registry.channel(channel)
    found: dict[str, str] = {}
    port = values.get("port")
    try:
        port = getattr(kind.read_settings(values), "port", port)
    except SettingsInvalid as invalid:
        for field, problem in invalid.problems.items():
            found.setdefault(field.partition(".")[0], problem)
    # Our own site is not somebody's to point elsewhere: its address is the installation's (``acts.address``).
    places = {name: value for name, value in values.items() if (channel, name) != ("website", "base_url")}
    return hosts.problems(places, egress(), port=port if isinstance(port, int) else 443) | found


def stored(outlet: Outlet) -> dict[str, Any]:
    """The settings of an outlet as they were saved, secrets included: for code, never for a page.

    Empty where they were sealed with a key that is gone: they have to be entered again.
    """
    try:
        return unseal(outlet.settings) if outlet.settings else {}
    except CannotOpen:
        return {}


def secret_fields(channel: str) -> list[str]:
    """The fields of a channel's settings that are secrets."""
    fields = registry.channel(channel).Settings.model_fields
    return [name for name, field in fields.items() if "SecretStr" in repr(field.annotation)]


def _secrets_kept(outlet: Outlet | None, channel: str, values: Mapping[str, Any]) -> dict[str, Any]:
    if outlet is None:
        return {}
    kept = stored(outlet)
    return {name: kept[name] for name in secret_fields(channel) if name in kept and name not in values}


def _plain(channel: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` as JSON types, as they were given: what has a default and was left out keeps following the default."""
    read = registry.channel(channel).read_settings(values)
    dumped = read.model_dump(mode="json", include=set(values))
    for name in values:
        value = getattr(read, name)
        if isinstance(value, SecretStr):
            dumped[name] = value.get_secret_value()
    return dumped


def _of_row(
    outlet: Outlet | None, name: str, label: str, languages: Sequence[str], groups: Sequence[str], rate: float | None
) -> dict[str, str]:
    problems = {}
    if outlet is None:
        if not _NAME.fullmatch(name):
            problems["name"] = "Use small letters, digits and hyphens, 40 at most. Example: mastodon-losser."
        elif Outlet.objects.filter(name=name).exists():
            problems["name"] = f"There is an outlet '{name}' already. Choose another name."
    if not label.strip() or len(label.strip()) > 80:
        problems["label"] = "Say what staff call it, in 80 characters at most. Example: Mastodon."
    known = [code for code, _ in settings.LANGUAGES]
    if wrong := [code for code in languages if code not in known]:
        problems["languages"] = f"There are no texts in '{wrong[0]}'. There are: {', '.join(known)}."
    if wrong := [group for group in groups if group not in Group.values]:
        problems["groups"] = f"'{wrong[0]}' is no group. There are: {', '.join(Group.values)}."
    if rate is not None and not 0 < rate <= 100_000:
        problems["rate"] = "Give a number of messages per second above 0, or leave it empty for no limit."
    return problems
