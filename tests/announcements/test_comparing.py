"""Comparing languages: the same facts in other words are the same."""

import pytest

from dispatcher.announcements.comparing import differences, normal_form
from dispatcher.announcements.facts import FactKind, facts


@pytest.mark.parametrize(
    ("dutch", "english", "form"),
    [
        ("16 maart", "16 March", "--03-16"),
        ("maandag 16 maart 2020", "Monday, March 16th, 2020", "2020-03-16"),
        ("16-03-2020", "2020-03-16", "2020-03-16"),
        ("16-3-20", "16 March 2020", "2020-03-16"),
        ("16 t/m 20 maart", "16 to 20 March", "--03-16/--03-20"),
        ("maart 2020", "March 2020", "2020-03"),
        ("dinsdag", "Tuesdays", "weekday-2"),
        ("17.00 uur", "5 pm", "17:00"),
        ("8.30 tot 17.00 uur", "8.30 am to 5 p.m.", "08:30/17:00"),
        ("8 tot 17 uur", "8 to 5 pm", "08:00/17:00"),
        ("9 tot 11 uur", "9 to 11 am", "09:00/11:00"),
        ("14 tot 17 uur", "2 to 5 pm", "14:00/17:00"),
        ("0.30 uur", "12.30 am", "00:30"),
        ("24.00 uur", "midnight", "00:00"),
        ("053 537 74 44", "+31 53 537 74 44", "+31535377444"),
        ("€ 1.250,50", "€1,250.50", "EUR 1250.5"),
        ("€ 1.250", "EUR 1,250", "EUR 1250"),
        ("1,5 miljoen euro", "1.5 million euros", "EUR 1500000"),
        ("€ 12,-", "12 euros", "EUR 12"),
        ("3,5 procent", "3.5%", "3.5 %"),
        ("Burgemeester van Halstraat 12 a", "Van Halstraat 12a", "halstraat 12a"),
        ("Postbus 90", "P.O. Box 90", "postbus 90"),
        ("7581AG", "7581 AG", "7581AG"),
        ("www.losser.nl/a/", "https://www.losser.nl/a", "https://www.losser.nl/a"),
        ("Info@losser.nl", "info@losser.nl", "info@losser.nl"),
        ("niet", "no", "not"),
    ],
)
def test_the_normal_form_is_the_same_in_both_languages(dutch: str, english: str, form: str) -> None:
    for text, language in ((dutch, "nl"), (english, "en")):
        (fact,) = facts(text, language)
        assert normal_form(fact, language) == form


def test_the_same_facts_in_other_words_do_not_differ() -> None:
    assert (
        differences(
            {
                "nl": "Het gemeentehuis is vanaf maandag 16 maart niet open. Bel 053 537 74 44 van 9.00 tot 12.00 uur. "
                "Een paspoort kost € 12,50. Zie https://www.losser.nl/corona.",
                "en": "From Monday 16 March 2020 the town hall is not open. Call +31 53 537 74 44 from 9 am "
                "until 12 noon. "
                "A passport is 12.50 euros. See www.losser.nl/en/corona.",
            }
        )
        == []
    )


@pytest.mark.parametrize(
    ("dutch", "english", "kind"),
    [
        ("16 maart", "17 March", FactKind.DATE),
        ("16 maart 2020", "16 March 2021", FactKind.DATE),
        ("om 17.00 uur", "at 7 pm", FactKind.TIME),
        ("bel 14 053", "call 14 0541", FactKind.PHONE),
        ("€ 12,50", "€ 12.05", FactKind.AMOUNT),
        ("Raadhuisplein 1", "Raadhuisplein 11", FactKind.ADDRESS),
        ("a@losser.nl", "b@losser.nl", FactKind.EMAIL),
        ("https://losser.nl", "https://1osser.nl", FactKind.URL),
        ("Kom niet.", "Please come.", FactKind.NEGATION),
        ("Bel 112.", "Call.", FactKind.PHONE),
    ],
)
def test_tells_which_kind_differs_and_how_it_is_written(dutch: str, english: str, kind: FactKind) -> None:
    (difference,) = differences({"nl": dutch, "en": english})
    assert difference.kind == kind
    assert all(text in written for text, written in ((" ".join(difference.found["nl"]), dutch),))
    assert "verschilt per taal" in difference.sentence("nl")
    assert "differs between languages" in difference.sentence("en")


def test_the_sentence_quotes_both() -> None:
    (difference,) = differences({"nl": "op 16 maart", "en": "on 17 March"})
    assert difference.sentence("en") == "The date differs between languages: nl has '16 maart', en has '17 March'."
    (missing,) = differences({"nl": "bel 112", "en": "call"})
    assert missing.sentence("nl") == "Het telefoonnummer verschilt per taal: nl heeft '112', en heeft er geen."


def test_other_languages_are_compared_in_what_is_recognised_there() -> None:
    assert differences({"nl": "Om 17.00 uur niet open", "pl": "Zamknięte o 17"}) == []
    (difference,) = differences({"nl": "16 maart", "pl": "17 marca"})
    assert difference.kind == FactKind.DATE


def test_one_language_has_nothing_to_differ_from() -> None:
    assert differences({"nl": "16 maart"}) == []
    assert differences({}) == []
