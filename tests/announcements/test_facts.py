"""Finding facts: what a reader acts on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import FactKind as ContractKind
from dispatcher.announcements.facts import Fact, FactKind, facts


def found(text: str, language: str = "nl") -> list[tuple[str, str]]:
    return [(fact.kind.value, fact.text) for fact in facts(text, language)]


def test_kinds_are_those_of_the_channels() -> None:
    assert [kind.value for kind in FactKind] == [kind.value for kind in ContractKind]


@pytest.mark.parametrize(
    ("language", "text", "dates"),
    [
        ("nl", "Op dinsdag 9 juli 2019 stelde de raad de visie vast.", ["dinsdag 9 juli 2019"]),
        ("nl", "Maandag 16 maart is het dicht.", ["Maandag 16 maart"]),
        ("nl", "Van 16 t/m 20 maart en op 1 apr. 2020.", ["16 t/m 20 maart", "1 apr. 2020"]),
        ("nl", "Op maandag 16 en dinsdag 17 maart.", ["maandag 16 en dinsdag 17 maart"]),
        ("nl", "Op 16-03-2020, 16/3/2020 en 2020-03-16.", ["16-03-2020", "16/3/2020", "2020-03-16"]),
        ("nl", "In maart 2020, elke woensdag.", ["maart 2020", "woensdag"]),
        ("nl", "Op 45-13-2020 en 16-03-20201.", []),
        ("nl", "Morgen, volgende week of overmorgen.", []),
        ("nl", "De mei is mooi en maart roert zijn staart.", []),
        ("en", "Closed from Monday, March 16th, 2020 until 6 April.", ["Monday, March 16th, 2020", "6 April"]),
        ("en", "On the 16th of March and May 4 and 5.", ["16th of March", "May 4 and 5"]),
        ("en", "Open on Tuesdays. You may 3 times.", ["Tuesdays", "may 3"]),
        ("de", "Am Montag, 16. März 2020", ["Montag, 16. März 2020"]),
        ("pl", "16 marca 2020, poniedziałek", ["16 marca 2020", "poniedziałek"]),
        ("uk", "16 березня 2020", ["16 березня 2020"]),
    ],
)
def test_dates(language: str, text: str, dates: list[str]) -> None:
    assert [written for kind, written in found(text, language) if kind == "date"] == dates


@pytest.mark.parametrize(
    ("language", "text", "times"),
    [
        ("nl", "Om 17.00 uur, 17:30 en vanaf 19.00.", ["17.00 uur", "17:30", "19.00"]),
        ("nl", "Open van 8.30 tot 17.00 uur.", ["8.30 tot 17.00 uur"]),
        ("nl", "Open 8.30 - 17.00, en 9 tot 12 uur.", ["8.30 - 17.00", "9 tot 12 uur"]),
        ("nl", "Versie 2.10, artikel 3.12 en 5.30 euro.", []),
        ("nl", "Binnen 24 uur.", ["24 uur"]),
        ("en", "From 9 am to 5 pm, at 5.30 p.m. or noon.", ["9 am to 5 pm", "5.30 p.m.", "noon"]),
        ("en", "I am 5 pmol.", []),
    ],
)
def test_times(language: str, text: str, times: list[str]) -> None:
    assert [written for kind, written in found(text, language) if kind == "time"] == times


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bel 053 537 74 44 of 14 053.", [("phone", "053 537 74 44"), ("phone", "14 053")]),
        (
            "Bel 06-12345678, +31 53 537 74 44 of 0800-8051.",
            [("phone", "06-12345678"), ("phone", "+31 53 537 74 44"), ("phone", "0800-8051")],
        ),
        ("Bel 112 bij nood.", [("phone", "112")]),
        ("Dossier 1234567890123, € 112 en 112,50.", [("amount", "€ 112")]),
        (
            "Het kost € 12,50, €1.250.000,- of 1,5 miljoen euro.",
            [("amount", "€ 12,50"), ("amount", "€1.250.000,-"), ("amount", "1,5 miljoen euro")],
        ),
        ("EUR 5, 12% en 3,5 procent.", [("amount", "EUR 5"), ("amount", "12%"), ("amount", "3,5 procent")]),
        ("Raadhuisplein 1, 7581 AG Losser.", [("address", "Raadhuisplein 1"), ("address", "7581 AG")]),
        (
            "Kom naar de Burgemeester van der Heijdenstraat 12a.",
            [("address", "Burgemeester van der Heijdenstraat 12a")],
        ),
        ("Postbus 90, 7580 AB Losser", [("address", "Postbus 90"), ("address", "7580 AB")]),
        ("Nieuwland 3, 7581 AA", [("address", "Nieuwland 3"), ("address", "7581 AA")]),
        ("Artikel 5 van Fase 2, in 2020 IN 2021, 1940 SS.", []),
        (
            "Zie https://www.losser.nl/corona. Of www.losser.nl/x, ja.",
            [("url", "https://www.losser.nl/corona"), ("url", "www.losser.nl/x")],
        ),
        ("(https://a.nl/b_(c)) en [x](https://a.nl/y)", [("url", "https://a.nl/b_(c)"), ("url", "https://a.nl/y")]),
        ("Mail info@losser.nl.", [("email", "info@losser.nl")]),
        (
            "Kom niet. Geen probleem, nooit zonder.",
            [("negation", "niet"), ("negation", "Geen"), ("negation", "nooit"), ("negation", "zonder")],
        ),
        ("Dit is leuk.", []),
    ],
)
def test_facts_in_dutch(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


def test_english_denies_with_other_words() -> None:
    assert found("Don't come, no cash, never cannot.", "en") == [
        ("negation", "Don't"),
        ("negation", "no"),
        ("negation", "never"),
        ("negation", "cannot"),
    ]
    assert found("no", "nl") == []


def test_a_fact_stands_once_and_in_order() -> None:
    assert found("Om 17.00 uur. Bel 14 053. Om 17.00 uur.") == [("time", "17.00 uur"), ("phone", "14 053")]


def test_no_fact_runs_over_a_line_end() -> None:
    assert found("Markt 5\n16 maart\n2020") == [("address", "Markt 5"), ("date", "16 maart")]


@given(
    st.lists(
        st.sampled_from(
            [
                "16 maart ",
                "om 17.00 ",
                "uur ",
                "€ 5,- ",
                "niet ",
                "a@b.nl ",
                "https://c.nl/ ",
                "Markt 5 ",
                "7581 AA ",
                "053 537 74 44 ",
                "x",
                ". ",
                "\n",
                "9 tot ",
            ]
        ),
        max_size=25,
    ).map("".join),
    st.sampled_from(["nl", "en", "tr"]),
)
def test_every_fact_stands_in_the_text_as_written(text: str, language: str) -> None:
    for fact in facts(text, language):
        assert fact.text == fact.text.strip()
        assert fact.text in text
        assert "\n" not in fact.text


def test_the_same_text_has_the_same_facts() -> None:
    assert facts("Om 17.00 uur", "nl") == (Fact(FactKind.TIME, "17.00 uur"),)
