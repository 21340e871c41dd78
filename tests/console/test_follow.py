"""The follow page: each state of a dispatch in words, and the one thing that can be done with it."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils.timezone import now
from pytest_django.fixtures import Settings

from dispatcher.acts.models import AuditEntry
from dispatcher.audience.models import Address
from dispatcher.console.standing import Phase, standing
from dispatcher.dispatching.models import Batch, Delivery, Dispatch
from dispatcher.staff.roles import Role
from tests.support.residents import every_row, resident
from tests.support.signed_in import employee, enter
from tests.support.standing import SCENES, Some, announcement, batch, dispatch, outlet

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


def text_of(page: str) -> str:
    """What a page says, tags and superfluous space aside."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def read(client: Client, made: Dispatch, language: str = "nl") -> str:
    """The text of the follow page."""
    answer = client.get(f"/console/follow/{made.key}/?lang={language}")
    assert answer.status_code == 200
    return text_of(answer.content.decode())


WORDS = {
    "grace": ("seconden gaat het bericht weg", "Naar 120 adressen en 1 openbare plek", "Stop, nog niet sturen"),
    "scheduled": ("Het gaat weg op", "Stop, nog niet sturen"),
    "preparing": ("Wij zoeken uit wie dit hoort",),
    "sending": (
        "1.190",
        "van 1.263 keer aangenomen",
        "Onderweg",
        "24 niet gelukt: het adres bestaat niet",
        "7 later: de mailbox is vol. Wij proberen het om",
        "12 niet zeker: de verbinding viel weg na het sturen. Misschien kwam het aan. Om",
        "Engels: wordt nagelezen",
    ),
    "page": ("120 wachten tot de pagina op de website staat",),
    "down": (
        "E-mail ligt stil",
        "E-mail werkt niet sinds",
        "The mail server does not answer.",
        "Er gaat niets verloren. Wij proberen het om",
        "40 wachten hierop",
    ),
    "person": ("535 5.7.8 authentication failed", "wachten helpt niet", "omroeper queue resume email", "40 wachten"),
    "paused": ("gepauzeerd door cli:beheer", "De mailserver wordt vervangen", "Het gaat door als iemand het hervat"),
    "unknown": ("Klaar", "Niet zeker 12", "Iemand beslist: omroeper queue settle email", "Engels: wijkt af"),
    "finished": (
        "Klaar",
        "Alles is afgehandeld",
        "24 niet gelukt: het adres bestaat niet",
        "3 adres vervallen: het adres is gesloten. Wij sturen er niets meer heen",
        "2 overgeslagen: zij hebben de berichten gestopt",
        "1.100 van 1.127",
    ),
    "withdrawn": ("Het bericht is ingetrokken. Hiervan gaat niets meer weg", "60 overgeslagen"),
    "stopped": ("Gestopt. Er is niets verstuurd", "Gestopt met deze pagina", "Niemand heeft dit gehoord"),
    "nobody": ("Klaar. Er was niemand voor wie dit is", "Niemand hoort dit"),
}


@pytest.mark.parametrize("scene", SCENES)
def test_each_state_is_told_in_words(client: Client, scene: str) -> None:
    page = read(client, SCENES[scene]())
    for words in WORDS[scene]:
        assert words in page, page
    assert page.count("Versie 1, Nederlands en Engels. Goedgekeurd door cli:communicatie op") == 1


@pytest.mark.parametrize("scene", SCENES)
def test_each_state_is_told_in_english_too(client: Client, scene: str) -> None:
    page = read(client, SCENES[scene](), "en")
    assert "Approved by cli:communicatie on" in page
    assert "Town hall open by appointment only" in page
    assert not re.search(r"\b(bericht|kanaal|verstuurd|wacht|klaar)\b", page.lower().replace("website en banner", ""))


