"""A16, unreadable or deceiving characters: gone from titles, harmless in bodies, and told."""

import unicodedata
from typing import Any

import pytest

from dispatcher.announcements.cleaning import clean
from dispatcher.announcements.links import normal_url
from dispatcher.announcements.source import AnnouncementSource, TextSource
from dispatcher.announcements.text import body_html, plain_text

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
UNSEEN = "\u200b\u200c\u200d\u2060\u2061\u2064\ufeff\u00ad\u034f\u180e\u3164\u115f\uffa0\u2800"
UNSEEN += "\U000e0020\U000e0041\U000e0100\ufe00"
BROKEN = "\x00\x07\x1b\x7f\x80\x9f\ud800\udfff\ufdd0\uffff\ue000"


def text(**fields: Any) -> TextSource:
    return TextSource.model_validate({"title": "T", "summary": "S", "body": "B"} | fields)


@pytest.mark.parametrize("character", BIDI + UNSEEN)
@pytest.mark.parametrize("field", ["title", "summary", "contact", "change"])
def test_a16_what_is_unseen_is_out_of_short_texts(field: str, character: str) -> None:
    cleaned = getattr(text(**{field: f"Losser{character}.nl"}), field)
    assert cleaned == "Losser.nl"


@pytest.mark.parametrize("character", BROKEN)
def test_a16_what_cannot_be_read_becomes_nothing_or_a_space(character: str) -> None:
    assert text(title=f"a{character}b").title in ("ab", "a b")
    body = text(body=f"a{character}b").body
    assert plain_text(body) in ("ab", "a b")
    body_html(body, "nl").encode("utf-8")


def test_a16_a_body_holds_no_bidi_control_so_every_paragraph_is_balanced() -> None:
    body = text(body=f"een {BIDI} twee\n\n{BIDI} drie").body
    assert not set(body) & set(BIDI)
    assert plain_text(body) == "een twee\n\ndrie"


def test_a16_marks_do_not_climb_over_other_lines() -> None:
    title = text(title="Z" + "\u0300\u0316" * 50 + "algo").title
    assert sum(unicodedata.combining(character) > 0 for character in title) <= 4
    assert title.startswith("Z")
    assert title.endswith("algo")


def test_a16_length_is_counted_on_the_cleaned_text() -> None:
    assert len(text(title="\u200b".join("a" * 200)).title) == 200
    with pytest.raises(ValueError, match="1 character too long"):
        text(title="a" * 201)


def test_a16_what_was_cleaned_is_told_by_code_point() -> None:
    assert clean("Losser\u202e.nl\u200b").changed == ("U+202E", "U+200B")


@pytest.mark.parametrize(
    ("written", "real"),
    [
        ("https://lоsser.nl/x", "https://xn--lsser-jye.nl/x"),  # a Cyrillic o
        ("https://LOSSER.nl/X", "https://losser.nl/X"),
        ("https://ｌosser.nl", "https://losser.nl"),
    ],
)
def test_a16_a_link_shows_the_host_it_really_has(written: str, real: str) -> None:
    assert normal_url(written) == real
    assert text(links=[{"label": "x", "url": written}]).links[0].url == real


def test_a16_a_disguised_link_in_a_body_shows_its_host_in_the_plain_text() -> None:
    assert plain_text("[losser.nl](https://lоsser.nl/x)") == "losser.nl (https://xn--lsser-jye.nl/x)"


def test_a16_an_announcement_is_cleaned_whichever_face_hands_it_in() -> None:
    source = AnnouncementSource.model_validate(
        {"kind": "news", "audience": ["resident"], "topics": ["events\u200b"], "texts": {"nl": text(title="a\u2028b")}}
    )
    assert source.topics == ("events",)
    assert source.texts["nl"].title == "a b"
