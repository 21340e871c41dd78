"""Announcement files: read whole, or refused with every fault, its line and a remedy."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.announcements.files import FileErrors, check_against_town, read
from dispatcher.announcements.models import Group, Kind
from dispatcher.announcements.source import AnnouncementSource
from dispatcher.audience.models import District, Topic

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)

GOOD = """\
---
kind: service-change
audience: [resident, entrepreneur, colleague, partner]
topics: [public-services, entrepreneurs]
districts: []
publish: +3d 09:00            # relative to loading
expires: +28d 23:59
stages: {colleague: 0s, partner: 15m, public: 30m}
nl:
  title: "Gemeentehuis: alleen op afspraak"
  summary: >
    Vanaf maandag 16 maart
    komt u alleen op afspraak.
  links:
    - {label: Informatie, url: https://www.losser.nl/corona}
  image: {url: https://www.losser.nl/a.jpg, alt: Het gemeentehuis}
  contact: Bel 053 537 74 44.
  change: Het telefoonnummer is anders.
en:
  title: Town hall by appointment
  summary: From Monday 16 March you need an appointment.
---
# nl
Maak **eerst** een afspraak.

# Waarom?

Zo houden we afstand.

# en
Make an appointment first.
"""


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(FileErrors) as refused:
        read(text, NOW)
    assert all(error.what and error.remedy for error in refused.value.errors)
    assert len(str(refused.value).splitlines()) == len(refused.value.errors)
    return [(error.line, error.field) for error in refused.value.errors]


def test_reads_all_of_a_file() -> None:
    source = read(GOOD, NOW)
    assert (source.kind, source.language) == (Kind.SERVICE_CHANGE, "nl")
    assert source.audience == (Group.RESIDENT, Group.ENTREPRENEUR, Group.COLLEAGUE, Group.PARTNER)
    assert (source.topics, source.districts) == (("public-services", "entrepreneurs"), ())
    assert source.publish_at == datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
    assert source.expires_at == datetime(2026, 12, 22, 22, 59, tzinfo=UTC)
    assert source.stages == {"colleague": 0, "partner": 900, "public": 1800}
    dutch = source.texts["nl"]
    assert dutch.title == "Gemeentehuis: alleen op afspraak"
    assert dutch.summary == "Vanaf maandag 16 maart komt u alleen op afspraak."
    assert dutch.body == "Maak **eerst** een afspraak.\n\n# Waarom?\n\nZo houden we afstand."
    assert [(link.label, link.url) for link in dutch.links] == [("Informatie", "https://www.losser.nl/corona")]
    assert dutch.image is not None
    assert dutch.image.alt == "Het gemeentehuis"
    assert (dutch.contact, dutch.change) == ("Bel 053 537 74 44.", "Het telefoonnummer is anders.")
    assert source.texts["en"].body == "Make an appointment first."
    assert source.notes == ()


def test_little_is_needed() -> None:
    source = read("---\nkind: news\naudience: [resident]\nnl:\n  title: T\n  summary: S\n---\n# nl\nB\n", NOW)
    assert (source.publish_at, source.expires_at, source.stages, source.topics) == (None, None, {}, ())
    assert source.texts["nl"].image is None


def test_an_empty_value_is_as_good_as_none() -> None:
    text = GOOD.replace("districts: []", "districts:").replace("  contact: Bel 053 537 74 44.", "  contact:")
    assert read(text.replace("publish: +3d 09:00 ", "publish: "), NOW).texts["nl"].contact == ""


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends_and_byte_order_mark_do_not_matter(ends: str, tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(("\ufeff" + GOOD).replace("\n", ends).encode())
    assert read(file, NOW).digest == read(GOOD, NOW).digest


def test_the_digest_is_of_what_was_written() -> None:
    later = NOW.replace(day=25)
    assert read(GOOD, NOW).publish_at != read(GOOD, later).publish_at
    assert read(GOOD, NOW).digest == read(GOOD, later).digest
    assert read(GOOD, NOW).digest != read(GOOD.replace("+3d 09:00", "+3d 10:00"), NOW).digest
    assert read(GOOD, NOW).digest != read(GOOD.replace("eerst", "altijd"), NOW).digest


def test_tells_everything_that_is_wrong_at_once() -> None:
    text = (
        GOOD.replace("kind: service-change", "kind: service-chang")
        .replace("[resident, entrepreneur, colleague, partner]", "[resident, burger]")
        .replace("topics:", "topcs:")
        .replace("publish: +3d 09:00", "publish: morgen")
        .replace("expires: +28d 23:59", "expires: 2026-11-24 06:30")
        .replace("partner: 15m, public", "prtner: 15m, public")
        .replace('alleen op afspraak"', "x" * 212 + '"')
        .replace("  contact:", "  conact:")
        .replace("url: https://www.losser.nl/corona", "url: losser.nl")
        .replace(", alt: Het gemeentehuis", "")
        .replace("  title: Town hall by appointment\n", "")
        .replace("# en\nMake an appointment first.", "# fr\nBonjour")
    )
    assert faults(text) == [
        (2, "kind"),
        (3, "audience.2"),
        (4, "topcs"),
        (6, "publish"),
        (7, "expires"),
        (8, "stages"),
        (8, "stages.prtner"),
        (10, "nl.title"),
        (15, "nl.links.1.url"),
        (16, "nl.image.alt"),
        (17, "nl.conact"),
        (19, "en.body"),
        (19, "en.title"),
        (29, "body"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "words"),
    [
        ("topics:", "topcs:", 4, "topcs", "Did you mean 'topics'?"),
        ("  contact:", "  conact:", 17, "nl.conact", "Did you mean 'contact'?"),
        ("kind: service-change", "kind: nieuws", 2, "kind", "Known are: emergency, news"),
        ("kind: service-change\n", "", 1, "kind", "Add the line `kind: …`"),
        ("- {label: Informatie,", "- {lable: Informatie,", 15, "nl.links.1.lable", "Did you mean 'label'?"),
        ("Informatie", "''", 15, "nl.links.1.label", "empty"),
        ("title: Town hall by", "title: " + "a" * 190 + " by", 20, "en.title", "too long ("),
        ("publish: +3d 09:00", "publish: 2026-11-31 10:00", 6, "publish", "does not exist"),
        ("publish: +3d 09:00", "publish: 2026-11-30", 6, "publish", "has no time"),
        ("expires: +28d 23:59", "expires: +2d 09:00", 7, "expires", "over before it goes out"),
        ("expires: +28d 23:59", "expires: now", 7, "expires", "over before it goes out"),
        ("partner: 15m", "partner: kwartier", 8, "stages.partner", "not a delay"),
        ("stages: {colleague: 0s, partner: 15m, public: 30m}", "stages: 15m", 8, "stages", "a delay for each group"),
        ("audience: [resident, entrepreneur, colleague,", "audience: [colleague,", 8, "stages", "not in the audience"),
        ("audience: [resident, entrepreneur, colleague, partner]", "audience: resident", 3, "audience", "a list"),
        ("kind: service-change", "kind: emergency", 8, "stages", "everybody hears at once"),
        ("https://www.losser.nl/a.jpg", "ftp://losser.nl/a.jpg", 16, "nl.image.url", "is not a link"),
        ("# en\nMake an appointment first.", "", 19, "en.body", "Put it under a line `# en`"),
        ("# en\n", "# en\n\n![x](https://a.nl/x.png)", 30, "en.body", "picture"),
        ("# nl\nMaak", "Hallo\n# nl\nMaak", 23, "body", "before the first language"),
        ("# en\n", "# nl\n", 30, "nl.body", "two texts"),
        ("  change:", "  body:", 18, "nl.body", "does not belong in the settings"),
        ("nl:\n", "nl: hoi\nxx:\n", 9, "nl", "keys of its own"),
        ('"Gemeentehuis: alleen op afspraak"', "Gemeentehuis: alleen", 10, "front matter", "between quotes"),
        ('afspraak"', "afspraak", 10, "front matter", "quotes"),
        ("districts: []", "districts: [", 5, "front matter", ""),
        ("districts: []", "\tdistricts: []", 5, "front matter", ""),
        ("districts: []", "districts: []\ndistricts: [glane]", 6, "districts", "twice"),
        ("districts: []", "districts: &a []", 5, "front matter", ""),
        ("Zo houden", "Zo \x00houden", 28, "text", "U+0000"),
        ("Zo houden", "Zo \ufffdhouden", 28, "text", "save the file as UTF-8"),
        ("title: Town", "title: \x1b[31mTown", 20, "text", "U+001B"),
    ],
)  # fmt: skip
def test_each_fault_has_its_line_and_a_remedy(old: str, new: str, line: int, field: str, words: str) -> None:
    if field == "front matter" and "&a" in new:
        new = new.replace("[]", "[x]\ntopcs: *a")
        line += 1
    with pytest.raises(FileErrors) as refused:
        read(GOOD.replace(old, new), NOW)
    found = [error for error in refused.value.errors if (error.line, error.field) == (line, field)]
    assert found, refused.value
    assert any(words in f"{error.what} {error.remedy}" for error in found), refused.value


@pytest.mark.parametrize(
    "text", ["", "hallo", "---\nkind: news\n", "x\n---\nkind: news\n---\n", "---\n---\n", "---\n- a\n---\n"]
)
def test_what_is_no_announcement_file_says_how_to_begin(text: str) -> None:
    with pytest.raises(FileErrors) as refused:
        read(text, NOW)
    assert refused.value.errors[0].field == "front matter"


def test_a_file_in_another_encoding_is_told_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(GOOD.replace("eerst", "éérst").replace("first.", "fïrst.").encode("latin-1"))
    with pytest.raises(FileErrors) as refused:
        read(file, NOW)
    assert [error.line for error in refused.value.errors] == [24, 31]


def test_notes_say_what_was_adjusted() -> None:
    text = (
        GOOD.replace("Town hall by", "Town\u202e hall\u200b by")
        .replace("Zo houden", "Zo\u2066 houden")
        .replace("publish: +3d 09:00", "publish: 2027-03-28 02:30")
        .replace("expires: +28d 23:59", "expires: 2027-10-31 02:30")
        .replace("Informatie", "Infor\u2028matie")
    )
    source = read(text, NOW)
    assert source.texts["en"].title == "Town hall by appointment"
    assert source.publish_at == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    notes = "\n".join(source.notes)
    assert "line 20, en.title: U+202E, U+200B" in notes
    assert "line 23, nl.body: U+2066" in notes
    assert "line 6, publish: 2027-03-28 02:30 does not exist, because the clocks go forward; it becomes 03:00." in notes
    assert "line 7, expires: 2027-10-31 02:30 comes twice" in notes
    assert "line 15: U+2028 became a space." in notes
    assert len(source.notes) == 5


def test_a_publish_time_in_the_past_is_noted() -> None:
    assert "goes out at once" in read(GOOD.replace("publish: +3d 09:00", "publish: 2026-11-01 09:00"), NOW).notes[0]


def test_values_stay_words(tmp_path: Path) -> None:
    source = read(
        GOOD.replace("title: Town hall by appointment", "title: 2020").replace("contact: Bel", "contact: no"), NOW
    )
    assert source.texts["en"].title == "2020"
    assert source.texts["nl"].contact.startswith("no")


@pytest.mark.parametrize(
    "text",
    ["[" * 50_000, "{a: " * 20_000, "a: " + "x" * 300_000, "- " * 50_000, "? " * 50_000, "a: |\n" + " x\n" * 40_000],
)
def test_front_matter_cannot_blow_up(text: str) -> None:
    assert faults(f"---\n{text}\n---\n# nl\nx")


def test_a_huge_file_is_not_read() -> None:
    assert faults("---\n" + "a" * 1_000_001) == [(1, "file")]


@given(st.text(st.characters(codec="utf-8"), max_size=80), st.integers(0, len(GOOD)))
def test_whatever_stands_in_a_file_it_is_read_or_refused(noise: str, place: int) -> None:
    try:
        assert isinstance(read(GOOD[:place] + noise + GOOD[place:], NOW), AnnouncementSource)
    except FileErrors as refused:
        assert refused.errors


@pytest.mark.django_db
def test_topics_and_districts_are_those_of_the_town() -> None:
    Topic.objects.create(slug="public-services", names={"nl": "Dienstverlening"})
    Topic.objects.create(slug="entrepreneurs", names={"nl": "Ondernemers"})
    District.objects.create(slug="glane", name="Glane")
    assert check_against_town(read(GOOD, NOW)) == []
    text = GOOD.replace("public-services,", "public-service,").replace("districts: []", "districts: [glane, glaan]")
    (topic, district) = check_against_town(read(text, NOW))
    assert (topic.line, topic.field) == (4, "topics")
    assert "'public-service' is not one of this town's topics." in topic.what
    assert "Did you mean 'public-services'?" in topic.remedy
    assert (district.line, district.field) == (5, "districts")
    assert "Did you mean 'glane'?" in district.remedy
