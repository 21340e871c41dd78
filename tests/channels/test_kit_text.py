"""Facts, shortening, and the filters of templates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from markupsafe import Markup

from channels.contract import Fact, FactKind, Unit
from channels.kit.facts import missing
from channels.kit.shorten import measure, shorten
from channels.kit.templates import clock, day, environment, fact_spans, moment

TIME, PHONE, URL = (
    Fact(FactKind.TIME, "9.10 uur"),
    Fact(FactKind.PHONE, "053 000 00 00"),
    Fact(FactKind.URL, "https://losser.example/a"),
)
NOT = Fact(FactKind.NEGATION, "niet")


def test_facts_are_found_whatever_white_space_they_are_written_with() -> None:
    assert missing([TIME, PHONE, URL], "Om 9.10\u00a0uur:\n053\u202f000 00\n00, https://losser.example/a.") == ()
    assert missing([PHONE], "053\u00ad 000 00\u200b 00") == ()


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        (TIME, "Om 19.10 uur"),
        (TIME, "Om 9.10 uurtje"),
        (TIME, "Om 9.11 uur"),
        (NOT, "Genieten"),
        (PHONE, "1053 000 00 00"),
        (PHONE, "053 000 00 001"),
        (URL, "https://losser.example/abc"),
        (NOT, ""),
    ],
)
def test_part_of_something_else_is_no_fact(fact: Fact, text: str) -> None:
    assert missing([fact], text) == (fact,)


TEXT = (
    "Vanaf maandag 16 maart komt u alleen op afspraak. Bel 053 000 00 00, bijv. voor uw paspoort, of kijk op "
    "https://losser.example/een/lange/link?a=1. Tot 17.00 uur 👩‍👩‍👧‍👦 samen! De rest staat op de website."
)
WHOLE = ["053 000 00 00", "https://losser.example/een/lange/link?a=1", "17.00 uur", "👩‍👩‍👧‍👦"]


@pytest.mark.parametrize("unit", [Unit.CHARACTERS, Unit.GRAPHEMES, Unit.BYTES])
@pytest.mark.parametrize("url_length", [None, 23])
def test_no_length_cuts_inside_what_is_whole(unit: Unit, url_length: int | None) -> None:
    for length in range(measure(TEXT, unit, url_length) + 2):
        short = shorten(TEXT, length, unit, url_length)
        assert measure(short.text, unit, url_length) <= length
        assert short.cut == (short.text != TEXT)
        kept = short.text.removesuffix("…")
        assert TEXT.startswith(kept)
        if len(kept) > 5:
            rest = TEXT[len(kept) :]
            assert not rest[:1].isalnum() or not kept[-1:].isalnum(), "between words"
            for whole in WHOLE:
                start = TEXT.index(whole)
                assert not start < len(kept) < start + len(whole), short


def test_it_ends_at_a_sentence_where_that_keeps_half() -> None:
    assert shorten(TEXT, 60).text == "Vanaf maandag 16 maart komt u alleen op afspraak."
    assert shorten(TEXT, 49).text == "Vanaf maandag 16 maart komt u alleen op afspraak."
    assert shorten(TEXT, 40).text == "Vanaf maandag 16 maart komt u alleen op…"
    assert shorten("Kort.", 5) == shorten("Kort.", None)


def test_an_abbreviation_ends_no_sentence() -> None:
    assert not shorten("Neem mee: bijv. Paspoort of rijbewijs van u.", 22).text.endswith("bijv.")


def test_urls_count_as_the_service_says() -> None:
    text = "Zie https://losser.example/een/heel/erg/lange/link en meer."
    assert measure(text, Unit.CHARACTERS, 23) == len("Zie  en meer.") + 23
    assert measure("👩‍👩‍👧‍👦é", Unit.GRAPHEMES) == 2
    assert measure("é", Unit.BYTES) == 2


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("gewoon é", 8),
        ("’s avonds – straks", 18),
        ("日本", 4),
        ("👩‍👩‍👧‍👦", 2),
        ("🇳🇱", 2),
        ("1️⃣", 2),
        ("1 # a", 5),
        ("€ 5", 4),
    ],
)
def test_x_weighs_other_scripts_and_emoji_double(text: str, weight: int) -> None:
    assert measure(text, Unit.WEIGHTED) == weight


@given(text=st.text(max_size=200), length=st.integers(0, 100), unit=st.sampled_from(list(Unit)[1:]))
def test_any_text_fits_and_no_grapheme_is_split(text: str, length: int, unit: Unit) -> None:
    short = shorten(text, length, unit)
    assert measure(short.text, unit) <= length
    kept = short.text.removesuffix("…") if short.cut else text
    assert len(kept) in {0, *(m.end() for m in regex.finditer(r"\X", text))} or not text.startswith(kept)


def test_dates_and_times_are_written_as_each_language_writes_them() -> None:
    when = datetime(2026, 3, 17, 8, 10, tzinfo=UTC)
    assert moment(when, "nl", "Europe/Amsterdam") == "dinsdag 17 maart 2026, 9.10 uur"
    assert moment(when, "en", "Europe/Amsterdam") == "Tuesday 17 March 2026, 9:10"
    assert day(when, "de", "Europe/Amsterdam") == "Dienstag 17 März 2026"
    assert clock(when, "nl", "UTC") == "8.10 uur"
    assert day(when, "xx", "UTC") == "Tuesday 17 March 2026"


def test_facts_do_not_break_at_the_end_of_a_line() -> None:
    span = '<span class="fact">'
    assert fact_spans("Bel <053 000 00 00>", [PHONE]) == f"Bel &lt;{span}053 000 00 00</span>&gt;"
    html = Markup('<p title="053 000 00 00">053 000 00 00 <a href="tel:053">053 000 00 00</a></p>')
    assert fact_spans(html, [PHONE]) == (
        f'<p title="053 000 00 00">{span}053 000 00 00</span> <a href="tel:053">053 000 00 00</a></p>'
    )
    assert fact_spans("<b>", []) == "&lt;b&gt;"
    assert fact_spans("https://losser.example/a", [URL]) == "https://losser.example/a"


def test_templates_escape_by_their_ending_and_forgive_no_missing_name() -> None:
    made = environment()
    assert made.autoescape("email/body.html") is True  # type: ignore[operator]
    assert made.autoescape("feed.xml") is True  # type: ignore[operator]
    assert made.autoescape("email/body.txt") is False  # type: ignore[operator]
    with pytest.raises(UndefinedError):
        made.get_template("email/subject.txt").render(language="nl")
