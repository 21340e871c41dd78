"""The pages of one announcement through HTTP: what may be done, by whom, and what is never lost."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from dispatcher.acts.approve import approve
from dispatcher.acts.models import AuditEntry
from dispatcher.acts.preview import preview
from dispatcher.acts.submit import submit
from dispatcher.announcements.models import Announcement, Revision, State
from dispatcher.dispatching.models import Dispatch
from dispatcher.staff.roles import Role
from tests.support.residents import every_row
from tests.support.scene import Scene, source
from tests.support.signed_in import client_of, employee, enter
from tests.support.standing import SCENES

pytestmark = pytest.mark.django_db

WHOLE = {
    "kind": "news",
    "audience": ["resident", "colleague"],
    "nl.title": "Hoofdstraat dicht",
    "nl.summary": "Vanaf maandag 16 maart is de Hoofdstraat dicht.",
    "nl.body": "Fietsers kunnen **wel** erlangs.",
    "nl.links.1.label": "De omleiding",
    "nl.links.1.url": "https://losser.example/omleiding",
    "en.title": "Hoofdstraat closed",
    "en.summary": "From Monday 16 March the Hoofdstraat is closed.",
    "en.body": "Cyclists can pass.",
    "expires": "2035-03-20T17:00",
    "stages.public": "15",
}


@pytest.fixture
def writer() -> Client:
    return client_of(Role.WRITER)


@pytest.fixture
def adviser() -> Client:
    return client_of(Role.ADVISER)


def _address(announcement: Announcement, rest: str = "") -> str:
    return f"/console/announcements/{announcement.public_id}/{rest}"


def _typed(page: str) -> dict[str, list[str]]:
    """What stands in the fields of a page, as a browser would send it."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and not (re.search(r'type="(radio|checkbox)"', tag) and " checked" not in tag):
            found.setdefault(name[1], []).append(value[1] if value else "")
    for name, text in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?([^<]*)</textarea>', page):
        found[name] = [text]
    return found


@pytest.mark.parametrize("press", ["save", "submit"])
def test_what_is_stored_is_what_was_typed_and_the_form_shows_it_again(writer: Client, press: str) -> None:
    answer = writer.post("/console/write/", {**WHOLE, "press": press})
    assert answer.status_code == 303
    announcement = Announcement.objects.get()
    assert announcement.state == (State.DRAFT if press == "save" else State.IN_REVIEW)
    assert announcement.stages == {"public": 900.0}
    assert announcement.expires_at is not None
    assert announcement.expires_at.isoformat() == "2035-03-20T16:00:00+00:00", "the town's own time"
    again = _typed(writer.get(_address(announcement, "edit/")).content.decode())
    for name, value in WHOLE.items():
        assert again[name] == (value if isinstance(value, list) else [value]), name


def test_all_that_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(writer: Client) -> None:
    wrong = {
        **WHOLE,
        "nl.title": "x" * 201,
        "nl.summary": "",
        "nl.body": "![plaat](https://losser.example/plaat.png)",
        "nl.links.1.url": "geen adres",
        "en.image.url": "https://losser.example/plaat.png",
        "audience": [],
        "publish": "morgen",
        "expires": "2020-01-01T10:00",
        "stages.public": "1.5",
    }
    answer = writer.post("/console/write/?lang=en", {**wrong, "press": "submit"})
    page = answer.content.decode()
    assert answer.status_code == 422
    told = re.findall(r'<li><a href="#([^"]+)">([^<]+)</a></li>', page)
    assert [field for field, _ in told] == [
        "nl.title", "nl.summary", "nl.body", "nl.links.1.url", "en.image.alt",
        "audience", "publish", "expires", "stages.public",
    ]  # fmt: skip
    assert dict(told)["nl.title"] == "Title (Dutch): 1 character too long; shorten it"
    assert all(f'id="{field}"' in page and f'id="{field}-problem"' in page for field, _ in told)
    again = _typed(page)
    assert {name: again.get(name, []) for name in wrong} == {
        name: value if isinstance(value, list) else [value] for name, value in wrong.items()
    }
    assert not Announcement.objects.exists()


def test_a_draft_needs_a_title_and_nothing_else(writer: Client) -> None:
    assert writer.post("/console/write/", {"kind": "news", "press": "save"}).status_code == 422
    assert writer.post("/console/write/", {"kind": "news", "nl.title": "Later", "press": "save"}).status_code == 303
    announcement = Announcement.objects.get()
    answer = writer.post(_address(announcement, "hand-in/"), {"revision": "1"})
    assert answer.status_code == 422
    assert "is niet af" in answer.content.decode()
    announcement.refresh_from_db()
    assert announcement.state == State.DRAFT