@pytest.mark.parametrize("scene", sorted(set(SCENES) - {"unknown", "finished", "withdrawn", "nobody"}))
def test_finished_is_said_only_when_every_delivery_is_settled(client: Client, scene: str) -> None:
    page = read(client, SCENES[scene]())
    assert "Klaar." not in page
    assert "Alles is afgehandeld" not in page


def test_one_open_delivery_among_many_is_not_finished() -> None:
    made = dispatch(announcement())
    email = outlet("email", "E-mail", "email")
    batch(made, email, [Some(999, "accepted"), Some(1, "unknown", "no-answer", due_in=600)])
    assert standing(made).phase is Phase.WAITING, "a repeat is still to come"
    Delivery.objects.update(due_at=None)
    Batch.objects.update(due_at=None)
    assert standing(made).phase is Phase.FINISHED


def test_unknown_is_a_number_of_its_own_even_where_it_is_none(client: Client) -> None:
    assert "Niet zeker 0" in read(client, SCENES["finished"]())


def test_the_bar_has_the_same_in_words(client: Client) -> None:
    made = SCENES["sending"]()
    page = client.get(f"/console/follow/{made.key}/").content.decode()
    label = "1.190 aangenomen, 20 bezig, 17 wacht, 12 niet zeker, 24 niet gelukt"
    assert f'role="img" aria-label="{label}"' in page
    widths = [float(width) for width in re.findall(r'class="meter__\w+" x="[\d.]+%" width="([\d.]+)%"', page)]
    assert all(width >= 0.6 for width in widths)
    assert page.count("style=") == 0


def test_every_delivery_is_counted_once() -> None:
    stands = standing(SCENES["sending"]())
    assert sum(stands.figures.values()) == stands.planned == 1263


@pytest.mark.parametrize(("scene", "again"), [("grace", 1000), ("sending", 2000), ("finished", 0), ("stopped", 0)])
def test_a_page_asks_again_as_long_as_something_may_change(client: Client, scene: str, again: int) -> None:
    made = SCENES[scene]()
    page = client.get(f"/console/follow/{made.key}/").content.decode()
    assert f'data-pace="{again}"' in page
    assert ('http-equiv="refresh"' in page) == bool(again)
    assert ("follow-1.js" in page) == bool(again)
    part = client.get(f"/console/follow/{made.key}/state/").content.decode()
    assert "<html" not in part
    assert f'data-pace="{again}"' in part


def test_stopping_in_the_grace_stops_and_says_so() -> None:
    client = Client(enforce_csrf_checks=True)
    made = SCENES["grace"]()
    client.get(f"/console/follow/{made.key}/")
    answer = client.post(
        f"/console/follow/{made.key}/stop/", {"csrfmiddlewaretoken": client.cookies["form"].value}, follow=True
    )
    page = text_of(answer.content.decode())
    assert "Gestopt. Er is niets verstuurd. Het bericht wordt weer gecontroleerd." in page
    made.refresh_from_db()
    assert made.ended_why == "stopped"
    assert AuditEntry.objects.get(act="stop").actor == "follow page"
    assert not Delivery.objects.filter(due_at__isnull=False).exists()


@pytest.mark.parametrize("scene", ["sending", "finished", "down"])
def test_stopping_too_late_changes_nothing_and_says_what_can_be_done(client: Client, scene: str) -> None:
    made = SCENES[scene]()
    before = every_row()
    answer = client.post(f"/console/follow/{made.key}/stop/")
    assert answer.status_code == 409
    assert "Stoppen kan niet meer" in text_of(answer.content.decode())
    assert every_row() == before


def test_looking_changes_nothing(client: Client) -> None:
    made = SCENES["sending"]()
    before = every_row()
    client.get(f"/console/follow/{made.key}/")
    client.get(f"/console/follow/{made.key}/state/")
    client.head(f"/console/follow/{made.key}/")
    assert client.get(f"/console/follow/{made.key}/stop/").status_code == 405
    assert every_row() == before


