"""From an announcement to the bulletin that channels compose."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.utils.timezone import now

from channels.contract import Act, Bulletin, Change, Fact, FactKind, Image, Link, Sender, Text
from dispatcher.announcements import facts as finding
from dispatcher.announcements import text as writing
from dispatcher.announcements.models import Announcement, Revision, RevisionText
from dispatcher.audience.models import Topic
from dispatcher.dispatching.models import Dispatch
from dispatcher.town.reading import town


def sender() -> Sender:
    """Who speaks: the town."""
    return Sender(
        name=town().names, base_url=settings.BASE_URL, timezone=settings.TIME_ZONE, practice=settings.PRACTICE
    )


def page_url(announcement: Announcement, language: str, *, early: bool = False) -> str:
    """Where the announcement is read. The early page is unlisted: its path holds a keyed hash that nobody can guess."""
    if not early:
        return f"{settings.BASE_URL}/{language}/{announcement.slug}/"
    digest = hmac.digest(
        settings.SECRET_KEY.encode(), f"early page {announcement.public_id} {language}".encode(), hashlib.sha256
    )
    token = base64.b32encode(digest[:16]).decode().rstrip("=").lower()
    return f"{settings.BASE_URL}/early/{token}/{announcement.slug}/"


def build(
    announcement: Announcement,
    revision: Revision,
    *,
    at: datetime,
    early: bool = False,
    reason: dict[str, str] | None = None,
    until: int | None = None,
) -> Bulletin:
    """The bulletin of ``revision`` as it stands at ``at``.

    ``reason`` says by language why it is withdrawn. ``until`` leaves out of the history what was dispatched after
    that dispatch: a copy shows what was true when it was made.
    """
    texts = {row.language: row for row in revision.texts.all()}
    history = _history(announcement, until)
    return _made(announcement, revision, texts, at=at, early=early, reason=reason, history=history)


def of_unstored(announcement: Announcement, revision: Revision, texts: Mapping[str, RevisionText]) -> Bulletin:
    """The bulletin that ``texts`` would make if they were stored and went out now. Nothing needs to be stored."""
    history = _history(announcement, None) if announcement.pk else ()
    return _made(announcement, revision, texts, at=announcement.publish_at or now(), history=history)


def _made(
    announcement: Announcement,
    revision: Revision,
    texts: Mapping[str, RevisionText],
    *,
    at: datetime,
    history: tuple[Change, ...],
    early: bool = False,
    reason: dict[str, str] | None = None,
) -> Bulletin:
    order = [revision.language, *sorted(set(texts) - {revision.language})]
    return Bulletin(
        announcement=announcement.public_id,
        slug=announcement.slug,
        revision=revision.number,
        kind=announcement.kind,
        texts={
            language: _text(announcement, texts[language], early=early, change=(reason or {}).get(language))
            for language in order
        },
        sender=sender(),
        published_at=history[0].at if history else at,
        updated_at=at,
        expires_at=announcement.expires_at,
        topics=_topics(announcement, order),
        history=history,
        early=early,
    )


def of_dispatch(dispatch: Dispatch, *, early: bool = False) -> Bulletin:
    """The bulletin that a dispatch puts out."""
    if dispatch.announcement is None or dispatch.revision is None:
        raise ValueError("a notice has no bulletin of an announcement")
    return build(
        dispatch.announcement,
        dispatch.revision,
        at=dispatch.start_at,
        early=early,
        reason=dispatch.reason if dispatch.act == Act.WITHDRAW else None,
        until=dispatch.pk,
    )


def _text(announcement: Announcement, row: RevisionText, *, early: bool, change: str | None) -> Text:
    found = finding.facts(f"{row.title}\n{row.summary}", row.language)
    body_text = writing.plain_text(row.body)
    body = finding.facts(body_text, row.language)
    return Text(
        language=row.language,
        title=row.title,
        summary=row.summary,
        body_html=writing.body_html(row.body, row.language),
        body_text=body_text,
        url=page_url(announcement, row.language, early=early),
        links=tuple(Link(link["label"], link["url"]) for link in row.links),
        image=Image(row.image_url, row.image_alt) if row.image_url else None,
        contact=row.contact,
        change=row.change if change is None else change,
        facts=tuple(Fact(FactKind(fact.kind), fact.text) for fact in found),
        body_facts=tuple(Fact(FactKind(fact.kind), fact.text) for fact in body if fact not in found),
    )


def _history(announcement: Announcement, until: int | None) -> tuple[Change, ...]:
    dispatches = (
        Dispatch.objects.filter(announcement=announcement, act__in=[Act.ANNOUNCE, Act.UPDATE, Act.WITHDRAW])
        .exclude(ended_why="stopped")
        .select_related("revision")
        .order_by("pk")
    )
    changes = []
    for dispatch in dispatches:
        if until is not None and dispatch.pk > until:
            break
        if dispatch.revision is None:
            continue
        note = (
            dispatch.reason
            if dispatch.act == Act.WITHDRAW
            else {row.language: row.change for row in dispatch.revision.texts.all()}
        )
        changes.append(
            Change(revision=dispatch.revision.number, at=dispatch.start_at, act=Act(dispatch.act), note=note)
        )
    return tuple(changes)


def _topics(announcement: Announcement, languages: list[str]) -> dict[str, tuple[str, ...]]:
    topics = list(Topic.objects.filter(slug__in=announcement.topics))
    return {
        language: tuple(topic.names.get(language) or next(iter(topic.names.values())) for topic in topics)
        for language in languages
    }
