"""Who we are to a push service: a signed token for each service, and our public key (RFC 8292)."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.kit.push_address import base64url

LIFETIME = 12 * 3600  # seconds: half of what RFC 8292 section 2 allows, so that a clock may be wrong
_KEPT = LIFETIME // 2  # a token is made anew well before it ends
_CURVE = ec.SECP256R1()
_SCALAR = 32  # octets of a P-256 private key


def new_key() -> str:
    """A new private key: 32 octets in base64url. Subscriptions are bound to it, so it is made once and kept."""
    number = ec.generate_private_key(_CURVE).private_numbers().private_value
    return base64url(number.to_bytes(_SCALAR, "big"))


def public_key(private: str) -> str:
    """The public key of ``private`` in base64url, as a browser wants it for ``applicationServerKey``.

    Raises:
        ValueError: if ``private`` is no key that ``new_key`` could have made.
    """
    return base64url(_point(_loaded(private)))


class Vapid:
    """Makes the ``Authorization`` of each push service, with a token that is used again for six hours.

    ``contact`` is a ``mailto:`` or ``https:`` address at which the push service can reach us.

    Raises:
        ValueError: if ``private`` is no P-256 private key of 32 octets in base64url.
    """

    def __init__(self, private: str, contact: str, clock: Callable[[], float] = time.time) -> None:
        self._key = _loaded(private)
        self._contact = contact
        self._clock = clock
        self._made: dict[str, tuple[float, str]] = {}
        self.public = base64url(_point(self._key))

    def authorization(self, origin: str) -> str:
        """The header's value for the push service at ``origin`` (scheme, host, port where it is not the usual one)."""
        now = self._clock()
        made = self._made.get(origin)
        if made is None or not made[0] <= now < made[0] + _KEPT:
            claims = {"aud": origin, "exp": int(now) + LIFETIME, "sub": self._contact}
            made = self._made[origin] = (
                now,
                f"vapid t={jwt.encode(claims, self._key, algorithm='ES256')}, k={self.public}",
            )
        return made[1]


def _loaded(private: str) -> ec.EllipticCurvePrivateKey:
    try:
        octets = base64.urlsafe_b64decode(private.rstrip("=") + "=" * (-len(private.rstrip("=")) % 4))
    except (ValueError, binascii.Error):
        octets = b""
    if len(octets) != _SCALAR:
        raise ValueError(f"is no private key of {_SCALAR} octets in base64url")
    try:
        return ec.derive_private_key(int.from_bytes(octets, "big"), _CURVE)
    except ValueError:
        raise ValueError("is no private key of the curve P-256") from None


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
