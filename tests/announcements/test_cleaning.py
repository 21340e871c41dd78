"""Cleaning: what cannot be seen, or misleads, is gone before a text is stored."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.announcements.cleaning import clean

ANY_TEXT = st.text(st.characters(), max_size=60)


@pytest.mark.parametrize(
    ("written", "line", "lines"),
    [
        ("a\r\nBcc: b", "a Bcc: b", "a\nBcc: b"),
        ("a\rb", "a b", "a\nb"),
        ("a\u2028b", "a b", "a\nb"),
        ("a\u2029b", "a b", "a\n\nb"),
        ("a\u0085b", "a b", "a\nb"),
        ("a\x0bb\x0cc", "a b c", "a\nb\nc"),
        ("a\x00b\x1fc", "a b c", "a b c"),
        ("a\tb", "a b", "a\tb"),
        ("  a   b  ", "a b", "  a   b"),
        ("regel  \nvolgende", "regel volgende", "regel  \nvolgende"),
        ("regel \nvolgende\n\n", "regel volgende", "regel\nvolgende"),
        ("\u202eabc\u202c", "abc", "abc"),
        ("\u2066a\u2069 \u200eb", "a b", "a b"),
        ("wacht\u200bwoord\ufeff\u2060\u00ad", "wachtwoord", "wachtwoord"),
        ("\U000e0041a", "a", "a"),
        ("\ud800a\udfff", "a", "a"),
        ("\ue000a\ufdd0\uffff", "a", "a"),
        ("a\u3164b\u2800c", "abc", "abc"),
        ("e\u0301", "é", "é"),
        ("€\u00a012,50", "€\u00a012,50", "€\u00a012,50"),
        ("a\u3000b", "a b", "a b"),
    ],
)
def test_cleans_a_line_and_lines(written: str, line: str, lines: str) -> None:
    assert clean(written).text == line
    assert clean(written, lines=True).text == lines


@pytest.mark.parametrize(
    "kept",
    [
        "👨\u200d👩\u200d👧 gezin",
        "👩🏽\u200d🚒",
        "🏳\ufe0f\u200d🌈",
        "❤\ufe0f 1\ufe0f\u20e3",
        "می\u200cخواهم",
        "क्\u200dष",
        "Ủy ban nhân dân",
        "שָׁלוֹם",
        "مرحبا بالعالم",
    ],
)
def test_keeps_joiners_and_marks_that_scripts_and_emoji_need(kept: str) -> None:
    kept = unicodedata.normalize("NFC", kept)
    cleaned = clean(kept)
    assert cleaned.text == kept
    assert cleaned.changed == ()


def test_takes_joiners_out_where_they_join_nothing() -> None:
    assert clean("admin\u200d").text == "admin"
    assert clean("ad\u200cmin").text == "admin"
    assert clean("a\u200d\u200db").text == "ab"


def test_marks_do_not_pile_up() -> None:
    cleaned = clean("Z" + "\u0335" * 100 + "algo")
    assert cleaned.text == "Z" + "\u0335" * 4 + "algo"
    assert cleaned.changed == ("U+0335",)


def test_says_which_code_points_it_changed_each_once() -> None:
    assert clean("\u202ea\u202eb\u2028c").changed == ("U+202E", "U+2028")
    assert clean("gewone tekst, één regel").changed == ()


@given(ANY_TEXT, st.booleans())
def test_cleaning_twice_is_cleaning_once(text: str, lines: bool) -> None:
    once = clean(text, lines=lines).text
    assert clean(once, lines=lines).text == once


@given(ANY_TEXT, st.booleans())
def test_nothing_unseen_is_left(text: str, lines: bool) -> None:
    cleaned = clean(text, lines=lines).text
    assert unicodedata.is_normalized("NFC", cleaned)
    left = {unicodedata.category(character) for character in cleaned.replace("\n", "").replace("\t", "")}
    assert not left & {"Cc", "Zl", "Zp", "Cs", "Co"}
    assert lines or not set(cleaned) & {"\n", "\t", "\r"}
    cleaned.encode("utf-8")