def test_its_key_is_the_permission(client: Client) -> None:
    SCENES["sending"]()
    for key in ("0" * 32, "x", "1", "0" * 31, "F" * 32):
        for path in (f"/console/follow/{key}/", f"/console/follow/{key}/state/", f"/console/follow/{key}/stop/"):
            assert client.get(path, follow=True).status_code in {404, 405}
    answer = client.get(f"/console/follow/{Dispatch.objects.get().key}/")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex"


def test_a_notice_about_one_person_has_no_page(client: Client) -> None:
    address = resident()
    notice = Dispatch.objects.create(
        act="notice",
        notice={"kind": "confirm", "address": address.pk},
        created_at=now(),
        created_by="x",
        start_at=now(),
    )
    assert client.get(f"/console/follow/{notice.key}/").status_code == 404


def test_no_address_of_a_subscriber_is_on_the_page(client: Client) -> None:
    made = SCENES["sending"]()
    page = client.get(f"/console/follow/{made.key}/").content.decode()
    assert Address.objects.filter(value__contains="@practice.invalid").exists()
    assert "@practice.invalid" not in page


def test_what_a_far_side_says_is_shown_as_text(client: Client) -> None:
    made = SCENES["down"]()
    batch_outlet = Batch.objects.filter(dispatch=made, outlet__name="email").get().outlet
    type(batch_outlet).objects.filter(pk=batch_outlet.pk).update(circuit_reason="<script>alert(1)</script>")
    page = client.get(f"/console/follow/{made.key}/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_queue_that_gives_no_answer_is_named(client: Client, settings: Settings, tmp_path: object) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    made = dispatch(announcement())
    batch(made, outlet("email", "E-mail", "email"), [Some(120, "due", due_in=-10)])
    page = read(client, made)
    assert "De rij geeft geen antwoord." in page
    assert "120 wachten hierop." in page


def test_just_after_it_became_due_the_queue_is_not_asked(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/nobody.sock"
    made = dispatch(announcement())
    batch(made, outlet("email", "E-mail", "email"), [Some(120, "due", due_in=-1)])
    assert "120 wachten op hun beurt." in read(client, made)


def test_without_signing_in_there_is_no_way_from_here_to_the_list(client: Client) -> None:
    made = SCENES["sending"]()
    assert client.get("/console/").status_code == 303
    assert 'href="/console/"' not in client.get(f"/console/follow/{made.key}/").content.decode()


def test_who_is_signed_in_gets_back_to_the_list(client: Client) -> None:
    made = SCENES["sending"]()
    page = (
        enter(client, employee(Role.ADVISER, name="Bos")).get(f"/console/follow/{made.key}/?lang=en").content.decode()
    )
    assert 'href="/console/?lang=en"' in page
    assert "Signed in as Bos" in text_of(page)


def test_the_thread_tells_what_happened_newest_first(client: Client) -> None:
    made = SCENES["unknown"]()
    Dispatch.objects.filter(pk=made.pk).update(planned_at=now() - timedelta(minutes=1))
    AuditEntry.objects.filter(act="submit").update(at=now() - timedelta(hours=2))
    page = read(client, made)
    told = page[page.index("Wat er gebeurde") :]
    order = [
        "Alles is afgehandeld",
        "Gepland: bekend is wie dit hoort",
        "Ingeleverd door cli:balie",
    ]
    places = [told.index(words) for words in order]
    assert places == sorted(places)
    assert "Website en banner nagelezen, Engels: wijkt af" in told


def test_another_dispatch_of_the_announcement_is_not_in_the_thread(client: Client) -> None:
    first = SCENES["finished"]()
    assert first.announcement is not None
    second = dispatch(first.announcement, "update")
    assert "Verbeterd door" not in read(client, first)
    page = read(client, second)
    assert "Verbeterd door cli:communicatie op" in page
    assert "Goedgekeurd door" not in page
