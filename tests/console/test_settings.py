"""The settings pages over HTTP: for administrators; what is wrong stands at its field, what is right counts at once."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from dispatcher.acts.configure import stored
from dispatcher.acts.models import AuditEntry
from dispatcher.audience.models import District, Topic
from dispatcher.dispatching.bulletin import sender
from dispatcher.dispatching.models import Outlet
from dispatcher.town import reading
from dispatcher.town.models import Town

pytestmark = pytest.mark.django_db
PATHS = (
    "settings/", "settings/town/", "settings/address/", "settings/topics/", "settings/districts/", "settings/outlets/",
    "settings/new-outlet/email/",
)  # fmt: skip
MAIL = {
    "name": "email", "label": "E-mail", "enabled": "1", "settings.host": "smtp.losser.nl", "settings.security": "tls",
    "settings.sender": "berichten@losser.nl", "settings.username": "u", "settings.password": "heel-geheim",
}  # fmt: skip


@pytest.fixture(autouse=True)
def away(settings: Settings, tmp_path: Path) -> None:
    """Neither the data folder of the machine nor what an earlier test read of the town."""
    settings.DATA = tmp_path
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.EGRESS_EXCEPTIONS = [("localhost", 8700)]  # as the supervisor of a practice town says
    reading.forget()


def _as(role: str) -> Client:
    client = Client(headers={"accept-language": "en", "host": "localhost"})
    assert client.post("/console/sign-in/practice/", {"role": role}).status_code == 303
    return client


@pytest.fixture
def administrator() -> Client:
    return _as("administrator")


@pytest.mark.parametrize("role", ["writer", "adviser", "duty-officer"])
def test_others_are_refused(role: str) -> None:
    client = _as(role)
    for path in PATHS:
        assert client.get(f"/console/{path}").status_code == 403, path
    assert client.post("/console/settings/new-outlet/email/", MAIL).status_code == 403
    assert not Outlet.objects.exists()


def test_names_and_languages_count_at_once_and_the_website_follows(administrator: Client) -> None:
    administrator.post("/console/settings/new-outlet/website/", {"name": "website", "label": "Website", "enabled": "1"})
    typed = {"languages": ["nl"], "names.nl": "Gemeente Anders", "names.en": ""}
    assert administrator.post("/console/settings/town/", typed).status_code == 303
    assert sender().name == {"nl": "Gemeente Anders"}
    assert stored(Outlet.objects.get())["languages"] == ["nl"]
    assert "Gemeente Anders" in administrator.get("/console/settings/").content.decode()
    answer = administrator.post("/console/settings/town/", {"languages": ["nl", "en"], "names.nl": " "})
    assert answer.status_code == 422
    assert 'id="e-names.nl"' in answer.content.decode()
    assert 'id="e-names.en"' in answer.content.decode()
    assert Town.objects.get().names == {"nl": "Gemeente Anders"}


def test_another_process_sees_a_change_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reading.town().languages == ("nl", "en")
    Town.objects.create(pk=Town.ONE, names={"nl": "Gemeente Anders"}, languages=["nl"])  # as another process would
    moment = time.monotonic()
    monkeypatch.setattr("dispatcher.town.reading.time.monotonic", lambda: moment + reading.KEPT_SECONDS + 0.1)
    assert reading.town().names == {"nl": "Gemeente Anders"}


def test_topics_and_districts_are_added_renamed_and_moved(administrator: Client) -> None:
    for names in (("Wegwerk", "Road works"), ("Feesten", "Events")):
        said = {"names.nl": names[0], "names.en": names[1], "explanations.nl": "Wat er is."}
        assert administrator.post("/console/settings/topics/", said).status_code == 303
    administrator.post("/console/settings/topics/wegwerk/", {"names.nl": "Werk aan de weg", "names.en": "Road works"})
    administrator.post("/console/settings/order/topics/", {"move": "up:feesten"})
    assert [(t.slug, t.names["nl"]) for t in Topic.objects.all()] == [
        ("feesten", "Feesten"), ("wegwerk", "Werk aan de weg"),
    ]  # fmt: skip
    assert administrator.post("/console/settings/order/topics/", {"move": "sideways:feesten"}).status_code == 400
    assert administrator.post("/console/settings/topics/", {"names.nl": "Alleen"}).status_code == 422
    administrator.post("/console/settings/districts/", {"name": "De Lutte"})
    administrator.post("/console/settings/districts/de-lutte/", {"name": "De Lutte e.o."})
    assert District.objects.get().name == "De Lutte e.o."
    assert administrator.post("/console/settings/districts/", {"name": " "}).status_code == 422


def test_all_problems_of_an_outlet_stand_at_their_fields_and_what_was_typed_stays(administrator: Client) -> None:
    wrong = {"name": "E Mail", "settings.host": "a b", "settings.port": "99999", "settings.sender": "x", "rate": "fast"}
    answer = administrator.post("/console/settings/new-outlet/email/", wrong)
    page = answer.content.decode()
    assert answer.status_code == 422
    for field in ("name", "label", "rate", "settings.host", "settings.port", "settings.sender"):
        assert f'id="e-{field}"' in page, field
        assert f'href="#f-{field}"' in page, field
    assert 'value="99999"' in page
    assert not Outlet.objects.exists()


def test_a_secret_is_written_never_shown_and_kept_when_left_empty(administrator: Client) -> None:
    assert administrator.post("/console/settings/new-outlet/email/", MAIL).status_code == 303
    mail = Outlet.objects.get()
    assert "heel-geheim" not in mail.settings
    page = administrator.get("/console/settings/outlets/email/").content.decode()
    assert "heel-geheim" not in page
    assert "There is one. It is not shown." in page
    changed = {**MAIL, "settings.host": "smtp2.losser.nl", "settings.password": "", "label": "Mail"}
    assert administrator.post("/console/settings/outlets/email/", changed).status_code == 303
    mail.refresh_from_db()
    assert (stored(mail)["host"], stored(mail)["password"], mail.label) == ("smtp2.losser.nl", "heel-geheim", "Mail")
    administrator.post("/console/settings/outlets/email/", {**changed, "enabled": ""})
    mail.refresh_from_db()
    assert not mail.enabled
    assert "heel-geheim" not in json.dumps(list(AuditEntry.objects.values_list("details", flat=True)))


def test_the_address_is_written_to_the_installation_and_counts_after_a_restart(
    administrator: Client, tmp_path: Path
) -> None:
    administrator.post("/console/settings/new-outlet/website/", {"name": "website", "label": "Website", "enabled": "1"})
    said = {"base_url": "https://nieuws.losser.nl/", "trusted_proxies": "10.0.0.0/8", "egress": ""}
    assert administrator.post("/console/settings/address/", said).status_code == 303
    written = json.loads((tmp_path / "installation.json").read_text())
    assert (written["base_url"], written["practice"]) == ("https://nieuws.losser.nl", True)
    assert stored(Outlet.objects.get())["base_url"] == "https://nieuws.losser.nl"
    assert (
        "From then on the site is found at https://nieuws.losser.nl."
        in administrator.get("/console/settings/").content.decode()
    )
    wrong = {"base_url": "nieuws", "trusted_proxies": "everything", "egress": "relay"}
    page = administrator.post("/console/settings/address/", wrong)
    assert page.status_code == 422
    assert all(f'id="e-{field}"' in page.content.decode() for field in wrong)


def test_what_is_missing_is_said_for_production(administrator: Client, settings: Settings) -> None:
    settings.PRACTICE = False
    page = administrator.get("/console/settings/").content.decode()
    for what in (
        "without TLS", "this machine&#39;s own", "There is no website", "There is no outlet for subscribers",
        "The municipality has no name yet", "There are no topics", "practice town&#39;s (1 employees)",
    ):  # fmt: skip
        assert what in page, what
