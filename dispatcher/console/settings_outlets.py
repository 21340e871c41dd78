"""``/console/settings/outlets/``: add an outlet, change it, switch it off, ask it whether it can work."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from channels import registry
from dispatcher.acts import configure
from dispatcher.acts.checking import check_in_a_process, last_check
from dispatcher.acts.rights import Right
from dispatcher.acts.town import SettingRefused
from dispatcher.announcements.models import Group
from dispatcher.console import outlet_form
from dispatcher.console.settings import saved, status_of
from dispatcher.console.signed_in import staff
from dispatcher.dispatching.models import Outlet
from dispatcher.staff.roles import Actor
from dispatcher.town.reading import town
from dispatcher.web import languages
from dispatcher.web.rendering import page


@require_GET
@staff(Right.CONFIGURE)
def choose(request: HttpRequest, by: Actor) -> HttpResponse:  # noqa: ARG001 - the decorator's signature
    """Which channel the new outlet is of."""
    return page(request, "console/settings_channels.html", {"channels": list(registry.CHANNELS)})


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.CONFIGURE)
def new(request: HttpRequest, by: Actor, channel: str) -> HttpResponse:
    """The form of a new outlet."""
    if channel not in registry.CHANNELS:
        raise Http404
    return _form(request, by, None, channel)


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.CONFIGURE)
def change(request: HttpRequest, by: Actor, name: str) -> HttpResponse:
    """The form of an outlet that there is."""
    found = _find(name)
    return _form(request, by, found, found.channel)


@require_POST
@staff(Right.CONFIGURE)
def check(request: HttpRequest, by: Actor, name: str) -> HttpResponse:
    """Asks the outlet whether it can work, in a process of its own, and shows what it said."""
    check_in_a_process(_find(name), by=by)
    where = languages.address(request, reverse("settings-outlet", args=[name]))
    return HttpResponseRedirect(f"{where}#check", status=HTTPStatus.SEE_OTHER)


def _form(request: HttpRequest, by: Actor, found: Outlet | None, channel: str) -> HttpResponse:
    stored = configure.stored(found) if found else _given(channel)
    row = _row(found, channel)
    problems = dict[str, str]()
    typed = request.POST if request.method == "POST" else None
    if typed is not None:
        row = _typed_row(request)
        try:
            outlet = configure.save_outlet(
                found, channel=channel, values=outlet_form.values(channel, typed, stored), by=by, **_checked(row)
            )
        except SettingRefused as refused:
            problems = refused.problems
        else:
            if found is None:
                return HttpResponseRedirect(
                    languages.address(request, reverse("settings-outlet", args=[outlet.name]), saved="outlet"),
                    status=HTTPStatus.SEE_OTHER,
                )
            return saved(request, "outlet")
    values = {
        "outlet": found,
        "channel": channel,
        "row": row,
        "fields": outlet_form.fields(channel, stored, typed),
        "problems": problems,
        "known": [(code, name) for code, name in settings.LANGUAGES if code in town().languages],
        "groups": list(Group.values),
        "last": last_check(found) if found else None,
        "saved": request.GET.get("saved") == "outlet",
    }
    return page(request, "console/settings_outlet.html", values, status=status_of(problems))


def _given(channel: str) -> dict[str, Any]:
    """What the installation itself knows about a new outlet."""
    if channel != "website":
        return {}
    return {
        "folder": str(settings.SITE_FOLDER),
        "base_url": settings.BASE_URL,
        "languages": list(town().languages),
    }


def _row(found: Outlet | None, channel: str) -> dict[str, Any]:
    if found is None:
        taken = Outlet.objects.filter(name=channel).exists()
        return {
            "name": "" if taken else channel, "label": "", "languages": [], "groups": [], "rate": "", "enabled": True,
        }  # fmt: skip
    rate = "" if found.rate is None else f"{found.rate:g}"
    return {
        "name": found.name, "label": found.label, "languages": found.languages, "groups": found.groups, "rate": rate,
        "enabled": found.enabled,
    }  # fmt: skip


def _typed_row(request: HttpRequest) -> dict[str, Any]:
    typed = request.POST
    return {
        "name": typed.get("name", "").strip()[:80],
        "label": typed.get("label", "").strip()[:200],
        "languages": typed.getlist("languages"),
        "groups": typed.getlist("groups"),
        "rate": typed.get("rate", "").strip()[:20],
        "enabled": bool(typed.get("enabled")),
    }


def _checked(row: dict[str, Any]) -> dict[str, Any]:
    """The row's own fields as the act takes them; what is no number is one that the act refuses."""
    try:
        rate = float(row["rate"].replace(",", ".")) if row["rate"] else None
    except ValueError:
        rate = -1.0
    return {**row, "rate": rate}


def _find(name: str) -> Outlet:
    found = Outlet.objects.filter(name=name).first()
    if found is None:
        raise Http404
    return found
