"""The door: who gets in, who does not, and what either learns from it."""

from __future__ import annotations

import time
from http.cookies import Morsel

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from dispatcher.acts.models import AuditEntry
from dispatcher.acts.sign_in import sign_in_for_practice
from dispatcher.console import signed_in, urls
from dispatcher.staff import door
from dispatcher.staff.models import Employee, RefusedSignIn
from dispatcher.staff.roles import Role
from tests.console.test_follow import text_of
from tests.support.signed_in import PASSWORD, client_of, employee, enter

pytestmark = pytest.mark.django_db
URL = "/console/sign-in/"


def _try(client: Client, email: str, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    answer = client.post(f"{URL}?lang=en", {"email": email, "password": password, **more})
    return answer.status_code, answer.content.decode()


def _cookie(client: Client) -> Morsel[str]:
    found: Morsel[str] = client.cookies["session"]
    return found


def test_in_with_address_and_password_and_back_to_where_one_wanted_to_be(client: Client) -> None:
    person = employee(Role.WRITER, email="Anna@practice.invalid", password=PASSWORD)
    asked = client.get("/console/?lang=en")
    assert asked.status_code == 303
    assert asked["Location"] == "/console/sign-in/?lang=en&next=%2Fconsole%2F%3Flang%3Den"
    page = client.get(asked["Location"]).content.decode()
    assert 'name="next" value="/console/?lang=en"' in page
    answer = client.post(URL, {"email": " anna@PRACTICE.invalid ", "password": PASSWORD, "next": "/console/?lang=en"})
    assert answer["Location"] == "/console/?lang=en"
    assert "Writer" in client.get("/console/?lang=en").content.decode()
    assert AuditEntry.objects.get(act="sign in").actor == person.actor.name


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "/leave/x", "console"]
)
def test_nobody_is_led_elsewhere_after_signing_in(client: Client, elsewhere: str) -> None:
    employee(Role.WRITER, email="a@practice.invalid", password=PASSWORD)
    answer = client.post(URL, {"email": "a@practice.invalid", "password": PASSWORD, "next": elsewhere})
    assert answer["Location"] == "/console/"


def test_an_unknown_account_gets_the_very_answer_of_a_wrong_password(client: Client) -> None:
    employee(Role.WRITER, email="a@practice.invalid", password=PASSWORD)
    gone = employee(Role.WRITER, email="b@practice.invalid", password=PASSWORD)
    Employee.objects.filter(pk=gone.pk).update(is_active=False)
    answers = set()
    for email, password in (
        ("a@practice.invalid", "wrong"),
        ("b@practice.invalid", PASSWORD),
        ("c@practice.invalid", "wrong"),
        ("not an address", ""),
    ):
        status, page = _try(Client(), email, password)
        answers.add((status, page.split('<form class="stack"')[0].split("csrfmiddlewaretoken")[0], email in page))
    assert len(answers) == 1
    assert "This e-mail address and password do not belong together." in page


def test_guessing_one_account_is_stopped_and_tells_nothing() -> None:
    employee(Role.WRITER, email="a@practice.invalid", password=PASSWORD)
    for email in ("a@practice.invalid", "nobody@practice.invalid"):
        for _ in range(door.MOST_BY_ACCOUNT):
            door.count(email, "203.0.113.0/24")
    known, unknown = (_try(Client(), email) for email in ("a@practice.invalid", "nobody@practice.invalid"))
    assert known[0] == unknown[0] == 429
    assert "too many wrong tries" in known[1]
    assert not RefusedSignIn.objects.filter(door__contains="a@practice").exists(), "what is typed is not kept"


def test_guessing_many_accounts_from_one_network_is_stopped(client: Client) -> None:
    employee(Role.WRITER, email="a@practice.invalid", password=PASSWORD)
    for number in range(door.MOST_BY_NETWORK):
        door.count(f"{number}@practice.invalid", "127.0.0.0/24")
    assert _try(client, "a@practice.invalid")[0] == 429
    away = client.post(URL, {"email": "a@practice.invalid", "password": PASSWORD}, REMOTE_ADDR="198.51.100.7")
    assert away.status_code == 303, "others are not kept out"


