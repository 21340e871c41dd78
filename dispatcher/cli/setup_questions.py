"""The questions of ``setup``: each says what it means and what stands if nothing is typed.

A wrong answer is asked for again, with what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from dispatcher.cli.output import console
from dispatcher.config.answers import AdministratorAnswer, Answers, OutletAnswer, TopicAnswer
from dispatcher.config.installation import Installation

NAMES = {"nl": "Gemeente Losser", "en": "Municipality of Losser"}  # as examples only
# What most mail relays need beside their required settings.
USUAL = {"email": ("port", "security", "username", "password")}


def about_the_installation(said: Installation) -> Answers:
    """Practice or production, the address, and what is around it: known before there is a database."""
    _head("1. The installation")
    real = _yes(
        "Is this for real?",
        "For real, messages reach residents. Else it is the practice town, and nothing reaches anybody.",
        default=True,
    )
    address = _ask(
        "Address of the site",
        "Where residents find it, through a proxy with TLS. Example: https://nieuws.example.nl",
        default=said.base_url or ("" if real else "http://localhost:8700"),
        check=lambda url: _address_problem(url, practice=not real),
    )
    proxies = _ask(
        "Networks of the proxies in front", "Their word about a visitor's address is believed. Example: 10.0.0.0/8",
        default=said.trusted_proxies,
    )  # fmt: skip
    inside = _ask(
        "Servers of your own without a public address",
        "As host:port, such as a mail relay inside: relay.intern.example.nl:25. Nothing else inside is connected to.",
        default=said.egress,
    )
    return Answers(practice=not real, base_url=address, trusted_proxies=proxies, egress=inside, names={})


def about_the_municipality(first: Answers) -> Answers:
    """Everything else, with what the database holds as the default of each question."""
    _head("2. The municipality")
    languages = _languages()
    names = _names(languages)
    _head("3. What and where")
    topics = _topics(languages)
    districts = _districts()
    _head("4. Outlets")
    outlets = _outlets()
    _head("5. The first administrator")
    return first.model_copy(
        update={
            "names": names, "languages": languages, "topics": topics, "districts": districts, "outlets": outlets,
            "administrator": _administrator(),
        }
    )  # fmt: skip


def check_now() -> bool:
    """Whether the outlets are to be asked now."""
    return _yes("Ask the outlets now whether they can work?", "Nothing is sent to anyone.", default=True)


def _languages() -> list[str]:
    from django.conf import settings

    from dispatcher.town.reading import town

    known = [code for code, _ in settings.LANGUAGES]
    answer = _ask(
        "Languages", f"In which you announce, the first one always. There are: {', '.join(known)}.",
        default=" ".join(town().languages),
        check=lambda typed: "" if typed.split() and set(typed.split()) <= set(known) else f"Choose: {' '.join(known)}",
    )  # fmt: skip
    return list(dict.fromkeys(answer.split()))


def _names(languages: list[str]) -> dict[str, str]:
    from dispatcher.town.models import Town

    row = Town.objects.filter(pk=Town.ONE).first()
    known = row.names if row else {}
    return {
        code: _ask(
            f"Name of the municipality ({code})", f"As residents know it. Example: {NAMES.get(code, NAMES['en'])}",
            default=known.get(code, ""), check=lambda typed: "" if typed.strip() else "Say what it is called.",
        )
        for code in languages
    }  # fmt: skip


def _topics(languages: list[str]) -> list[TopicAnswer]:
    from dispatcher import example_town
    from dispatcher.audience.models import Topic

    there = [topic.names.get(languages[0], topic.slug) for topic in Topic.objects.all()]
    if there:
        _explain(f"There are topics: {', '.join(there)}. The settings page changes them.")
        return []
    usual = [
        TopicAnswer(names=topic["names"], explanations=topic.get("explanations", {}))
        for topic in example_town.description()["topics"]
    ]
    listed = ", ".join(topic.names[languages[0]] for topic in usual)
    if _yes("Begin with the usual topics?", f"{listed}. The settings page changes them.", default=True):
        return usual
    found: list[TopicAnswer] = []
    _explain(f"One topic at a time, in {' and '.join(languages)} with / in between. Nothing typed ends it.")
    while typed := _ask(f"Topic {len(found) + 1}", "", default=""):
        parts = [part.strip() for part in typed.split("/")]
        found.append(TopicAnswer(names={code: parts[min(n, len(parts) - 1)] for n, code in enumerate(languages)}))
    return found


def _districts() -> list[str]:
    from dispatcher.audience.models import District

    there = list(District.objects.values_list("name", flat=True))
    note = f"There are: {', '.join(there)}. " if there else ""
    typed = _ask("Districts", f"{note}Villages or quarters, with commas in between. May stay empty.", default="")
    return [name.strip() for name in typed.split(",") if name.strip()]


def _outlets() -> list[OutletAnswer]:
    from channels import registry
    from dispatcher.dispatching.models import Outlet

    found = []
    there = {outlet.name: outlet for outlet in Outlet.objects.all()}
    _explain("The website is made by itself.")
    if there:
        _explain(f"There are: {', '.join(outlet.label for outlet in there.values())}.")
    if not any(outlet.channel == "email" for outlet in there.values()) and _yes(
        "Send e-mail?", "Through a mail server of yours or your provider's.", default=True
    ):
        found.append(_outlet("email", "email", "E-mail"))
    others = [name for name in registry.CHANNELS if name not in ("website", "email")]
    while channel := _ask(
        "Another outlet", f"Nothing typed: no more. There are: {', '.join(others)}.", default="",
        check=lambda typed: "" if not typed or typed in others else f"Choose one of: {', '.join(others)}.",
    ):  # fmt: skip
        label = _ask("What staff call it", "", default=channel.capitalize())
        found.append(_outlet(channel, channel if channel not in there else f"{channel}-{len(there) + 1}", label))
    return found


def _outlet(channel: str, name: str, label: str) -> OutletAnswer:
    """An outlet, asked for until its channel finds nothing wrong."""
    from channels import registry
    from dispatcher.acts.configure import check_settings, secret_fields

    fields = registry.channel(channel).Settings.model_fields
    secrets = secret_fields(channel)
    asked = [n for n, field in fields.items() if field.is_required() or n in USUAL.get(channel, ())]
    values: dict[str, Any] = {}
    again = asked
    while again:
        values |= _values(fields, again, secrets)
        values = {name: value for name, value in values.items() if value != ""}
        problems = check_settings(channel, values)
        for field, problem in problems.items():
            console.print(f"  {field}: {problem.removeprefix('Value error, ')}", style="red", markup=False)
        again = [field for field in problems if field in fields]
        if problems and not again:
            again = asked
    return OutletAnswer(name=name, label=label, channel=channel, settings=values)


def _values(fields: Mapping[str, FieldInfo], asked: list[str], secrets: list[str]) -> dict[str, Any]:
    found = {}
    for name in asked:
        if name in secrets:
            found[name] = typer.prompt(f"  {name}", default="", hide_input=True, show_default=False)
        else:
            usual = "" if fields[name].is_required() else fields[name].get_default(call_default_factory=True)
            found[name] = _ask(f"  {name}", fields[name].description or "", default=str(usual))
    return found


def _administrator() -> AdministratorAnswer | None:
    from dispatcher.staff.models import Employee
    from dispatcher.staff.roles import Role

    there = [e.email for e in Employee.objects.filter(is_active=True) if Role.ADMINISTRATOR in e.roles]
    if there:
        _explain(f"There is one already: {', '.join(there)}.")
        return None
    _explain("Who may change all this from the console, and let others in.")
    email = _ask("E-mail address", "With which they sign in.", default="", check=_email_problem)
    name = _ask("Name", "", default="")
    password = _password()
    return AdministratorAnswer(email=email, name=name, password=SecretStr(password))


def _password() -> str:
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    while True:
        typed = str(typer.prompt("Password", hide_input=True, confirmation_prompt="The same again"))
        try:
            validate_password(typed)
        except ValidationError as wrong:
            console.print(" ".join(wrong.messages), style="red", markup=False)
        else:
            return typed


def _email_problem(typed: str) -> str:
    from dispatcher.audience.addresses import AddressInvalid, normal_form

    try:
        normal_form(typed)
    except AddressInvalid as wrong:
        return str(wrong)
    return ""


def _address_problem(url: str, *, practice: bool) -> str:
    if not url.startswith(("http://", "https://")):
        return "Begin with https://. Example: https://nieuws.example.nl"
    if not practice and not url.startswith("https://"):
        return "For real it has to be https: links in messages and the pages behind them are private."
    return ""


def _head(title: str) -> None:
    console.print(f"\n[bold]{title}[/]")


def _explain(text: str) -> None:
    if text:
        console.print(text, style="dim", markup=False, highlight=False)


def _yes(question: str, meaning: str, *, default: bool) -> bool:
    _explain(meaning)
    return typer.confirm(question, default=default)


def _ask(question: str, meaning: str, *, default: str, check: Callable[[str], str] = lambda _: "") -> str:
    """An answer in which ``check`` finds nothing wrong."""
    _explain(meaning)
    while True:
        typed = str(typer.prompt(question, default=default, show_default=bool(default))).strip()
        problem = check(typed)
        if not problem:
            return typed
        console.print(problem, style="red", markup=False, highlight=False)
