"""Tokens: nobody can make or change one, and a raised epoch revokes it."""

import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.audience.tokens import Purpose, make, maker, read, verify

ID = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_is_ours_for_its_purpose_and_epoch_only(purpose: Purpose) -> None:
    token = make(purpose, ID, 7)
    assert read(purpose, token) == ID
    assert verify(purpose, token, 7)
    assert not verify(purpose, token, 8)
    for other in set(Purpose) - {purpose}:
        assert read(other, token) is None
        assert not verify(other, token, 7)
        assert token[1:] not in make(other, ID, 7)


def test_it_is_short_and_safe_in_an_address() -> None:
    token = make(Purpose.LEAVE, ID, 0)
    assert len(token) == 45
    assert token.replace("-", "").replace("_", "").isalnum()


def test_every_changed_character_is_refused() -> None:
    token = make(Purpose.LEAVE, ID, 0)
    for place in range(len(token)):
        for character in "lcgpAz09-_+/= é":
            changed = token[:place] + character + token[place + 1 :]
            assert verify(Purpose.LEAVE, changed, 0) is (changed == token)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t + "=", lambda t: t[:20], lambda t: t[:0], str.upper]
)
def test_a_token_of_another_length_or_case_is_refused(change: Any) -> None:
    assert not verify(Purpose.LEAVE, change(make(Purpose.LEAVE, ID, 0)), 0)


@given(st.text(max_size=60))
def test_whatever_comes_is_no_token_and_no_error(text: str) -> None:
    assert not verify(Purpose.LOGIN, text, 0)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**31))
def test_what_is_made_is_read_again(identity: bytes, epoch: int) -> None:
    token = make(Purpose.CONFIRM, identity.hex(), epoch)
    assert read(Purpose.CONFIRM, token) == identity.hex()
    assert verify(Purpose.CONFIRM, token, epoch)


def test_the_id_and_the_epoch_cannot_run_into_each_other() -> None:
    assert make(Purpose.LEAVE, ID, 1)[24:] != make(Purpose.LEAVE, ID, 11)[24:]


def test_another_key_makes_another_token(settings: Any) -> None:
    token = make(Purpose.LEAVE, ID, 0)
    old, settings.SECRET_KEY = settings.SECRET_KEY, secrets.token_hex(32)
    assert not verify(Purpose.LEAVE, token, 0)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert verify(Purpose.LEAVE, token, 0)


def test_in_bulk_they_are_the_same() -> None:
    write = maker(Purpose.LEAVE)
    assert write(ID, 3) == make(Purpose.LEAVE, ID, 3)


@pytest.mark.parametrize("public_id", ["", "abc", "zz" * 16, ID + "00", ID[:-2]])
def test_only_public_ids_get_one(public_id: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        make(Purpose.LEAVE, public_id, 0)
