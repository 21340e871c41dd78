"""Tokens in links: they say who, for what, and that we made them; nobody can make or change one.

A token is one letter for its purpose, then 33 bytes in base64url: the random public id (16) and the first 17 bytes
of HMAC-SHA256 over id and epoch, under a key of that purpose alone. 33 bytes fill their 44 characters to the last
bit, so each token is written in exactly one way. Raising a subscriber's epoch revokes every token made for them.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

from django.conf import settings

_ID_BYTES = 16
_MAC_BYTES = 17
_LENGTH = 1 + (_ID_BYTES + _MAC_BYTES) * 4 // 3


class Purpose(StrEnum):
    """What a token is for. A token of one purpose is refused for every other."""

    LEAVE = "leave"
    CONFIRM = "confirm"
    LOGIN = "login"
    PREFERENCES = "preferences"


_LETTERS = {Purpose.LEAVE: "l", Purpose.CONFIRM: "c", Purpose.LOGIN: "g", Purpose.PREFERENCES: "p"}


@lru_cache(maxsize=32)
def _writer(secret: str, purpose: Purpose) -> Callable[[str, int], str]:
    # A key that serves nothing else: knowing what one purpose signs helps with no other use of the secret.
    key = hmac.digest(secret.encode(), f"omroeper audience token {purpose}".encode(), "sha256")
    keyed = hmac.new(key, digestmod="sha256")  # copying it saves preparing the key for each token
    letter = _LETTERS[purpose]

    def write(public_id: str, epoch: int) -> str:
        identity = bytes.fromhex(public_id)
        if len(identity) != _ID_BYTES:
            raise ValueError("a public id is 32 hexadecimal digits")
        signing = keyed.copy()
        signing.update(b"%b%d" % (identity, epoch))
        return letter + urlsafe_b64encode(identity + signing.digest()[:_MAC_BYTES]).decode()

    return write


def maker(purpose: Purpose) -> Callable[[str, int], str]:
    """What makes the tokens of ``purpose`` from public id and epoch: for bulk, about 2 microseconds each."""
    return _writer(settings.SECRET_KEY, purpose)


def make(purpose: Purpose, public_id: str, epoch: int) -> str:
    """The token of ``purpose`` for the 32 hexadecimal digits of ``public_id``: 45 characters, safe in a URL.

    Raises:
        ValueError: when ``public_id`` is not 32 hexadecimal digits.
    """
    return maker(purpose)(public_id, epoch)


def read(purpose: Purpose, token: str) -> str | None:
    """The public id that ``token`` names, to look up its epoch; ``None`` when it cannot be a token of ``purpose``.

    Nothing is proven yet: ``verify`` does that.
    """
    if len(token) != _LENGTH or not token.isascii() or token[0] != _LETTERS[purpose]:
        return None
    try:
        content = urlsafe_b64decode(token[1:])
    except ValueError:
        return None
    return content[:_ID_BYTES].hex() if len(content) == _ID_BYTES + _MAC_BYTES else None


def verify(purpose: Purpose, token: str, epoch: int) -> bool:
    """Whether we made ``token`` for ``purpose`` at ``epoch``, in a time that does not depend on how wrong it is.

    Keys in ``SECRET_KEY_FALLBACKS`` count too: links to leave in old mails outlive a change of key.
    """
    public_id = read(purpose, token)
    if public_id is None:
        return False
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    right = [hmac.compare_digest(token, _writer(secret, purpose)(public_id, epoch)) for secret in secrets]
    return any(right)
