"""What the far end of a push does: checks who sends (RFC 8292), and reads what was encrypted (RFC 8291, RFC 8188)."""

from __future__ import annotations

import base64
import binascii
import time

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dispatcher.practice.push.subscriptions import Keys

LONGEST_LIFE = 24 * 3600  # seconds: RFC 8292, 2
_HEAD = 21  # octets before the key id: salt 16, record size 4, length of the key id 1
_KEPT: dict[str, tuple[float, str]] = {}  # tokens found good: until when, and whose they are
_MOST_KEPT = 256


class NotTrusted(Exception):
    """Who sends is not who they say. ``status`` is 401 where nothing was said, else 403."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


class Unreadable(Exception):
    """What came is not encrypted for this device, or not by the rules."""


def octets(text: str) -> bytes:
    """What base64url ``text`` says.

    Raises:
        ValueError: it is none.
    """
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ValueError("no base64url") from None


def check_sender(authorization: str, audiences: set[str]) -> str:
    """The public key (base64url) of who signed ``Authorization: vapid t=…, k=…`` for one of ``audiences``.

    Raises:
        NotTrusted: with why, in words.
    """
    scheme, _, rest = authorization.partition(" ")
    said = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    token, key = said.get("t", ""), said.get("k", "")
    if scheme.lower() != "vapid" or not token or not key:
        raise NotTrusted(401, "Say who you are: Authorization: vapid t=<token>, k=<public key> (RFC 8292).")
    now = time.time()
    known = _KEPT.get(token)
    if known is not None and known[0] > now and known[1] == key:
        return key
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets(key))
        claims = jwt.decode(
            token, public, algorithms=["ES256"], audience=audiences, options={"require": ["aud", "exp", "sub"]}
        )
    except jwt.PyJWTError as error:
        raise NotTrusted(403, f"The token does not hold: {error}") from None
    except ValueError:
        raise NotTrusted(403, "The public key is no point of the curve P-256.") from None
    if claims["exp"] > now + LONGEST_LIFE + 60:
        raise NotTrusted(403, "The token holds for more than 24 hours.")
    if not str(claims["sub"]).startswith(("mailto:", "https:")):
        raise NotTrusted(403, "The token's sub is no mailto: or https: address.")
    if len(_KEPT) >= _MOST_KEPT:
        _KEPT.clear()
    _KEPT[token] = (float(claims["exp"]), key)
    return key


def decrypt(body: bytes, keys: Keys) -> bytes:
    """What ``body`` says to the device with these keys: one record of ``aes128gcm``.

    Raises:
        Unreadable: by the rules it cannot be read.
    """
    length = body[20] if len(body) > _HEAD else 0
    sender, sealed = body[_HEAD : _HEAD + length], body[_HEAD + length :]
    if length != len(keys.point) or int.from_bytes(body[16:20]) < len(sealed):
        raise Unreadable("its head does not follow RFC 8188")
    try:
        shared = keys.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        agreed = _expand(shared, keys.auth, b"WebPush: info\0" + keys.point + sender, 32)
        content_key = _expand(agreed, body[:16], b"Content-Encoding: aes128gcm\0", 16)
        nonce = _expand(agreed, body[:16], b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(content_key).decrypt(nonce, sealed, None)
    except (ValueError, InvalidTag):
        raise Unreadable("it is not encrypted for this device") from None
    plain = padded.rstrip(b"\0")
    if not plain.endswith(b"\x02"):
        raise Unreadable("it does not end as the last record does")
    return plain[:-1]


def _expand(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)
