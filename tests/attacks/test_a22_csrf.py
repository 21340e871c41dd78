"""A22, forged requests: every address that changes something is found in the URL map, so no new one is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose, make
from dispatcher.dispatching.models import Dispatch
from dispatcher.staff.roles import Role
from tests.support.logged import log_events
from tests.support.residents import every_row, resident
from tests.support.routes import address, routes
from tests.support.signed_in import client_of
from tests.support.standing import SCENES

pytestmark = pytest.mark.django_db

# The addresses that take more than a form of ours: mail programs post to the one (RFC 8058), and its token is the
# proof; a service worker sends JSON to the other, with the secret of the subscription that it replaces.
OPEN = {"leave", "push-renew"}


ROUTES = routes()
FORGED: dict[str, dict[str, Any]] = {
    "no token": {},
    "a made-up token": {"data": {"csrfmiddlewaretoken": "x" * 64}},
    "from another site": {"headers": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}},
    "from a frame without origin": {"headers": {"Origin": "null", "Sec-Fetch-Site": "cross-site"}},
    "without origin, old browser": {"headers": {"Origin": "null"}},
    "JSON as text": {"data": '{"leave": "yes"}', "content_type": "text/plain"},
}


@pytest.fixture
def there() -> tuple[Dispatch, Address]:
    return SCENES["grace"](), resident("pending")


def test_a22_the_map_has_the_routes_that_we_think_of() -> None:
    names = {route.name for route in ROUTES}
    assert {
        "leave",
        "leave-undo",
        "confirm",
        "preferences",
        "health",
        "announcements",
        "follow",
        "follow-stop",
    } <= names


@pytest.mark.parametrize("forged", FORGED)
def test_a22_no_forged_form_changes_anything(there: tuple[Dispatch, Address], forged: str) -> None:
    refused = []
    signed_in = client_of(*Role)  # a victim who may do everything
    for route in ROUTES:
        path = address(route, *there)
        before = every_row()
        for method in ("post", "put", "patch", "delete"):
            client = Client(enforce_csrf_checks=True)
            client.cookies.update(signed_in.cookies)
            if method == "post":
                client.get(path)  # who has the cookie of our forms
            with log_events() as lines:
                answer = getattr(client, method)(path, **FORGED[forged])
            if route.name in OPEN and method == "post":
                assert answer.status_code == 400, "open to any sender, but not to any body"
                continue
            assert answer.status_code in {403, 405}, f"{method} {route.pattern}: {answer.status_code}"
            if answer.status_code == 403:
                refused.append(route.name)
                told = next(line for line in lines if line["event"] == "csrf.refused")
                assert told["route"] == str(route.pattern) or told["route"].endswith(str(route.pattern))
        assert every_row() == before, path
    assert set(refused) >= {
        "leave-undo",
        "confirm",
        "preferences",
        "follow-stop",
        "sign-in",
        "sign-in-practice",
        "sign-out",
        "write",
        "write-preview",
        "edit",
        "hand-in",
        "approve",
        "return",
        "correct",
        "withdraw",
    }


def test_a22_nothing_changes_by_get(there: tuple[Dispatch, Address]) -> None:
    signed_in = client_of(*Role)
    before = every_row()
    for route in ROUTES:
        answer = signed_in.get(address(route, *there))
        # 409: what cannot be done with it now, such as a correction of what has not gone out.
        assert answer.status_code in {200, 405, 409}, route.pattern
    assert every_row() == before


def test_a22_only_the_open_routes_are_exempt() -> None:
    exempt = {route.name for route in ROUTES if getattr(route.callback, "csrf_exempt", False)}
    assert exempt == OPEN


def test_a22_the_form_cookie_is_kept_from_scripts_and_other_sites(
    client: Client, there: tuple[Dispatch, Address]
) -> None:
    client.get(f"/console/follow/{there[0].key}/")
    cookie = client.cookies["form"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a22_our_own_form_passes_though_its_page_hides_where_it_is(there: tuple[Dispatch, Address]) -> None:
    client = Client(enforce_csrf_checks=True)
    path = f"/confirm/{make(Purpose.CONFIRM, there[1].public_id, 0)}"
    client.get(path)
    answer = client.post(
        path,
        {"csrfmiddlewaretoken": client.cookies["form"].value},
        headers={"Origin": "null", "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 200
