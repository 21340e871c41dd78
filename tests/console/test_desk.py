"""The queue page and the pages of outlets over HTTP: who may look, who may act, what they say, what an act does."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from dispatcher.acts import outlets as acts
from dispatcher.acts.models import AuditEntry
from dispatcher.dispatching import workers
from dispatcher.dispatching.models import Batch, Delivery, Outlet, Worker
from tests.support.standing import SCENES, Some, announcement, batch, dispatch, outlet

pytestmark = pytest.mark.django_db
SignIn = Callable[[str], Client]
ROLES = ("writer", "adviser", "duty-officer", "administrator")
ACTS = ("pause", "resume", "try-again", "settle")
MAY = ("duty-officer", "administrator")


@pytest.fixture(autouse=True)
def no_redis(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


@pytest.fixture
def sign_in() -> SignIn:
    def as_role(role: str) -> Client:
        client = Client(headers={"accept-language": "en", "host": "localhost"})
        assert client.post("/console/sign-in/practice/", {"role": role}).status_code == 303
        return client

    return as_role


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def _read(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return _text(answer.content.decode())


@pytest.mark.parametrize("path", ["queue/", "queue/state/", "outlets/email/", "outlets/email/pause/"])
def test_a_stranger_is_sent_to_the_door(client: Client, path: str) -> None:
    outlet("email", "E-mail", "email")
    answer = client.get(f"/console/{path}")
    assert answer.status_code == 303
    assert "/console/sign-in/" in answer["Location"]


@pytest.mark.parametrize("role", ROLES)
def test_everyone_signed_in_may_look_and_some_may_act(sign_in: SignIn, role: str) -> None:
    outlet("email", "E-mail", "email")
    client = sign_in(role)
    for path in ("queue/", "queue/state/", "outlets/email/", "outlets/email/state/"):
        page = client.get(f"/console/{path}")
        assert page.status_code == 200
        assert ("/console/outlets/email/pause/" in page.content.decode()) == (role in MAY)
    for act in ACTS:
        answer = client.post(f"/console/outlets/email/{act}/", {"how": "accepted"})
        assert answer.status_code == (303 if role in MAY else 403), act
    assert (Outlet.objects.get().paused_at is not None) is False, "resumed after the pause, or never paused"


def test_an_empty_queue_is_good_news_and_says_what_went_last(sign_in: SignIn) -> None:
    client = sign_in("administrator")
    assert "Nothing was sent yet." in _read(client, "/console/queue/")
    SCENES["finished"]()
    page = _read(client, "/console/queue/")
    assert "Nothing waits" in page
    assert "It was accepted 1,102 times." in page


def test_what_waits_runs_goes_later_failed_and_is_not_sure(sign_in: SignIn) -> None:
    SCENES["sending"]()
    Batch.objects.filter(lease_until__isnull=False).update(leased_by="stadhuis:7")
    workers.note("w-mail", ["mail"], {"stadhuis:7": (now(), 56), "stadhuis:8": (now() - timedelta(minutes=1), None)})
    page = _read(sign_in("administrator"), "/console/queue/")
    assert "37 are being sent." in page
    assert re.search(r"w-mail stadhuis:7 \d sec ago E-mail: “Town hall open .*”, package 1, 37 of 1,261 to go", page)
    assert "its work went back to the queue" in page
    assert re.search(r"24 E-mail Failed The address does not exist Sending again does not help", page)
    assert re.search(r"12 E-mail Not sure The connection broke after we sent it", page)
    assert re.search(r"7 E-mail Later The mailbox is full We try again at", page)


def test_why_an_outlet_stands_still(sign_in: SignIn) -> None:
    client = sign_in("administrator")
    SCENES["person"]()
    page = _read(client, "/console/queue/")
    assert "E-mail needs you. It says: “535 5.7.8 authentication failed” Mend it, then let it go on." in page
    Outlet.objects.filter(name="email").update(circuit="closed", needs_person=False)
    SCENES["paused"]()
    page = _read(client, "/console/outlets/email/")
    assert "Reason: De mailserver wordt vervangen By cli:beheer." in page


def test_what_asks_for_somebody(sign_in: SignIn) -> None:
    SCENES["unknown"]()
    Worker.objects.create(name="stadhuis:9", pool="w-fast", at=now() - timedelta(minutes=5))
    page = _read(sign_in("administrator"), "/console/queue/")
    assert "Redis gives no answer." in page
    assert "No worker of w-fast gives a sign of life since" in page
    assert "Of 12 deliveries on E-mail nobody knows whether they arrived." in page
    assert re.search(r"5 things ask for you\.", page), page[:600]


def test_a_text_to_be_posted_by_hand_stands_there_and_is_no_failure(sign_in: SignIn) -> None:
    hand = outlet("facebook", "Facebook", "byhand")
    made = batch(dispatch(announcement()), hand, [Some(1, "due", "by-hand", due_in=86_400)])
    Delivery.objects.filter(batch=made).update(attempts=1)
    page = _read(sign_in("writer"), "/console/queue/")
    assert "1 text waits for somebody to post it by hand." in page
    assert re.search(r"To post by hand .* Facebook Announcement Gemeentehuis alleen open op afspraak", page)
    assert "by reason" not in page


def test_pausing_asks_first_says_how_many_and_is_harmless_twice(sign_in: SignIn) -> None:
    SCENES["sending"]()
    Batch.objects.filter(lease_until__isnull=False).update(lease_until=None, handed=0)
    client = sign_in("administrator")
    assert "37 people would wait now" in _read(client, "/console/outlets/email/pause/")
    assert Outlet.objects.get(name="email").paused_at is None, "looking does nothing"
    for _ in range(2):
        answer = client.post("/console/outlets/email/pause/", {"reason": "The relay is being replaced"})
        assert (answer.status_code, answer["Location"]) == (303, "/console/outlets/email/?done=pause")
    assert AuditEntry.objects.filter(act="pause").count() == 1
    page = _read(client, answer["Location"])
    assert "It is paused. Nothing is lost" in page
    assert "Reason: The relay is being replaced" in page
    assert "Administrator" in page
    client.post("/console/outlets/email/resume/")
    assert Outlet.objects.get(name="email").paused_at is None


def test_trying_again_reaches_what_failed_for_that_reason_only(sign_in: SignIn) -> None:
    mail = outlet("email", "E-mail", "email")
    made = dispatch(announcement())
    batch(made, mail, [Some(3, "rejected", "policy"), Some(2, "rejected", "too-large"), Some(4, "accepted")])
    client = sign_in("administrator")
    assert "3 people will be tried again." in _read(client, "/console/outlets/email/try-again/?reason=policy")
    assert client.get("/console/outlets/email/try-again/?reason=storage").status_code == 404
    for _ in range(2):
        assert client.post("/console/outlets/email/try-again/", {"reason": "policy"}).status_code == 303
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["accepted"] * 4 + ["due"] * 3 + ["rejected"] * 2


@pytest.mark.parametrize(("how", "state"), [("accepted", "accepted"), ("give-up", "rejected"), ("resend", "unknown")])
def test_doubt_is_settled_by_what_somebody_found(sign_in: SignIn, how: str, state: str) -> None:
    SCENES["unknown"]()
    client = sign_in("administrator")
    assert "It is about 12 people." in _read(client, "/console/outlets/email/settle/")
    assert client.post("/console/outlets/email/settle/", {"how": "perhaps"}).status_code == 422
    assert client.post("/console/outlets/email/settle/", {"how": how}).status_code == 303
    doubtful = Delivery.objects.filter(outlet__name="email", address__isnull=False).exclude(reason="")
    assert set(doubtful.values_list("state", flat=True)) == {state}
    assert all(each.due_at is not None for each in doubtful) == (how == "resend")


@pytest.mark.parametrize("path", ["outlets/nothing/", "outlets/nothing/pause/", "outlets/nothing/settle/"])
def test_there_is_no_page_of_an_outlet_that_is_not_there(sign_in: SignIn, path: str) -> None:
    assert sign_in("administrator").get(f"/console/{path}").status_code == 404


def test_the_page_costs_the_same_whatever_the_number_of_deliveries(sign_in: SignIn) -> None:
    client, mail = sign_in("administrator"), outlet("email", "E-mail", "email")
    made = dispatch(announcement())
    batch(made, mail, [Some(3, "due", due_in=0)])
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/console/queue/state/")
    for _ in range(40):
        batch(made, mail, [Some(3, "due", due_in=0)])
    with CaptureQueriesContext(connection) as few:
        client.get("/console/queue/state/")
    for _ in range(40):
        batch(made, mail, [Some(3, "due", due_in=0)])
    with CaptureQueriesContext(connection) as many:
        client.get("/console/queue/state/")
    ledger = [query["sql"] for query in many if "dispatching_" in query["sql"]]
    assert len(ledger) == len([query for query in few if "dispatching_" in query["sql"]])
    deliveries = [sql for sql in ledger if 'FROM "dispatching_delivery"' in sql]
    assert all("moved_at" in sql or "byhand" in sql for sql in deliveries), "only where something went wrong"


def test_pausing_by_an_outlet_that_the_command_line_paused_keeps_its_reason(sign_in: SignIn) -> None:
    mail = outlet("email", "E-mail", "email")
    acts.pause(mail, by="cli:beheer", reason="First")
    sign_in("administrator").post("/console/outlets/email/pause/", {"reason": "Second"})
    assert Outlet.objects.get().pause_reason == "First"