def test_pressed_twice_it_is_one_announcement(writer: Client) -> None:
    once = {**WHOLE, "request_key": "a" * 32, "press": "submit"}
    first, second = (writer.post("/console/write/", once)["Location"] for _ in range(2))
    assert first == second
    assert writer.post("/console/write/", {**once, "nl.title": "Anders"}).status_code == 409
    assert Announcement.objects.count() == Revision.objects.count() == 1


def test_a26_what_the_form_does_not_have_changes_nothing(writer: Client) -> None:
    writer.post(
        "/console/write/",
        {**WHOLE, "state": "approved", "created_by": "x", "roles": "adviser", "slug": "mine", "press": "save"},
    )
    announcement = Announcement.objects.get()
    assert (announcement.state, announcement.slug) == (State.DRAFT, "hoofdstraat-dicht")
    assert announcement.created_by.startswith("staff:")


def test_who_began_with_an_older_version_is_told_and_overwrites_nothing(writer: Client) -> None:
    announcement, _ = submit(source(), by="someone else")
    assert (
        writer.post(_address(announcement, "edit/"), {**WHOLE, "revision": "1", "press": "submit"}).status_code == 303
    )
    late = client_of(Role.WRITER).post(
        _address(announcement, "edit/?lang=en"), {**WHOLE, "nl.title": "Te laat", "revision": "1", "press": "submit"}
    )
    assert late.status_code == 409
    page = late.content.decode()
    assert "Somebody else saved version 2" in page
    assert _typed(page)["nl.title"] == ["Te laat"]
    assert _typed(page)["revision"] == ["2"]
    assert announcement.revisions.count() == 2


def test_a_change_in_review_is_the_version_to_approve(writer: Client, adviser: Client) -> None:
    announcement, _ = submit(source(), by="someone else")
    writer.post(_address(announcement, "edit/"), {**WHOLE, "revision": "1", "press": "submit"})
    answer = adviser.post(_address(announcement, "approve/"), {"revision": "1"})
    assert answer.status_code == 409
    assert "intussen een versie 2" in answer.content.decode()
    assert not Dispatch.objects.exists()
    assert "/follow/" in adviser.post(_address(announcement, "approve/"), {"revision": "2"})["Location"]
    late = writer.post(_address(announcement, "edit/"), {**WHOLE, "revision": "2", "press": "submit"})
    assert late.status_code == 409
    assert announcement.revisions.count() == 2


def test_a26_who_wrote_it_sees_why_there_is_no_button_and_cannot_press_it() -> None:
    person = employee(Role.WRITER, Role.ADVISER)
    client = enter(Client(), person)
    client.post("/console/write/", {**WHOLE, "press": "submit"})
    announcement = Announcement.objects.get()
    page = client.get(_address(announcement, "?lang=en")).content.decode()
    assert "Someone else must approve it" in page
    assert "/approve/" not in page
    answer = client.post(_address(announcement, "approve/?lang=en"), {"revision": "1"})
    assert answer.status_code == 403
    assert "Someone else must approve it: adviser" in answer.content.decode()
    assert not Dispatch.objects.exists()


@pytest.mark.parametrize(
    ("role", "rest"),
    [
        (Role.WRITER, "approve/"),
        (Role.WRITER, "return/"),
        (Role.WRITER, "correct/"),
        (Role.WRITER, "withdraw/"),
        (Role.ADMINISTRATOR, "edit/"),
        (Role.ADMINISTRATOR, "hand-in/"),
        (Role.ADMINISTRATOR, "approve/"),
    ],
)
def test_a26_another_role_is_told_who_may(role: Role, rest: str) -> None:
    announcement, _ = submit(source(), by="someone else")
    client = client_of(role)
    before = every_row()
    answer = client.post(_address(announcement, rest), {**WHOLE, "revision": "1", "press": "submit", "reason": "x"})
    assert answer.status_code == 403
    after = every_row()
    assert AuditEntry.objects.filter(act="refused").exists()
    for rows in (before, after):
        rows.pop("acts.AuditEntry")
    assert after == before


def test_a_reviewer_sees_every_copy_of_what_is_to_be_approved(scene: Scene, adviser: Client) -> None:
    scene.website()
    scene.email()
    announcement, _ = submit(source(), by="someone else")
    page = adviser.get(_address(announcement, "?lang=en")).content.decode()
    assert page.count('class="draw draw--') == 4
    adviser.post(_address(announcement, "approve/"), {"revision": "1"})
    assert 'class="draw ' not in adviser.get(_address(announcement)).content.decode()


def test_given_back_with_a_reason_it_is_a_draft_again(adviser: Client) -> None:
    announcement, _ = submit(source(), by="someone else")
    assert adviser.post(_address(announcement, "return/"), {"reason": " "}).status_code == 422
    answer = adviser.post(_address(announcement, "return/"), {"reason": "De datum klopt niet."})
    page = adviser.get(answer["Location"]).content.decode()
    assert "De datum klopt niet." in page
    announcement.refresh_from_db()
    assert announcement.state == State.DRAFT


