"""The town: copies find their announcement, and what differs is seen, whoever made it differ."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest

from channels.contract import Act
from dispatcher.practice.faults import PRESETS
from dispatcher.practice.peers import PEERS
from dispatcher.practice.town.facts import facts_in
from dispatcher.practice.training import training
from tests.support.practice import Practice, finish, start
from tests.support.side_by_side import PLACES, SideBySide

SAME = {"website": "Hiermee vergelijken we", **dict.fromkeys(PLACES[1:], "Zelfde gegevens")}
_numbers = count(1)


@pytest.fixture(scope="module")
def _town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SideBySide]:
    with SideBySide(tmp_path_factory.mktemp("side-by-side")) as town:
        yield town


@pytest.fixture
def town(_town: SideBySide) -> SideBySide:
    _town.practice.clear()
    return _town


@pytest.fixture
def slug() -> str:
    """An announcement of the test's own."""
    return f"bericht-{next(_numbers)}"


def test_an_empty_town_says_what_to_do(tmp_path: Path) -> None:
    with SideBySide(tmp_path) as empty:
        shown = empty.look()

        assert "Er is nog niets omgeroepen" in shown.words("empty")
        assert shown.page.xpath("//a[@id='write']/@href") == [f"{empty.base}/console/write/"]
        assert "Nothing was announced yet" in empty.look(lang="en").words("empty")


def test_one_announcement_stands_in_five_places_at_once(town: SideBySide, slug: str) -> None:
    bulletin = town.revision(slug)
    town.publish(bulletin)
    town.send(bulletin)

    shown = town.look(on=slug)

    assert shown.states == SAME
    assert shown.words("verdict").startswith("Alle 5 zeggen hetzelfde.")
    assert "maandag 16 maart" in shown.words("verdict") and "053 000 00 00" in shown.words("verdict")
    for place in PLACES:
        assert "Gemeentehuis alleen open op afspraak" in shown.words(f"column-{place}-drawn"), place
    assert "1 mail" in shown.words("column-mail-head") and "1 telefoon" in shown.words("column-push-head")


def test_what_did_not_come_yet_is_said(town: SideBySide, slug: str) -> None:
    bulletin = town.revision(slug)
    town.publish(bulletin)
    town.send(bulletin, "mail")

    shown = town.look(on=slug)

    assert {place for place, state in shown.states.items() if state == "Nog niet hier"} == {
        "timeline",
        "push",
        "colleagues",
    }
    assert shown.words("verdict").startswith("Alle 2 zeggen hetzelfde. Nog niets bij: de tijdlijn, de telefoon")


def test_two_announcements_are_kept_apart_and_can_be_chosen(town: SideBySide, slug: str) -> None:
    first, second = town.revision(slug), town.revision(f"{slug}-later", revision=3)
    for bulletin in (first, second):
        town.publish(bulletin)
        town.send(bulletin)

    assert "(1)" in town.look(on=slug).words("column-mail-drawn")
    assert "(3)" in town.look(on=f"{slug}-later").words("column-mail-drawn")
    assert town.look(on=slug).states == town.look(on=f"{slug}-later").states == SAME
    assert any("(3)" in each for each in town.look(on=slug, all="1").choices)
    assert town.practice.get("/", on="no-such").status_code == 404


def test_copies_in_english_are_compared_with_the_english_page(town: SideBySide, slug: str) -> None:
    bulletin = town.revision(slug)
    town.publish(bulletin)
    town.send(bulletin)
    town.send(bulletin, language="en")

    assert "Monday 16 March" in town.look(on=slug, lang="en").words("column-timeline-drawn")
    assert "maandag 16 maart" in town.look(on=slug, lang="nl").words("column-timeline-drawn")
    assert town.look(on=slug, lang="en").words("verdict").startswith("All 5 say the same.")


def test_a_correction_belongs_to_its_original_and_who_missed_it_shows_the_older_version(
    town: SideBySide, slug: str
) -> None:
    first = town.revision(slug)
    town.publish(first)
    town.send(first)
    second = town.revision(slug, revision=2, updated_at=datetime.now(UTC) + timedelta(seconds=5))
    town.publish(second, Act.UPDATE)

    shown = town.look(on=slug)

    assert shown.states == {**SAME, **dict.fromkeys(PLACES[1:], "Oudere versie")}
    assert "Versie 2." in shown.text
    assert shown.words("verdict").startswith("Alleen de website zegt dit. Toont nog de oudere versie: de mailbox")

    corrected = town.revision(slug, revision=2)  # as it was made before it was sent
    town.publish(corrected, Act.UPDATE)
    town.send(corrected, act=Act.UPDATE)

    assert "(2)" in town.look(on=slug).words("column-timeline-drawn")
    assert "1 persoon, 2 mails" in town.look(on=slug).words("column-mail-head")


def test_a_withdrawal_is_told_everywhere_or_it_shows(town: SideBySide, slug: str) -> None:
    slug = f"ingetrokken-{slug}"  # the word in an address says nothing
    bulletin = town.revision(slug)
    town.publish(bulletin)
    town.send(bulletin)
    withdrawn = town.revision(slug, act=Act.WITHDRAW)
    town.publish(withdrawn, Act.WITHDRAW)
    town.send(withdrawn, "mail", "push", "colleagues", act=Act.WITHDRAW)

    shown = town.look(on=slug)

    assert shown.states == {**SAME, "timeline": "Oudere versie"}
    assert "Ingetrokken" in shown.words("column-website-drawn")


