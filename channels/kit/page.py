"""The page of one announcement in one language, and what the site's manifest keeps of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from channels.contract import Act, Bulletin, Copy, Image, Link, Text
from channels.kit.manifest import Entry
from channels.kit.pagetext import page_text
from channels.kit.site import Shape, data, words
from channels.kit.templates import moment, render

# Control characters (all but tab and new line), lone surrogates and the two non-characters: no page, feed or JSON may
# hold them. The two Unicode line ends become spaces.
_NOT_FOR_PAGES = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_ENDS = re.compile("[\u2028\u2029]")
_WIDE = re.compile(r"<(table|pre)\b[^>]*>.*?</\1>", re.S)
_SAFE_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_ICONS = {Act.ANNOUNCE: "sending", Act.UPDATE: "pencil", Act.WITHDRAW: "undo", Act.NOTICE: "info"}
# Structured data of schema.org: an announcement that people act on, or news.
_ACTED_ON = frozenset({"service-change", "emergency"})


@dataclass(frozen=True, slots=True)
class _Note:
    """One line of the public history."""

    revision: int
    at: object
    icon: str
    note: str


def compose(bulletin: Bulletin, language: str, act: Act, shape: Shape) -> tuple[Copy, Entry]:
    """The copy of ``bulletin`` in ``language``, and the entry that its ``parts["entry"]`` holds as JSON. Pure.

    Where the bulletin has no text in that language, the page is in the language that it was written in.
    """
    text = _cleaned(bulletin.text_for(language))
    language = text.language
    entry = _entry(bulletin, text, language, act, shape)
    links = tuple(link for link in text.links if _leads_somewhere(link.url))
    page = render(
        "website/announcement.html",
        **shape.frame(language)
        | {
            "others": _others(bulletin, language, shape),
            "bulletin": bulletin,
            "text": text,
            "body": _body(text.body_html, words(language)["wide"]),
            "action": links[0] if links else None,
            "links": links[1:],
            "withdrawn": entry.state == "withdrawn",
            "correction": text.change if entry.state == "corrected" else "",
            "history": _history(bulletin, language),
            "topics": entry.topics,
            "practice": entry.practice,
            "timezone": bulletin.sender.timezone,
            "json_ld": None
            if bulletin.early or entry.state == "withdrawn"
            else data(_linked_data(bulletin, text, entry)),
        },
    )
    copy = Copy(
        language=language,
        act=act,
        text=page_text(page, "announcement") or "",
        parts={"page": page, "entry": entry.model_dump_json()},
        links=(entry.url, *(link.url for link in links)),
    )
    return copy, entry


def _entry(bulletin: Bulletin, text: Text, language: str, act: Act, shape: Shape) -> Entry:
    state: Literal["live", "corrected", "withdrawn"] = (
        "withdrawn" if act is Act.WITHDRAW else "corrected" if act is Act.UPDATE else "live"
    )
    path = f"{language}/{bulletin.slug}"
    if bulletin.early:
        path = urlsplit(text.url).path.removeprefix(shape.prefix).strip("/")
    return Entry(
        path=path,
        language=language,
        announcement=bulletin.announcement,
        slug=bulletin.slug,
        revision=bulletin.revision,
        state=state,
        kind=bulletin.kind,
        title=text.title,
        summary=text.summary,
        facts=text.facts,
        reason=text.change if state == "withdrawn" else "",
        url=f"{shape.base_url}/{path}/",
        published=bulletin.published_at,
        published_words=moment(bulletin.published_at, language, bulletin.sender.timezone),
        updated=bulletin.updated_at,
        expires=bulletin.expires_at,
        topics=tuple(clean(topic) for topic in bulletin.topics.get(language, ())),
        early=bulletin.early,
        practice=bulletin.sender.practice,
    )


def _body(body_html: str, name: str) -> Markup:
    """The body, with what may be wider than a telephone in a frame that scrolls, by keyboard too."""
    frame = rf'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}">\g<0></div>'
    return Markup(_WIDE.sub(frame, body_html))  # noqa: S704 - sanitised, as the contract says


def _others(bulletin: Bulletin, language: str, shape: Shape) -> list[dict[str, object]]:
    """The same announcement in other languages that the site carries."""
    return [
        {"language": each, "words": words(each), "url": bulletin.texts[each].url}
        for each in shape.languages
        if each != language and each in bulletin.texts
    ]


def _history(bulletin: Bulletin, language: str) -> list[_Note]:
    """What readers could see before, the latest first; nothing where there was one version only."""
    if len(bulletin.history) < 2:
        return []
    return [
        _Note(
            change.revision,
            change.at,
            _ICONS[change.act],
            clean(change.note.get(language, "")) or (words(language)["first"] if change.act is Act.ANNOUNCE else ""),
        )
        for change in sorted(bulletin.history, key=lambda change: (change.revision, change.at), reverse=True)
    ]


def _linked_data(bulletin: Bulletin, text: Text, entry: Entry) -> dict[str, object]:
    """The announcement as schema.org describes one (JSON-LD)."""
    language = entry.language
    publisher = words(language)["practice"] if entry.practice else bulletin.sender.name_in(language)
    about: dict[str, object] = {
        "@context": "https://schema.org",
        "url": entry.url,
        "inLanguage": text.language,
        "dateModified": bulletin.updated_at.isoformat(),
        "publisher": {"@type": "GovernmentOrganization", "name": publisher},
    }
    if bulletin.kind in _ACTED_ON:
        about |= {"@type": "SpecialAnnouncement", "name": text.title, "text": text.summary}
        about["datePosted"] = bulletin.published_at.isoformat()
    else:
        about |= {"@type": "NewsArticle", "headline": text.title, "description": text.summary}
        about["datePublished"] = bulletin.published_at.isoformat()
        about["mainEntityOfPage"] = entry.url
    if bulletin.expires_at:
        about["expires"] = bulletin.expires_at.isoformat()
    if text.image:
        about["image"] = text.image.url
    return about


def clean(text: str) -> str:
    """``text`` without what no page, feed or JSON may hold."""
    return _NOT_FOR_PAGES.sub("", _LINE_ENDS.sub(" ", text))


def _cleaned(text: Text) -> Text:
    image = text.image
    return replace(
        text,
        title=clean(text.title),
        summary=clean(text.summary),
        body_html=clean(text.body_html),
        contact=clean(text.contact),
        change=clean(text.change),
        links=tuple(_cleaned_links(text.links)),
        image=Image(clean(image.url), clean(image.alt)) if image and _leads_somewhere(image.url) else None,
    )


def _cleaned_links(links: Iterable[Link]) -> Iterable[Link]:
    return (Link(clean(link.label) or clean(link.url), clean(link.url).strip()) for link in links)


def _leads_somewhere(url: str) -> bool:
    """Whether a reader may be sent there: a web, mail or telephone address, and no script."""
    try:
        return urlsplit(url).scheme in _SAFE_SCHEMES
    except ValueError:
        return False
