"""A10, odd addresses: refused with one message, or in one normal form."""

import pytest

from dispatcher.audience.addresses import AddressInvalid, normal_form, shown

ODD = [
    "a@[127.0.0.1]",
    "a@[IPv6:::1]",
    '"a b"@losser.nl',
    "a@localhost",
    "a@x",
    "a@x..y",
    "a@.losser.nl",
    "a@losser.nl.",
    "a@-losser.nl",
    "a@losser_.nl",
    "a" * 65 + "@losser.nl",
    "a@" + "b" * 64 + ".nl",
    "a" * 64 + "@" + ".".join(["b" * 60] * 4) + ".nl",
    "a" * 100_000 + "@losser.nl",
    "@losser.nl",
    "a@",
    "a",
    "",
    " ",
    "a@@losser.nl",
    "a@b@losser.nl",
    "<a@losser.nl>,b@losser.nl",
    "a@losser.nl,b@losser.nl",
    "a@losser.nl b@losser.nl",
    "Jan <a@losser.nl>",
    "a@losser.nl\t",
    "a@losser.nl\n",
    "-oX@losser.nl",
    "a.@losser.nl",
    ".a@losser.nl",
    "a..b@losser.nl",
    "a\u200b@losser.nl",
    "a\u202e@losser.nl",
    "a\u2066@losser.nl",
    "a\u0000@losser.nl",
    "a\ud800@losser.nl",
    "a@\u200blosser.nl",
    "a@losser.test",
    "a@losser.invalid",
    "a@practice.invalid.nl.invalid",
    "a@1.2.3.4",
    "a@xn--a.nl",
]


@pytest.mark.parametrize("address", ODD)
def test_a10_is_refused_with_one_message(address: str) -> None:
    with pytest.raises(AddressInvalid) as refused:
        normal_form(address)
    assert str(refused.value) == AddressInvalid.sentences["en"]


@pytest.mark.parametrize(
    ("spellings", "normal"),
    [
        (
            ["Anna@Losser.NL", "anna@losser.nl", " anna@losser.nl ", "ANNA@LOSSER.NL", "anna@ｌosser.nl"],
            "anna@losser.nl",
        ),
        (["a@münchen.de", "a@MÜNCHEN.de", "a@xn--mnchen-3ya.de", "a@mu\u0308nchen.de"], "a@xn--mnchen-3ya.de"),
        (["josé@losser.nl", "jose\u0301@losser.nl"], "josé@losser.nl"),
        (["a+tag@losser.nl"], "a+tag@losser.nl"),
        (["resident-0001@practice.invalid", "Resident-0001@Practice.Invalid"], "resident-0001@practice.invalid"),
    ],
)
def test_a10_spellings_of_one_address_are_one(spellings: list[str], normal: str) -> None:
    assert {normal_form(spelling) for spelling in spellings} == {normal}
    assert normal_form(normal) == normal


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a@münchen.de", "a@münchen.de"),
        ("a@аpple.com", "a@xn--pple-43d.com"),  # a Cyrillic a
        ("a@раураӏ.com", "a@xn--80aa0cbo65f.com"),  # all Cyrillic but the last label
        ("a@москва.рф", "a@москва.рф"),
        ("a@losser.nl", "a@losser.nl"),
    ],
)
def test_a10_a_domain_of_mixed_scripts_is_shown_as_what_it_is(written: str, read: str) -> None:
    assert shown(normal_form(written)) == read


def test_a10_the_practice_domain_exists_in_practice_only(settings: object) -> None:
    settings.PRACTICE = False  # type: ignore[attr-defined]
    with pytest.raises(AddressInvalid):
        normal_form("resident-0001@practice.invalid")
