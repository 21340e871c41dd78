"""Setting up: everything that a municipality says about itself, checked as a whole and stored as a whole.

Can be done again: what is there is changed, nothing is taken away, and nothing is stored where one answer is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from dispatcher.acts import employees
from dispatcher.acts.address import check_address, move_websites
from dispatcher.acts.audit import record
from dispatcher.acts.configure import check_settings, save_outlet, stored
from dispatcher.acts.rights import By, Right, need
from dispatcher.acts.town import SettingRefused, check_town, save_district, save_topic, set_town
from dispatcher.audience.models import District, Topic
from dispatcher.config import installation
from dispatcher.config.answers import Answers, OutletAnswer
from dispatcher.config.installation import Installation
from dispatcher.dispatching.models import Outlet
from dispatcher.staff.models import Employee, normal_email
from dispatcher.staff.roles import Role
from dispatcher.town import reading
from dispatcher.town.models import Town


def check(answers: Answers) -> dict[str, str]:
    """All that is wrong, by field (``outlets.0.settings.host``); empty where all is well. Stores nothing."""
    problems = check_address(answers.base_url, answers.trusted_proxies, answers.egress, practice=answers.practice)
    problems |= check_town(answers.names, answers.languages)
    for place, outlet in enumerate(answers.outlets):
        known = Outlet.objects.filter(name=outlet.name).first()
        values = {**(stored(known) if known else {}), **_whole(answers, outlet)}
        try:
            found = check_settings(outlet.channel, values)
        except KeyError:
            problems[f"outlets.{place}.channel"] = f"There is no channel '{outlet.channel}'."
            continue
        problems |= {f"outlets.{place}.settings.{field}": problem for field, problem in found.items()}
    return problems


def set_up(answers: Answers, *, data: Path, target: Installation, by: By) -> None:
    """Stores the answers: the database in one transaction, and as its last act the installation's own file: ``target``.

    Raises:
        NotAllowed: only administrators configure.
        SettingRefused: with all that ``check`` finds, or what only storing shows; nothing was stored.
        OSError: the data folder cannot be written; nothing was stored.
    """
    need(by, Right.CONFIGURE, "installation")
    problems = check(answers)
    if problems:
        raise SettingRefused(problems)
    with transaction.atomic():
        Town.objects.get_or_create(pk=Town.ONE, defaults={"practice": answers.practice})
        set_town(names=answers.names, languages=answers.languages, by=by)
        reading.forget()
        for topic in answers.topics:
            save_topic(_topic(topic.names), names=topic.names, explanations=topic.explanations, by=by)
        for name in answers.districts:
            if not District.objects.filter(name=name.strip()).exists():
                save_district(None, name=name, by=by)
        for place, outlet in enumerate(_with_website(answers)):
            _outlet(answers, outlet, place, by)
        move_websites(target.base_url)
        _administrator(answers, by)
        record(str(by) if isinstance(by, str) else by.name, "set up", "installation", practice=answers.practice)
        installation.write(data, target)
    reading.forget()


def _with_website(answers: Answers) -> list[OutletAnswer]:
    """The outlets, the website before them where neither the answers nor the database have one."""
    there = Outlet.objects.filter(channel="website").exists() or any(o.channel == "website" for o in answers.outlets)
    own = [] if there else [OutletAnswer(name="website", label="Website", channel="website")]
    return [*own, *answers.outlets]


def _whole(answers: Answers, outlet: OutletAnswer) -> dict[str, Any]:
    if outlet.channel != "website":
        return outlet.settings
    known = {
        "folder": str(settings.SITE_FOLDER),
        "base_url": answers.base_url.strip().rstrip("/"),
        "languages": answers.languages,
    }
    return {**known, **outlet.settings}


def _outlet(answers: Answers, outlet: OutletAnswer, place: int, by: By) -> None:
    known = Outlet.objects.filter(name=outlet.name).first()
    try:
        save_outlet(
            known, name=outlet.name, label=outlet.label, channel=outlet.channel, values=_whole(answers, outlet),
            languages=outlet.languages, groups=outlet.groups, rate=outlet.rate, enabled=outlet.enabled, by=by,
        )  # fmt: skip
    except SettingRefused as refused:
        raise SettingRefused({f"outlets.{place}.{field}": what for field, what in refused.problems.items()}) from None


def _topic(names: Mapping[str, str]) -> Topic | None:
    """The topic that already has one of these names."""
    wanted = {(code, name.strip().lower()) for code, name in names.items()}
    for topic in Topic.objects.all():
        if any((code, name.lower()) in wanted for code, name in topic.names.items()):
            return topic
    return None


def _administrator(answers: Answers, by: By) -> None:
    asked = answers.administrator
    if asked is None:
        return
    there = Employee.objects.filter(email=normal_email(asked.email)).first()
    try:
        if there is None:
            employees.add(
                email=asked.email, name=asked.name, roles=[Role.ADMINISTRATOR],
                password=asked.password.get_secret_value(), by=by,
            )  # fmt: skip
        elif Role.ADMINISTRATOR not in there.roles:
            employees.set_roles(there, [*there.roles, Role.ADMINISTRATOR], by=by)
    except employees.EmployeeRefused as refused:
        raise SettingRefused({f"administrator.{refused.field}": str(refused)}) from None
