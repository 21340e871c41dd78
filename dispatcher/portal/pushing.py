"""Push messages on the reader's device: what its pages need, the app's manifest, the service worker."""

from __future__ import annotations

import json
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import get_script_prefix, reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from channels.kit.push_address import PushAddress, PushAddressInvalid
from dispatcher.acts.subscribe import renew_device
from dispatcher.audience.limits import TooMany
from dispatcher.dispatching import push
from dispatcher.portal.asking import source
from dispatcher.town.reading import town
from dispatcher.web import languages
from dispatcher.web.rendering import ICON

BUILT = settings.ROOT / "dispatcher" / "assets" / "built"
# As assets/build.py names what it builds.
PAGE_SCRIPT, WORKER = "push-1.js", "push-worker.js"
_ICONS = (("icon-192.png", "192x192"), ("icon-512.png", "512x512"))


def for_page() -> dict[str, str] | None:
    """What a page needs to offer push on this device; ``None`` where no outlet serves it, and the page is silent.

    ``practice`` is the address of the practice town's push service, which then stands in for the browser's own.
    """
    key = push.public_key()
    if key is None:
        return None
    site = get_script_prefix()
    return {
        "key": key,
        "script": f"{site}assets/{PAGE_SCRIPT}",
        "icon": f"{site}assets/{_ICONS[0][0]}",
        "worker": reverse("push-worker"),
        "scope": site,
        "practice": f"{_practice()}/subscriptions" if _practice() else "",
    }


def phone(device: PushAddress | None) -> str:
    """The page of the drawn phone that ``device`` is in the practice town; empty elsewhere."""
    if device is None or not _practice() or device.origin != _practice():
        return ""
    return f"{_practice()}/phone/{device.endpoint.rpartition('/')[2]}"


def allowed(response: HttpResponse) -> HttpResponse:
    """Lets the page's script reach the practice push service, and nothing else that it could not reach before."""
    if _practice():
        response._csp_update = {"connect-src": [_practice()]}  # type: ignore[attr-defined] # what django-csp reads
    return response


def _practice() -> str:
    return f"http://{settings.PRACTICE_PUSH}" if settings.PRACTICE_PUSH else ""


@require_http_methods(["GET", "HEAD"])
def manifest(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """``/manifest.webmanifest``: lets a reader put the announcements on their home screen as an app."""
    site, language = get_script_prefix(), languages.spoken()
    icons = [
        {"src": f"{site}assets/{name}", "sizes": sizes, "type": "image/png", "purpose": purpose}
        for name, sizes in _ICONS
        for purpose in ("any", "maskable")
    ]
    name = town().name_in(language)
    values = {
        "name": {"nl": f"Berichten van {name}", "en": f"Announcements of {name}"}.get(language, name),
        "short_name": {"nl": "Berichten", "en": "Announcements"}.get(language, name),
        "lang": language,
        "id": site,
        "start_url": f"{site}{language}/",
        "scope": site,
        "display": "standalone",
        "background_color": "#f4f6f8",
        "theme_color": "#14233a",
        "icons": [{"src": f"{site}assets/{ICON}", "sizes": "any", "type": "image/svg+xml"}, *icons],
    }
    response = JsonResponse(values, content_type="application/manifest+json")
    response["Cache-Control"] = "public, max-age=3600"
    return response


@require_http_methods(["GET", "HEAD"])
def worker(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - a view
    """``/push-worker.js``: at the root, as a service worker reaches no higher than where it lies."""
    response = HttpResponse((BUILT / WORKER).read_bytes(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


# A service worker has no page and so no form token. What it sends is JSON, which no page of another site can send
# here, and the secret of the subscription that is replaced.
@csrf_exempt
@require_http_methods(["POST"])
def renew(request: HttpRequest) -> HttpResponse:
    """``/push/renew``: a browser replaced its subscription. Takes ``{"old": …, "new": …}``, two subscriptions.

    204 where the device goes on hearing, 404 where the old one is not known, 422 where one of them is wrong.
    """
    if request.content_type != "application/json":
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    try:
        body = json.loads(request.body)
        old, new = json.dumps(body["old"]), json.dumps(body["new"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    try:
        known = renew_device(push.read(old), push.read(new), source(request))
    except PushAddressInvalid:
        return HttpResponse(status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except TooMany as error:
        return HttpResponse(status=HTTPStatus.TOO_MANY_REQUESTS, headers={"Retry-After": str(error.wait)})
    return HttpResponse(status=HTTPStatus.NO_CONTENT if known else HTTPStatus.NOT_FOUND)