def test_the_preview_stores_nothing_and_is_the_very_copy(scene: Scene, writer: Client) -> None:
    scene.website()
    scene.email()
    scene.people(3)
    before = every_row()
    answer = writer.post("/console/write/preview/?lang=en", WHOLE)
    assert every_row() == before
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count("Hoofdstraat closed") >= 2
    assert "3 addresses" in page
    announcement, _ = submit(source(), by="x")
    shown = {(each.outlet, each.language): each.text for each in preview(source())}
    dispatch = scene.plan(approve(announcement, by="y", grace=0))
    for copy in dispatch.copies.select_related("outlet"):
        if copy.act == "announce" and not copy.early:
            assert shown[copy.outlet.name, copy.language].replace("-2/", "/") in copy.content.replace("\\n", "\n")


def test_a_preview_of_half_a_text_says_what_it_waits_for(writer: Client) -> None:
    answer = writer.post("/console/write/preview/?lang=en", {"kind": "news", "nl.summary": "Kort."})
    assert answer.status_code == 200
    assert "Title (Dutch): fill this in" in answer.content.decode()


def test_languages_that_tell_another_date_are_pointed_out(writer: Client) -> None:
    page = writer.post(
        "/console/write/preview/?lang=en", {**WHOLE, "en.summary": "From Tuesday 17 March it is closed."}
    ).content.decode()
    assert "The date differs between languages" in page


def test_a_correction_shows_what_changes_and_who_gets_it_before_it_goes(scene: Scene, adviser: Client) -> None:
    scene.email()
    scene.people(4)
    announcement = scene.announced()
    scene.work()
    form = _typed(adviser.get(_address(announcement, "correct/")).content.decode())
    form["nl.title"] = ["Gemeentehuis op afspraak: tweede"]
    unchanged = adviser.post(
        _address(announcement, "correct/"), {**form, "nl.title": form["en.title"], "press": "check"}
    )
    assert unchanged.status_code == 422
    form |= {"nl.change": ["Nu goed."], "en.change": ["Right now."]}
    page = adviser.post(_address(announcement, "correct/?lang=en"), {**form, "press": "check"}).content.decode()
    assert "<del>eerste</del><ins>tweede</ins>" in page
    assert "Send the correction to 4 addresses" in page
    assert announcement.revisions.count() == 1, "nothing was stored yet"
    aside = adviser.post("/console/write/preview/?lang=en", {**form, "press": "check"}).content.decode()
    assert "Gemeentehuis op afspraak: tweede" in aside
    assert "Nu goed." in aside, "the copies are those of a correction"
    answer = adviser.post(_address(announcement, "correct/"), {**_typed(page), "press": "send"})
    assert "/follow/" in answer["Location"]
    assert announcement.revisions.count() == 2
    again = adviser.post(_address(announcement, "correct/"), {**_typed(page), "press": "send"})
    assert again.status_code == 409, "somebody was first"
    assert announcement.revisions.count() == 2


def test_withdrawing_says_to_how_many_and_wants_a_reason_in_each_language(scene: Scene, adviser: Client) -> None:
    scene.email()
    scene.people(4)
    announcement = scene.announced()
    scene.work()
    page = adviser.get(_address(announcement, "withdraw/?lang=en")).content.decode()
    assert "Withdraw for 4 addresses" in page
    assert adviser.post(_address(announcement, "withdraw/"), {"reason.nl": "Klopt niet."}).status_code == 422
    answer = adviser.post(_address(announcement, "withdraw/"), {"reason.nl": "Klopt niet.", "reason.en": "Wrong."})
    assert "/follow/" in answer["Location"]
    assert Dispatch.objects.get(act="withdraw").reason == {"nl": "Klopt niet.", "en": "Wrong."}
    assert adviser.get(_address(announcement, "withdraw/")).status_code == 409


def test_the_list_leads_to_each_and_can_be_narrowed(writer: Client) -> None:
    made = SCENES["sending"]()
    submit(source("andere"), by="x")
    page = writer.get("/console/?lang=en").content.decode()
    assert f'href="/console/follow/{made.key}/?lang=en"' in page
    assert "andere" in page
    drafts = writer.get("/console/?lang=en&state=draft").content.decode()
    assert "Nothing is in this state" in drafts
    assert "andere" not in drafts


def test_an_empty_list_says_what_to_do(writer: Client) -> None:
    page = writer.get("/console/?lang=en").content.decode()
    assert "Write the first announcement" in page
    assert "Write the first" not in client_of(Role.ADMINISTRATOR).get("/console/?lang=en").content.decode()
