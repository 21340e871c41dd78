"""``/console/settings/topics/`` and ``districts/``: add one, rename it, change the order."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from dispatcher.acts import town as acts
from dispatcher.acts.rights import Right
from dispatcher.acts.town import SettingRefused
from dispatcher.audience.models import District, Topic
from dispatcher.console.settings import saved, status_of
from dispatcher.console.signed_in import staff
from dispatcher.staff.roles import Actor
from dispatcher.web import errors
from dispatcher.web.rendering import page

LISTS: dict[str, type[Topic] | type[District]] = {"topics": Topic, "districts": District}


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.CONFIGURE)
def topic(request: HttpRequest, by: Actor, slug: str = "") -> HttpResponse:
    """A topic's names and explanations by language; without a slug a new one."""
    found = Topic.objects.filter(slug=slug).first() if slug else None
    if slug and found is None:
        raise Http404
    names = dict(found.names) if found else {}
    explanations = dict(found.explanations) if found else {}
    problems = dict[str, str]()
    if request.method == "POST":
        codes = [code for code, _ in settings.LANGUAGES]
        names = {code: request.POST.get(f"names.{code}", "")[:500] for code in codes}
        explanations = {code: request.POST.get(f"explanations.{code}", "")[:1000] for code in codes}
        try:
            acts.save_topic(found, names=names, explanations=explanations, by=by)
        except SettingRefused as refused:
            problems = refused.problems
        else:
            return saved(request, "topic")
    values = {
        "topic": found,
        "names": names,
        "explanations": explanations,
        "known": settings.LANGUAGES,
        "problems": problems,
    }
    return page(request, "console/settings_topic.html", values, status=status_of(problems))


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.CONFIGURE)
def district(request: HttpRequest, by: Actor, slug: str = "") -> HttpResponse:
    """A district's name; without a slug a new one."""
    found = District.objects.filter(slug=slug).first() if slug else None
    if slug and found is None:
        raise Http404
    name, problems = (found.name if found else ""), dict[str, str]()
    if request.method == "POST":
        name = request.POST.get("name", "")[:500]
        try:
            acts.save_district(found, name=name, by=by)
        except SettingRefused as refused:
            problems = refused.problems
        else:
            return saved(request, "district")
    values = {"district": found, "name": name, "problems": problems}
    return page(request, "console/settings_district.html", values, status=status_of(problems))


@require_POST
@staff(Right.CONFIGURE)
def move(request: HttpRequest, by: Actor, which: str) -> HttpResponse:
    """One place up or down: ``move`` is ``up:<slug>`` or ``down:<slug>``. Beyond an end nothing moves."""
    model = LISTS[which]
    way, _, slug = request.POST.get("move", "").partition(":")
    slugs = list(model._default_manager.values_list("slug", flat=True))
    if slug not in slugs or way not in {"up", "down"}:
        return errors.bad_request(request, ValueError())
    at = slugs.index(slug)
    to = at - 1 if way == "up" else at + 1
    if 0 <= to < len(slugs):
        slugs[at], slugs[to] = slugs[to], slugs[at]
        acts.reorder(model, slugs, by=by)
    return saved(request, "order")
