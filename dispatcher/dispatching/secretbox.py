"""Encryption at rest for what outlets know: their settings, and what their workers share.

Fernet (AES-128-CBC with HMAC-SHA256), keys derived by HKDF-SHA256 (RFC 5869) from the installation's secret key, which
lives outside the database. Old keys (``OMROEPER_SECRET_KEY_FALLBACKS``) still open what they sealed.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class CannotOpen(Exception):
    """What is stored was sealed with a key that this installation does not have."""


def _fernet(secret: str) -> Fernet:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"omroeper outlet settings").derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))


@functools.cache
def _box(*secrets: str) -> MultiFernet:
    return MultiFernet([_fernet(secret) for secret in secrets])


def _current() -> MultiFernet:
    return _box(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


def seal(values: Mapping[str, Any]) -> str:
    """``values`` (JSON types) encrypted, as text."""
    return _current().encrypt(json.dumps(values).encode()).decode()


def unseal(sealed: str) -> dict[str, Any]:
    """What was sealed.

    Raises:
        CannotOpen: when none of the keys fits.
    """
    try:
        opened: dict[str, Any] = json.loads(_current().decrypt(sealed.encode()))
    except InvalidToken:
        raise CannotOpen(
            "The settings of an outlet were sealed with another secret key. Put the old key in "
            "OMROEPER_SECRET_KEY_FALLBACKS, or enter the outlet's settings again."
        ) from None
    return opened
