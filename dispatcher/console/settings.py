"""``/console/settings/``: what the municipality is called, where it is found, and what is still missing."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from dispatcher.acts import address as address_acts
from dispatcher.acts import town as town_acts
from dispatcher.acts.missing import missing
from dispatcher.acts.rights import Right
from dispatcher.acts.town import SettingRefused
from dispatcher.audience.models import District, Topic
from dispatcher.config import installation
from dispatcher.config.environment import from_outside
from dispatcher.console.signed_in import staff
from dispatcher.dispatching.models import Outlet
from dispatcher.staff.roles import Actor
from dispatcher.town.reading import town
from dispatcher.web import languages
from dispatcher.web.rendering import page

SAVED = ("town", "address", "topic", "district", "order", "outlet")
ADDRESS = ("base_url", "trusted_proxies", "egress")


@require_GET
@staff(Right.CONFIGURE)
def overview(request: HttpRequest, by: Actor) -> HttpResponse:  # noqa: ARG001 - the decorator's signature
    """Everything that is set, with the way to change it."""
    saved = request.GET.get("saved", "")
    said = installation.read(settings.DATA)
    values = {
        "facts": town(),
        "known": settings.LANGUAGES,
        "topics": Topic.objects.all(),
        "districts": District.objects.all(),
        "outlets": Outlet.objects.all(),
        "base_url": settings.BASE_URL,
        "said": said,
        "after_restart": _after_restart(said),
        "missing": missing(),
        "saved": saved if saved in SAVED else "",
    }
    return page(request, "console/settings.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.CONFIGURE)
def town_form(request: HttpRequest, by: Actor) -> HttpResponse:
    """The municipality's names and languages."""
    known = [code for code, _ in settings.LANGUAGES]
    facts = town()
    names = {code: facts.names.get(code, "") for code in known}
    chosen, problems = list(facts.languages), dict[str, str]()
    if request.method == "POST":
        names = {code: request.POST.get(f"names.{code}", "")[:200] for code in known}
        chosen = request.POST.getlist("languages")
        try:
            town_acts.set_town(names=names, languages=chosen, by=by)
        except SettingRefused as refused:
            problems = refused.problems
        else:
            return saved(request, "town")
    values = {"names": names, "chosen": chosen, "known": settings.LANGUAGES, "problems": problems}
    return page(request, "console/settings_town.html", values, status=status_of(problems))


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.CONFIGURE)
def address_form(request: HttpRequest, by: Actor) -> HttpResponse:
    """Where the site is found, which proxies are believed, what inside may be reached."""
    said = installation.read(settings.DATA)
    typed = {name: getattr(said, name) for name in ADDRESS}
    typed["base_url"] = typed["base_url"] or settings.BASE_URL
    problems = dict[str, str]()
    if request.method == "POST":
        typed = {name: request.POST.get(name, "")[:2000] for name in ADDRESS}
        try:
            address_acts.set_address(**typed, by=by)
        except SettingRefused as refused:
            problems = refused.problems
        else:
            return saved(request, "address")
    fixed = [name for name in ADDRESS if from_outside(f"OMROEPER_{name.upper()}")]
    values = {"typed": typed, "problems": problems, "fixed": fixed}
    return page(request, "console/settings_address.html", values, status=status_of(problems))


def saved(request: HttpRequest, what: str) -> HttpResponse:
    """Back to the overview, which says that it is done."""
    where = languages.address(request, reverse("settings"), saved=what)
    return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)


def status_of(problems: dict[str, str]) -> int:
    """422 for a form with something wrong in it."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK


def _after_restart(said: installation.Installation) -> dict[str, Any]:
    """What the installation's file says that does not count yet: the processes started before it was changed."""
    waits: dict[str, Any] = {}
    if said.base_url and said.base_url != settings.BASE_URL and not from_outside("OMROEPER_BASE_URL"):
        waits["base_url"] = said.base_url
    if said.practice == (not settings.PRACTICE) and not from_outside("OMROEPER_PRACTICE"):
        waits["practice"] = said.practice
    return waits
