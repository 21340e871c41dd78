"""Markdown in; HTML and plain text out."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from dispatcher.announcements.text import BODY_LIMIT, LINK_LIMIT, TextRefused, body_html, plain_text

BODY = """## Wat verandert er?

Het gemeentehuis is **dicht** vanaf *maandag 16 maart*.
Lees [de regels](https://www.losser.nl/regels) of bel [053 537 74 44](tel:+31535377444).

- een afspraak
- een paspoort
  1. aanvragen
  2. ophalen

> Dit is een citaat.
>
> Met twee alinea's.

| Dag | Open |
| --- | --- |
| maandag | 9.00 tot 12.00 uur |
| dinsdag | |

***

Mail info@losser.nl of kijk op www.losser.nl/corona.
"""


def test_plain_text_reads_well_by_itself() -> None:
    assert plain_text(BODY) == (
        "Wat verandert er?\n\n"
        "Het gemeentehuis is dicht vanaf maandag 16 maart. "
        "Lees de regels (https://www.losser.nl/regels) of bel 053 537 74 44.\n\n"
        "- een afspraak\n- een paspoort\n  1. aanvragen\n  2. ophalen\n\n"
        "> Dit is een citaat.\n>\n> Met twee alinea's.\n\n"
        "- Dag: maandag; Open: 9.00 tot 12.00 uur\n- Dag: dinsdag\n\n"
        "* * *\n\n"
        "Mail info@losser.nl of kijk op www.losser.nl/corona."
    )


def test_html_has_the_structure_and_its_language() -> None:
    block = html.fragment_fromstring(body_html(BODY, "nl"))
    assert (block.tag, block.get("lang"), block.get("dir")) == ("div", "nl", "ltr")
    assert [heading.text for heading in block.iter("h2")] == ["Wat verandert er?"]
    assert [link.get("href") for link in block.iter("a")] == [
        "https://www.losser.nl/regels",
        "tel:+31535377444",
        "mailto:info@losser.nl",
        "https://www.losser.nl/corona",
    ]
    assert [cell.text_content() for cell in block.iter("th")] == ["Dag", "Open"]


def test_the_page_keeps_its_only_h1() -> None:
    assert "<h2>Kop</h2>" in body_html("# Kop", "nl")
    assert "<h3>Kop</h3>" in body_html("### Kop", "nl")


def test_arabic_runs_from_right_to_left() -> None:
    assert body_html("مرحبا", "ar").startswith('<div lang="ar" dir="rtl">')


def test_language_cannot_break_out_of_its_attribute() -> None:
    assert '"><script>' not in body_html("x", 'nl"><script>')


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("[https://a.nl/x](https://a.nl/x)", "https://a.nl/x"),
        ("[a.nl/x](https://a.nl/x/)", "a.nl/x"),
        ("<https://a.nl>", "https://a.nl"),
        ("[schrijf](mailto:info@losser.nl)", "schrijf (info@losser.nl)"),
        ("[](https://a.nl)", "https://a.nl"),
        ("https://nl.wikipedia.org/wiki/Losser_(gemeente).", "https://nl.wikipedia.org/wiki/Losser_(gemeente)."),
        ("(zie https://a.nl/b)", "(zie https://a.nl/b)"),
        ("`code` en\\\nregel", "code en\nregel"),
        ("```\nblok  \n```", "blok"),
        ("3. drie\n4. vier", "3. drie\n4. vier"),
        ("- los\n\n- lijst\n\n  alinea", "- los\n- lijst\n\n  alinea"),
        ("&lt;b&gt; &amp; &copy;", "<b> & ©"),
        ("<b>rauw</b>", "<b>rauw</b>"),
        ("| kop |\n| --- |", "kop"),
        ("", ""),
    ],
)
def test_plain_text_of_small_things(source: str, text: str) -> None:
    assert plain_text(source) == text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "/relatief",
        "ftp://a.nl",
        "https://a.nl@b.nl",
        "https:///x",
        "vbscript:x",
    ],
)
def test_a_link_that_leads_nowhere_good_stays_text(url: str) -> None:
    assert "<a" not in body_html(f"[klik]({url}) <{url}>", "nl")
    assert url in plain_text(f"[klik]({url})")


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("a" * (BODY_LIMIT + 12), "12 characters too long (50,012 of 50,000)"),
        ("https://a.nl/ " * (LINK_LIMIT + 1), "51 links"),
        ("> " * 30 + "diep", "nested too deep"),
        ("\n".join("  " * depth + "- x" for depth in range(15)), "nested too deep"),
        ("![kaart](https://a.nl/x.png)", "picture"),
        ("|a" * 21 + "|\n" + "|-" * 21 + "|", "20 columns"),
    ],
)
def test_refuses_what_cannot_be_shown_everywhere(source: str, what: str) -> None:
    for render in (plain_text, lambda text: body_html(text, "nl")):
        with pytest.raises(TextRefused, match=re.escape(what)) as refused:
            render(source)
        assert refused.value.remedy


PIECES = ["# ", "> ", "- ", "1. ", "*", "**", "`", "<", ">", "&", "\n", "\n\n", "  \n", "x", "é", "\\", "    ", "***"]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_html_and_plain_text_say_the_same(source: str) -> None:
    read = html.fragment_fromstring(body_html(source, "nl")).text_content()
    assert re.findall(r"[^\W\d]", plain_text(source)) == re.findall(r"[^\W\d]", read)


@given(st.lists(st.sampled_from([*PIECES, "[a](https://b.nl)", "|", "---", "```"]), max_size=40).map("".join))
def test_plain_text_has_no_trailing_junk(source: str) -> None:
    text = plain_text(source)
    assert text == text.strip("\n")
    assert text == text.rstrip()
