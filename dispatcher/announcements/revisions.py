"""Storing what was handed in: an announcement with its first revision, or the next revision of one."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import Max

from dispatcher.announcements.models import Announcement, Revision, RevisionText
from dispatcher.announcements.slugs import free_slug
from dispatcher.announcements.source import AnnouncementSource, TextSource

_TRIES = 20  # others that store an announcement with the same title at the same moment


class KeyReused(Exception):
    """A request key stands for one text; this one was used before for ``announcement``, which says something else."""

    def __init__(self, announcement: Announcement) -> None:
        super().__init__(
            f"This request key was used before for '{announcement.slug}', which says something else. Use another key."
        )
        self.announcement = announcement


def create_announcement(source: AnnouncementSource, by: str, request_key: str | None = None) -> Announcement:
    """Stores ``source`` as a draft with its first revision, by ``by``.

    With a ``request_key`` it is stored once: the same key and content give the first announcement again, in whatever
    state it is by now, also when both arrive at the same moment.

    Raises:
        KeyReused: the key was used for other content.
    """
    for tries_left in reversed(range(_TRIES)):
        if request_key is not None and (first := Announcement.objects.filter(request_key=request_key).first()):
            if first.request_digest != source.digest:
                raise KeyReused(first)
            return first
        try:
            with transaction.atomic():
                return _create(source, by, request_key)
        except IntegrityError:  # another client took the key or the slug since we looked
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def _create(source: AnnouncementSource, by: str, request_key: str | None) -> Announcement:
    announcement = Announcement(
        slug=free_slug(source.texts[source.language].title),
        request_key=request_key,
        request_digest=source.digest if request_key is not None else "",
        created_by=by,
    )
    aim(announcement, source)
    announcement.save(force_insert=True)
    add_revision(announcement, source, by)
    return announcement


def add_revision(announcement: Announcement, source: AnnouncementSource, by: str) -> Revision:
    """Stores the texts of ``source`` as the next revision of ``announcement``.

    Kind, audience, topics, districts and times stay those of the announcement. Two clients at the same moment make
    two revisions, one after the other.
    """
    with transaction.atomic():
        Announcement.objects.select_for_update().get(pk=announcement.pk)
        latest = announcement.revisions.aggregate(number=Max("number"))["number"] or 0
        revision = announcement.revisions.create(number=latest + 1, language=source.language, created_by=by)
        RevisionText.objects.bulk_create(
            RevisionText(revision=revision, language=language, **_columns(text))
            for language, text in source.texts.items()
        )
    return revision


def texts_by_language(revision: Revision) -> dict[str, RevisionText]:
    """The texts of ``revision`` by language, the one it was written in first, the others by their code."""
    texts = {text.language: text for text in revision.texts.order_by("language")}
    return {revision.language: texts[revision.language]} | texts


def says_the_same(revision: Revision, source: AnnouncementSource) -> bool:
    """Whether readers of ``source`` would read what ``revision`` says, apart from what it says has changed."""
    stored = texts_by_language(revision)
    if stored.keys() != source.texts.keys():
        return False
    return all(
        getattr(stored[language], column) == value
        for language, text in source.texts.items()
        for column, value in _columns(text).items()
        if column != "change"
    )


def unstored(announcement: Announcement, source: AnnouncementSource) -> tuple[Revision, dict[str, RevisionText]]:
    """The next revision of ``announcement`` and its texts as objects that are not stored: to look at beforehand."""
    revision = Revision(announcement=announcement, number=0, language=source.language)
    texts = {language: RevisionText(language=language, **_columns(text)) for language, text in source.texts.items()}
    return revision, texts


def aim(announcement: Announcement, source: AnnouncementSource) -> None:
    """Sets on ``announcement`` what ``source`` says beside its texts: kind, for whom, and when. Does not store it."""
    announcement.kind = source.kind
    announcement.audience = [group.value for group in source.audience]
    announcement.topics = list(source.topics)
    announcement.districts = list(source.districts)
    announcement.stages = dict(source.stages)
    announcement.publish_at = source.publish_at
    announcement.expires_at = source.expires_at


def _columns(text: TextSource) -> dict[str, object]:
    return {
        "title": text.title,
        "summary": text.summary,
        "body": text.body,
        "links": [{"label": link.label, "url": link.url} for link in text.links],
        "image_url": text.image.url if text.image else "",
        "image_alt": text.image.alt if text.image else "",
        "contact": text.contact,
        "change": text.change,
    }
