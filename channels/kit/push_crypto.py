"""Encryption of a push message for one device: RFC 8291, in the coding ``aes128gcm`` of RFC 8188, one record.

What is calculated per message: a key pair, an agreement with the device's key, six HMACs and one sealing. The parts
that do not change are made once.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.kit.push_address import PushAddress

# Every push service takes a body of 4,096 octets (RFC 8030 section 7.2); of these 86 are the header (RFC 8188 section
# 2.1 with a key of 65 octets), 1 the delimiter and 16 the authentication tag.
LONGEST: Final = 3993
RECORD: Final = 4096
_CURVE = ec.SECP256R1()
_ECDH = ec.ECDH()
_SALT = 16
_HEAD = RECORD.to_bytes(4, "big") + b"\x41"  # record size, and the length of the key that follows: 65
_INFO = b"WebPush: info\x00"  # RFC 8291 section 3.4
_KEY_INFO = b"Content-Encoding: aes128gcm\x00\x01"  # RFC 8188 section 2.2, with the counter of HKDF's only round
_NONCE_INFO = b"Content-Encoding: nonce\x00\x01"
_LAST = b"\x02"  # the delimiter of the last record


class TooLong(ValueError):
    """More octets than every push service takes."""

    def __init__(self, length: int) -> None:
        super().__init__(f"A push message may hold {LONGEST} octets, and this one has {length}")


def encrypt(
    plaintext: bytes,
    address: PushAddress,
    *,
    sender: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """``plaintext`` as the body of a request to the device's push service: 103 octets longer.

    ``sender`` (a key pair) and ``salt`` (16 octets) are new for each message, as RFC 8291 section 3.1 and RFC 8188
    section 4.6 demand; they are given only where the examples of the RFCs are worked out.

    Raises:
        TooLong: above ``LONGEST`` octets.
    """
    if len(plaintext) > LONGEST:
        raise TooLong(len(plaintext))
    key = sender or ec.generate_private_key(_CURVE)
    salt = salt or os.urandom(_SALT)
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = key.exchange(_ECDH, address.key)
    content_key, nonce = derive(shared, address.auth, address.p256dh, public, salt)
    return salt + _HEAD + public + AESGCM(content_key).encrypt(nonce, plaintext + _LAST, None)


def derive(shared: bytes, auth: bytes, receiver: bytes, sender: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """Content key and nonce (RFC 8291 section 3.4) from the agreed secret, the public keys of both, and the salt."""
    digest = hmac.digest
    agreed = digest(digest(auth, shared, hashlib.sha256), _INFO + receiver + sender + b"\x01", hashlib.sha256)
    source = digest(salt, agreed, hashlib.sha256)
    return digest(source, _KEY_INFO, hashlib.sha256)[:16], digest(source, _NONCE_INFO, hashlib.sha256)[:12]
