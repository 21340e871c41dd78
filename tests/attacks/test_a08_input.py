"""A08, header injection, the half at the input: no title, name or address holds what could end a header."""

from typing import Any

import pytest
from pydantic import ValidationError

from dispatcher.announcements.source import TextSource
from dispatcher.audience.addresses import AddressInvalid, normal_form

ENDS = ["\r\n", "\n", "\r", "\x00", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\u2028", "\u2029"]
ONE_LINE = ["title", "summary", "contact", "change"]


def text(**fields: Any) -> TextSource:
    return TextSource.model_validate({"title": "T", "summary": "S", "body": "B"} | fields)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("field", ONE_LINE)
def test_a08_short_texts_are_one_line_of_visible_characters(field: str, end: str) -> None:
    value = getattr(text(**{field: f"Nieuws{end}Bcc: x@evil.example"}), field)
    assert value == "Nieuws Bcc: x@evil.example"
    assert value.splitlines() == [value]
    assert value.isprintable()


@pytest.mark.parametrize("end", ENDS)
def test_a08_labels_and_alternative_texts_are_one_line(end: str) -> None:
    source = text(
        links=[{"label": f"a{end}b", "url": "https://losser.nl"}],
        image={"url": "https://losser.nl/a.png", "alt": f"a{end}b"},
    )
    assert source.image is not None
    assert (source.links[0].label, source.image.alt) == ("a b", "a b")


@pytest.mark.parametrize("end", [*ENDS, "%0d%0a", " "])
def test_a08_a_link_field_holds_one_address(end: str) -> None:
    url = f"https://losser.nl/{end}Location: https://evil.example"
    with pytest.raises(ValidationError, match="is not a link"):
        text(links=[{"label": "a", "url": url}])


@pytest.mark.parametrize("end", [*ENDS, "\t", "%0d%0a "])
@pytest.mark.parametrize(
    "pattern", ["a@losser.nl{}Bcc: b@evil.example", "a{}@losser.nl", "{}a@losser.nl", "a@losser.nl{}"]
)
def test_a08_an_address_with_a_line_end_is_refused(pattern: str, end: str) -> None:
    with pytest.raises(AddressInvalid) as refused:
        normal_form(pattern.format(end))
    assert "evil" not in str(refused.value)


@pytest.mark.parametrize("field", ONE_LINE)
def test_a08_a_value_of_two_thousand_characters_is_refused(field: str) -> None:
    with pytest.raises(ValidationError, match="characters too long"):
        text(**{field: "a" * 2000})


@pytest.mark.parametrize("words", ["=?utf-8?q?Bcc:?=", "%0d%0aBcc: x", "\\r\\nBcc: x"])
def test_a08_what_only_looks_like_a_line_end_is_text(words: str) -> None:
    assert text(title=words).title == words
