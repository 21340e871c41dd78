"""A03, token guessing, reuse, expiry: one page for every wrong token, and a log that says why without the token."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from dispatcher.audience.models import Address, RefusedTokens
from dispatcher.audience.tokens import Purpose, make
from tests.support.logged import log_events
from tests.support.residents import every_row, resident

pytestmark = pytest.mark.django_db

PURPOSES = (Purpose.LEAVE, Purpose.CONFIRM, Purpose.PREFERENCES)


def _right(purpose: Purpose, address: Address) -> str:
    return make(purpose, address.public_id, address.subscriber.epoch)


def _flip(token: str, place: int) -> str:
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


WRONG: dict[str, Callable[[Purpose, Address], str]] = {
    "random": lambda purpose, _: purpose[0] + secrets.token_urlsafe(33),
    "cut short": lambda purpose, address: _right(purpose, address)[:-1],
    "made longer": lambda purpose, address: _right(purpose, address) + "A",
    "first bit of the id": lambda purpose, address: _flip(_right(purpose, address), 1),
    "first of the signature": lambda purpose, address: _flip(_right(purpose, address), 23),
    "last of the signature": lambda purpose, address: _flip(_right(purpose, address), 44),
    "another letter before it": lambda purpose, address: "x" + _right(purpose, address)[1:],
    "made for another purpose": lambda purpose, address: _right(PURPOSES[PURPOSES.index(purpose) - 1], address),
    "that of another purpose under this letter": lambda purpose, address: (
        _right(purpose, address)[0] + _right(PURPOSES[PURPOSES.index(purpose) - 1], address)[1:]
    ),
    "of nobody": lambda purpose, _: make(purpose, secrets.token_hex(16), 0),
    "of an earlier epoch": lambda purpose, address: make(purpose, address.public_id, address.subscriber.epoch - 1),
    "the id alone": lambda _, address: address.public_id,
    "a number": lambda _, address: str(address.pk),
    "other script": lambda purpose, address: "é" + _right(purpose, address)[1:],
    "a null": lambda purpose, address: _right(purpose, address)[:-1] + "\x00",
}


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a03_every_wrong_token_gets_the_same_page_and_changes_nothing(client: Client, purpose: Purpose) -> None:
    address = resident("pending")
    address.subscriber.epoch = 3
    address.subscriber.save()
    pages, rows = set(), every_row()
    rows.pop(RefusedTokens._meta.label)
    for name, wrong in WRONG.items():
        token = wrong(purpose, address)
        with log_events() as lines:
            answers = [client.get(f"/{purpose}/{token}"), client.post(f"/{purpose}/{token}", {"leave": "yes"})]
        assert [answer.status_code for answer in answers] == [404, 404], name
        for answer in answers:
            # The link to the other language repeats the address that was asked for; nothing else differs.
            pages.add(answer.content.decode().split('<main id="content"')[1])
            assert answer["Referrer-Policy"] == "no-referrer"
            assert answer["Cache-Control"] == "no-store"
            assert "Set-Cookie" not in answer.headers
        told = [line for line in lines if line["event"] == "token.refused"]
        assert len(told) == 2
        assert told[0]["purpose"] == purpose
        assert told[0]["reason"] in {"malformed", "unknown", "signature"}
        assert len(token) < 32 or token not in str(lines)
        RefusedTokens.objects.all().delete()
    assert len(pages) == 1
    after = every_row()
    after.pop(RefusedTokens._meta.label)
    assert after == rows


def test_a03_raising_the_epoch_revokes_every_token(client: Client) -> None:
    address = resident()
    tokens = {purpose: _right(purpose, address) for purpose in PURPOSES}
    assert {client.get(f"/{purpose}/{token}").status_code for purpose, token in tokens.items()} == {200}
    address.subscriber.epoch += 1
    address.subscriber.save()
    assert {client.get(f"/{purpose}/{token}").status_code for purpose, token in tokens.items()} == {404}


def test_a03_a_token_of_the_key_before_still_counts_until_that_key_is_dropped(
    client: Client, settings: Settings
) -> None:
    path = f"/leave/{_right(Purpose.LEAVE, resident())}"
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-key-0123456789abcdef0123456789", [settings.SECRET_KEY]
    assert client.get(path).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(path).status_code == 404


def test_a03_guessing_goes_from_not_found_to_too_many(client: Client) -> None:
    with log_events() as lines:
        found = [client.get(f"/confirm/c{secrets.token_urlsafe(33)}").status_code for _ in range(100)]
    assert found == [404] * 30 + [429] * 70
    assert RefusedTokens.objects.get().refused == 30
    assert [line["event"] for line in lines].count("token.limited") == 1


def test_a03_no_token_is_stored(client: Client) -> None:
    address = resident("pending")
    for purpose in PURPOSES:
        client.get(f"/{purpose}/{_right(purpose, address)}")
    client.get("/leave/wrong-token-of-someone")
    stored = str(every_row())
    assert "wrong-token-of-someone" not in stored
    for purpose in PURPOSES:
        assert _right(purpose, address)[1:] not in stored
