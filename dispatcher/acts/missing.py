"""What is still missing before the municipality can send, each with its remedy."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings

from channels.contract import Finding, Level
from dispatcher.acts import data_set
from dispatcher.acts.configure import check_settings, stored
from dispatcher.audience.models import District, Topic
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.outlets import is_direct
from dispatcher.staff.models import Employee
from dispatcher.staff.roles import Role
from dispatcher.town.models import Town
from dispatcher.town.reading import town

SETTINGS = "Console, Settings; or 'omroeper setup'."


def missing() -> list[Finding]:
    """All of it; empty where nothing is. In the practice town only what keeps it from working."""
    found = [*_outlets()]
    if not settings.PRACTICE:
        found = [*_address(), *_practice(), *_people(), *_town(), *found]
    return found


def _address() -> Iterator[Finding]:
    parts = urlsplit(settings.BASE_URL)
    if parts.scheme != "https":
        yield Finding(
            Level.FAULT, f"The site's address is {settings.BASE_URL}: without TLS.",
            "Put a proxy with a certificate in front and give the https address: 'omroeper setup'.",
        )  # fmt: skip
    if (parts.hostname or "") in {"localhost", "127.0.0.1", "::1"}:
        yield Finding(
            Level.FAULT, "The site's address is this machine's own: no resident can open a link.",
            "Give the address that residents use: 'omroeper setup'.",
        )  # fmt: skip


def _practice() -> Iterator[Finding]:
    found = data_set.practice_left()
    if found:
        what = ", ".join(f"{count} {name}" for name, count in found.items())
        yield Finding(Level.FAULT, f"This data set is the practice town's ({what}).", data_set.REMEDY)


def _people() -> Iterator[Finding]:
    active = Employee.objects.filter(is_active=True)
    roles = {role for row in active.values_list("roles", flat=True) for role in row}
    if Role.ADMINISTRATOR not in roles:
        yield Finding(Level.FAULT, "There is no administrator.", "Make one: 'omroeper setup'.")
    if not roles & {Role.WRITER, Role.ADVISER, Role.DUTY_OFFICER}:
        yield Finding(Level.WARNING, "Nobody may write announcements yet.", "Give employees their roles.")
    elif Role.ADVISER not in roles:
        yield Finding(Level.WARNING, "Nobody may approve announcements yet.", "Give someone the role of adviser.")


def _town() -> Iterator[Finding]:
    row = Town.objects.filter(pk=Town.ONE).first()
    if row is None or not row.names:
        yield Finding(Level.FAULT, "The municipality has no name yet: the example's is used.", SETTINGS)
    spoken = town().languages
    topics = list(Topic.objects.all())
    if not topics:
        yield Finding(Level.FAULT, "There are no topics: nobody can subscribe to anything.", SETTINGS)
    for code in spoken:
        bare = [topic.slug for topic in topics if not topic.names.get(code)]
        if bare:
            yield Finding(Level.WARNING, f"Topics without a name in '{code}': {', '.join(bare)}.", SETTINGS)
    if not District.objects.exists():
        yield Finding(Level.WARNING, "There are no districts: every resident hears about the whole town.", SETTINGS)


def _outlets() -> Iterator[Finding]:
    enabled = list(Outlet.objects.filter(enabled=True))
    if not any(outlet.channel == "website" for outlet in enabled):
        yield Finding(Level.FAULT, "There is no website: links in messages lead nowhere.", f"Add one. {SETTINGS}")
    if not any(is_direct(outlet.channel) for outlet in enabled):
        yield Finding(
            Level.FAULT, "There is no outlet for subscribers (e-mail, push): nobody can confirm.",
            f"Add one. {SETTINGS}",
        )  # fmt: skip
    for outlet in enabled:
        values = stored(outlet)
        problems = check_settings(outlet.channel, values)
        if problems:
            what = "; ".join(f"{field}: {problem}" for field, problem in problems.items())
            yield Finding(Level.FAULT, f"{outlet.label} is not set up right ({what}).", SETTINGS)
        sender = str(values.get("sender", ""))
        if not settings.PRACTICE and sender.rpartition("@")[2].endswith((".invalid", ".example", ".test", "localhost")):
            yield Finding(Level.FAULT, f"{outlet.label} sends as {sender}, which is nobody's domain.", SETTINGS)
        written_for = values.get("base_url")
        if not settings.PRACTICE and outlet.channel == "website" and written_for != settings.BASE_URL:
            yield Finding(
                Level.FAULT, f"{outlet.label} writes for {written_for}, and the site is {settings.BASE_URL}.",
                "Start Omroeper again if the address was changed just now; else save the address once more.",
            )  # fmt: skip