def test_a_session_has_a_new_id_and_a_cookie_that_scripts_cannot_read(client: Client) -> None:
    session = client.session
    session["before"] = "x"
    session.save()
    planted = session.session_key
    client.cookies["session"] = str(planted)
    client.post("/console/sign-in/practice/", {"role": "writer"})
    cookie = _cookie(client)
    assert cookie.value != planted
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["max-age"], "it goes with the browser"


@pytest.mark.parametrize(("began", "seen", "inside"), [(-60, -60, True), (-3600, -1900, False), (-44_000, -10, False)])
def test_a_session_ends_when_idle_and_after_a_long_day(client: Client, began: int, seen: int, inside: bool) -> None:
    enter(client, employee(Role.WRITER))
    session = client.session
    session[signed_in.BEGAN], session[signed_in.SEEN] = int(time.time()) + began, int(time.time()) + seen
    session.save()
    assert (client.get("/console/").status_code == 200) is inside


def test_a_sign_of_life_keeps_a_session(client: Client) -> None:
    enter(client, employee(Role.WRITER))
    session = client.session
    session[signed_in.SEEN] = int(time.time()) - 1000
    session.save()
    client.get("/console/")
    assert client.session[signed_in.SEEN] > time.time() - 10


def test_out_is_out(client: Client) -> None:
    enter(client, employee(Role.WRITER))
    old = _cookie(client).value
    answer = client.post("/console/sign-out/", {})
    assert "U bent uitgelogd." in client.get(answer["Location"]).content.decode()
    client.cookies["session"] = old
    assert client.get("/console/").status_code == 303, "the old cookie opens nothing"
    assert client.post("/console/sign-out/", {}).status_code == 303, "pressed twice"


def test_roles_and_ended_accounts_count_at_once(client: Client) -> None:
    person = employee(Role.WRITER)
    enter(client, person)
    assert client.get("/console/").status_code == 200
    Employee.objects.filter(pk=person.pk).update(is_active=False)
    assert client.get("/console/").status_code == 303


def test_a_form_after_the_session_is_not_done_and_says_so() -> None:
    client = Client()
    answer = client.get("/console/sign-out/")
    assert answer.status_code == 405


@pytest.mark.parametrize("role", Role)
def test_in_the_practice_town_one_click_is_a_role(client: Client, role: Role) -> None:
    page = client.get(URL).content.decode()
    assert f'name="role" value="{role}"' in page
    assert client.post("/console/sign-in/practice/", {"role": str(role)})["Location"] == "/console/"
    assert Employee.objects.get().roles == [str(role)]
    assert client.post("/console/sign-in/practice/", {"role": "king"}).status_code == 400


def test_outside_the_practice_town_there_is_no_way_in_by_click(client: Client, settings: Settings) -> None:
    names = {route.name for route in urls.routes(practice=False)}
    assert "sign-in-practice" not in names
    assert names == {route.name for route in urls.routes(practice=True)} - {"sign-in-practice"}
    settings.PRACTICE = False
    page = client.get(URL).content.decode()
    assert 'name="role"' not in page
    assert 'name="password"' in page
    with pytest.raises(RuntimeError, match="only the practice town"):
        sign_in_for_practice(Role.WRITER)


def test_no_cookie_no_session_is_looked_up(client: Client, django_assert_num_queries: object) -> None:
    client.get(URL)
    assert "session" not in client.cookies, "looking at the door begins nothing"


def test_without_a_role_nothing_is_shown() -> None:
    answer = client_of().get("/console/?lang=en")
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "Your role does not do this. Ask: administrator, adviser, duty officer or writer." in text_of(page)
    refused = AuditEntry.objects.get(act="refused")
    assert refused.details == {"right": "read", "why": "NotAllowed"}