@pytest.mark.parametrize(
    ("how", "state", "told"),
    [
        ("fact", "Wijkt af", "053 000 00 01"),
        ("text", "Wijkt af", "de titel"),
        ("delete", "Weggehaald", "Weggehaald: de tijdlijn"),
    ],
)
def test_a_post_that_a_stranger_changed_is_seen(town: SideBySide, slug: str, how: str, state: str, told: str) -> None:
    bulletin = town.revision(slug)
    town.publish(bulletin)
    town.send(bulletin)

    answer = town.practice.post("/town/tamper", slug=slug, language="nl", do=how)
    shown = town.look(on=slug)

    assert answer.headers["location"] == f"/?on={slug}"
    assert shown.states == {**SAME, "timeline": state}
    assert shown.words("verdict").startswith("4 van de 5 zeggen hetzelfde.")
    assert told in shown.words("verdict")
    again = town.practice.post("/town/tamper", slug=slug, language="nl", do="text")
    assert again.status_code == (409 if how == "delete" else 303)


def test_a_link_that_leads_elsewhere_is_seen(town: SideBySide, slug: str) -> None:
    bulletin = town.revision(slug)
    town.publish(bulletin)
    text = bulletin.texts["nl"]
    said = f"{text.title}\n\n{text.summary}\n\nhttps://losser.evil.example/inloggen\n\nLees meer: {text.url}"
    url = f"http://localhost:{town.practice.ports['colleagues']}/hook/colleagues"
    assert httpx.post(url, json={"message": said}, trust_env=False).status_code == 200

    shown = town.look(on=slug)

    assert shown.states["colleagues"] == "Wijkt af"
    assert "losser.evil.example" in shown.words("verdict")


def test_an_early_copy_belongs_to_its_announcement_and_is_compared_once_the_page_is_there(
    town: SideBySide, slug: str
) -> None:
    early = town.revision(slug, early=True)
    town.send(early, "colleagues")

    before = town.look(on=slug)
    assert before.states["colleagues"] == "Nog niet te vergelijken"
    assert before.states["website"] == "Nog niet hier"
    assert "De website toont dit bericht niet" in before.words("verdict")

    town.publish(town.revision(slug))
    assert town.look(on=slug).states["colleagues"] == "Zelfde gegevens"


def test_a_town_that_knows_no_site_shows_what_came_and_compares_nothing(tmp_path: Path, town: SideBySide) -> None:
    with Practice(tmp_path / "alone") as alone:
        bulletin = town.revision("corona")
        url = f"http://localhost:{alone.ports['colleagues']}/hook/colleagues"
        text = bulletin.texts["nl"]
        httpx.post(url, json={"message": f"{text.title}\n\n{text.summary}\n{text.url}"}, trust_env=False)

        page = alone.get("/").text

        assert "De oefenstad weet niet waar de website staat" in page
        assert "maandag 16 maart" in page


@pytest.mark.parametrize("site", ["https://losser.example", "http://192.0.2.1:8700", "http://localhost.example:1"])
def test_a_site_elsewhere_is_not_read(folder: Path, site: str) -> None:
    process = start(["--data", str(folder), "--site", site])
    out, said = finish(process)

    assert (process.returncode, out) == (2, "")
    assert site in said and "--links" in said and len(said.splitlines()) == 1


def test_a_fault_is_switched_on_and_off_from_the_town(town: SideBySide) -> None:
    town.practice.post("/town/fault", peer="mail", preset="unknown-address", slug="")
    assert [fault["code"] for fault in town.practice.state()["faults"]] == [550]
    button = town.look().page.find(".//button[@id='fault-mail-unknown-address']")
    assert button is not None and button.get("aria-pressed") == "true"
    assert "u ziet Adres vervallen" in town.look().words("exercises-mail")
    numbers = button.getparent().xpath("input[@name='numbers']/@value")[0]

    town.practice.post("/town/fault", peer="mail", preset="unknown-address", numbers=str(numbers), slug="")
    assert town.practice.state()["faults"] == []

    town.practice.post("/town/fault", peer="timeline", preset="throttled", slug="")
    town.practice.post("/town/calm", slug="")
    assert town.practice.state("timeline")["faults"] == []


@pytest.mark.parametrize(("way", "peer"), [("timeline", "timeline"), ("phones", "push"), ("colleagues", "colleagues")])
def test_the_menu_leads_to_each_far_side_and_back(town: SideBySide, way: str, peer: str) -> None:
    answer = town.practice.get(f"/{way}")
    assert answer.headers["location"] == f"http://localhost:{town.practice.ports[peer]}/"
    page = httpx.get(answer.headers["location"], follow_redirects=True, trust_env=False).text
    assert f'href="{town.practice.url}/"' in page
    assert f'href="{town.practice.url}/{way}" aria-current="page"' in page


def test_each_fault_says_what_it_exercises() -> None:
    offered = {"mail": PRESETS, **{name: peer.presets for name, peer in PEERS.items()}}
    without = [
        (peer, preset)
        for peer, presets in offered.items()
        for preset in presets
        for language in ("nl", "en")
        if not training(peer, preset, language)
    ]
    assert without == []


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("Vanaf maandag 16 maart 2026, 17.00 uur.", ["maandag 16 maart 2026", "17.00 uur"]),
        ("From Monday 16 March at 5 pm, or March 17.", ["Monday 16 March", "5 pm", "March 17"]),
        ("Bel 053 000 00 00 of +31 53 000 00 00.", ["053 000 00 00", "+31 53 000 00 00"]),
        ("Het kost € 12,50, of 1.250 euro.", ["€ 12,50"]),
        ("Zie https://losser.example/2026-03-16/17.00", []),
    ],
)
def test_what_counts_as_a_fact(text: str, facts: list[str]) -> None:
    assert facts_in(text)[: len(facts)] == facts
    assert facts or facts_in(text) == []
