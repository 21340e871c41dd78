"""Storing announcements: once, with texts that never change, under an address made by us."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from dispatcher.announcements import revisions
from dispatcher.announcements.models import Announcement, Revision, RevisionIsFinal, RevisionText, State
from dispatcher.announcements.revisions import KeyReused, add_revision, create_announcement, says_the_same
from dispatcher.announcements.slugs import free_slug, slug_of
from dispatcher.announcements.source import AnnouncementSource

pytestmark = pytest.mark.django_db

NewSource = Callable[..., AnnouncementSource]


def test_stores_everything_that_was_handed_in(new_source: NewSource) -> None:
    source = new_source(
        stages={"colleague": 0, "public": 60},
        topics=("events",),
        nl={
            "links": [{"label": "Meer", "url": "https://www.losser.nl/"}],
            "image": {"url": "https://www.losser.nl/a.png", "alt": "Een foto"},
            "contact": "Bel 14 053",
        },
    )
    announcement = create_announcement(source, "anna")
    announcement.refresh_from_db()
    assert (announcement.state, announcement.slug, announcement.created_by) == (
        State.DRAFT,
        "gemeentehuis-dicht",
        "anna",
    )
    assert (announcement.audience, announcement.topics) == (["resident", "colleague"], ["events"])
    assert announcement.stages == {"colleague": 0, "public": 60}
    revision = announcement.revisions.get()
    assert (revision.number, revision.language) == (1, "nl")
    texts = revisions.texts_by_language(revision)
    assert list(texts) == ["nl", "en"]
    assert texts["nl"].links == [{"label": "Meer", "url": "https://www.losser.nl/"}]
    assert (texts["nl"].image_url, texts["nl"].image_alt) == ("https://www.losser.nl/a.png", "Een foto")
    assert (texts["nl"].contact, texts["en"].title) == ("Bel 14 053", "Town hall closed")


def test_the_language_it_was_written_in_comes_first(new_source: NewSource) -> None:
    source = new_source(texts={"nl": new_source().texts["nl"], "ar": new_source().texts["en"]})
    assert list(revisions.texts_by_language(create_announcement(source, "anna").revisions.get())) == ["nl", "ar"]


def test_revisions_are_numbered_and_leave_the_announcement_alone(new_source: NewSource) -> None:
    announcement = create_announcement(new_source(), "anna")
    second = add_revision(announcement, new_source(kind="news", nl={"title": "Anders"}), "bram")
    announcement.refresh_from_db()
    assert [revision.number for revision in announcement.revisions.all()] == [1, 2]
    assert (second.created_by, announcement.kind, announcement.slug) == ("bram", "service-change", "gemeentehuis-dicht")
    assert announcement.revisions.get(number=1).texts.get(language="nl").title == "Gemeentehuis dicht"


def test_a_stored_revision_does_not_change(new_source: NewSource) -> None:
    announcement = create_announcement(new_source(), "anna")
    revision, text = Revision.objects.get(), RevisionText.objects.filter(language="nl").get()
    text.title = "Iets anders"
    for row in (revision, text):
        with pytest.raises(RevisionIsFinal, match="Add a revision instead"):
            row.save()
    with pytest.raises(RevisionIsFinal):
        announcement.revisions.update_or_create(number=1, defaults={"language": "en"})
    text.refresh_from_db()
    assert text.title == "Gemeentehuis dicht"


def test_the_same_key_and_text_give_the_first_one(new_source: NewSource) -> None:
    first = create_announcement(new_source(), "anna", request_key="k")
    Announcement.objects.update(state=State.LIVE)
    again = create_announcement(new_source(), "anna", request_key="k")
    assert again.pk == first.pk
    assert again.state == State.LIVE
    assert Announcement.objects.count() == Revision.objects.count() == 1


def test_the_same_key_with_another_text_is_refused(new_source: NewSource) -> None:
    first = create_announcement(new_source(), "anna", request_key="k")
    with pytest.raises(KeyReused) as refused:
        create_announcement(new_source(nl={"title": "Anders"}), "anna", request_key="k")
    assert refused.value.announcement == first
    assert Announcement.objects.count() == 1


def test_without_a_key_each_is_a_new_one(new_source: NewSource) -> None:
    slugs = [create_announcement(new_source(), "anna").slug for _ in range(3)]
    assert slugs == ["gemeentehuis-dicht", "gemeentehuis-dicht-2", "gemeentehuis-dicht-3"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["k", None])
def test_many_at_once(new_source: NewSource, key: str | None) -> None:
    source, barrier = new_source(), Barrier(6)
    made: list[tuple[int, str]] = []

    def submit() -> None:
        try:
            barrier.wait(10)
            announcement = create_announcement(source, "anna", request_key=key)
            made.append((announcement.pk, announcement.slug))
        finally:
            connection.close()

    threads = [Thread(target=submit) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    expected = 1 if key else 6
    assert len(made) == 6
    assert len(set(made)) == Announcement.objects.count() == Revision.objects.count() == expected


@pytest.mark.django_db(transaction=True)
def test_two_revisions_at_once_are_two_numbers(new_source: NewSource) -> None:
    announcement, barrier = create_announcement(new_source(), "anna"), Barrier(4)

    def add() -> None:
        try:
            barrier.wait(10)
            add_revision(announcement, new_source(), "bram")
        finally:
            connection.close()

    threads = [Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert list(announcement.revisions.values_list("number", flat=True)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"nl": {"change": "De tijd is anders."}}, True),
        ({"nl": {"title": "Anders"}}, False),
        ({"nl": {"body": "Anders."}}, False),
        ({"nl": {"links": [{"label": "a", "url": "https://a.nl"}]}}, False),
        ({"nl": {"contact": "Bel"}}, False),
        ({"without": "en"}, False),
    ],
)
def test_tells_whether_readers_would_read_the_same(new_source: NewSource, other: dict[str, Any], same: bool) -> None:
    revision = create_announcement(new_source(), "anna").revisions.get()
    assert says_the_same(revision, new_source(**other)) is same


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Gemeentehuis: alleen op afspraak!", "gemeentehuis-alleen-op-afspraak"),
        ("Één café in Overdinkel", "een-cafe-in-overdinkel"),
        ("Зміни в Лоссері", "zmini-v-losseri"),
        ("🙂 Feest €5", "feest-5"),
        ("…!?", "announcement"),
        ("../../etc/passwd", "etc-passwd"),
        ("index", "index-1"),
        ("CON", "con-1"),
        ("a" * 200, "a" * 80),
        ("woord " * 30, "-".join(["woord"] * 13)),
    ],
)
def test_slugs_are_made_from_the_title(title: str, slug: str) -> None:
    made = slug_of(title)
    assert made == slug
    assert len(made) <= 80


def test_a_taken_long_slug_gets_its_number_inside_the_limit(new_source: NewSource) -> None:
    for _ in range(2):
        create_announcement(new_source(nl={"title": "a" * 100}), "anna")
    assert free_slug("a" * 100) == "a" * 78 + "-3"
