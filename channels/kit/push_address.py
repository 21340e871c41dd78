"""A push subscription as an address: where one device of one resident is reached, and how to encrypt for it.

Whoever subscribes hands us a URL that we will connect to, and a public key that we will calculate with: both come from
outside. So the host must be one of the push services that browsers use (or one that the caller adds by name), and the
key a point of the curve. The endpoint lets anyone who knows it push to the device: it is a secret, in no ``repr``,
message or log.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.asymmetric import ec

# The push services of the browsers: Chrome and its kin, Firefox, Edge, Safari. A leading dot means: any host below it.
HOSTS = frozenset({"fcm.googleapis.com", "android.googleapis.com", "updates.push.services.mozilla.com"})
DOMAINS = (".push.services.mozilla.com", ".notify.windows.com", ".push.apple.com")
LONGEST_ENDPOINT = 800  # characters; the longest seen in practice, of Windows, are some 600
LONGEST_SUBSCRIPTION = 4096  # characters of the JSON that a browser sends us
POINT, SECRET = 65, 16  # octets: an uncompressed P-256 point (RFC 8291 section 3.1), the authentication secret (3.2)

# ASCII without space, quotes, backslash, ``@`` before the path, or a fragment: what two readers could read differently.
_ENDPOINT = re.compile(
    r"(https?)://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:]{2,39}\])(?::([1-9]\d{0,4}))?"
    r"(/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)"
)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})
_PORTS = {"http": 80, "https": 443}


class PushAddressInvalid(ValueError):
    """A subscription that we cannot or will not push to.

    ``field`` is ``endpoint``, ``p256dh``, ``auth`` or ``subscription``; ``problem`` says what is wrong and what to do.
    ``host`` is all that may be logged of the endpoint, empty where there was none to be read.
    """

    def __init__(self, field_name: str, problem: str, *, host: str = "") -> None:
        super().__init__(f"{field_name}: {problem}")
        self.field = field_name
        self.problem = problem
        self.host = host


@dataclass(frozen=True, slots=True)
class PushAddress:
    """``endpoint`` is the URL to post to, ``p256dh`` the device's public key (65 octets), ``auth`` its secret (16).

    ``origin`` is scheme, host and port as RFC 6454 writes them: the audience of a VAPID token. It is no secret.
    """

    origin: str
    endpoint: str = field(repr=False)
    p256dh: bytes = field(repr=False)
    auth: bytes = field(repr=False)
    key: ec.EllipticCurvePublicKey = field(repr=False, compare=False)

    @classmethod
    def make(cls, endpoint: object, p256dh: object, auth: object, *, extra_hosts: Collection[str] = ()) -> Self:
        """The address of a subscription, checked.

        ``extra_hosts`` are more push services, each as ``host:port``. At those, on this machine's own loopback
        address, plain http is allowed as well: the practice town.

        Raises:
            PushAddressInvalid: naming the first field that is wrong, without its value.
        """
        origin, url = _endpoint(endpoint, extra_hosts)
        host = origin.partition("//")[2]
        point = _octets("p256dh", p256dh, POINT, host)
        secret = _octets("auth", auth, SECRET, host)
        try:
            key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        except ValueError:
            raise PushAddressInvalid("p256dh", f"is no point of the curve P-256; {_AGAIN}", host=host) from None
        return cls(origin, url, point, secret, key)

    @classmethod
    def read(cls, value: str, *, extra_hosts: Collection[str] = ()) -> Self:
        """The address that ``value()`` wrote down.

        Raises:
            PushAddressInvalid: see ``make``.
        """
        found = _mapping(value)
        return cls.make(found.get("endpoint"), found.get("p256dh"), found.get("auth"), extra_hosts=extra_hosts)

    @classmethod
    def from_subscription(cls, source: str, *, extra_hosts: Collection[str] = ()) -> Self:
        """The address in the JSON of a browser's ``PushSubscription``: ``endpoint`` and ``keys``.

        Raises:
            PushAddressInvalid: see ``make``.
        """
        found = _mapping(source)
        keys = found.get("keys")
        if not isinstance(keys, dict):
            raise PushAddressInvalid("subscription", f"has no keys; {_AGAIN}")
        return cls.make(found.get("endpoint"), keys.get("p256dh"), keys.get("auth"), extra_hosts=extra_hosts)

    def value(self) -> str:
        """Compact JSON with sorted keys: equal subscriptions are equal text, whatever a browser made of them."""
        named = {"auth": base64url(self.auth), "endpoint": self.endpoint, "p256dh": base64url(self.p256dh)}
        return json.dumps(named, separators=(",", ":"), sort_keys=True)


_AGAIN = "switch push messages off and on again on this device"


def base64url(octets: bytes) -> str:
    """``octets`` in the URL-safe alphabet, without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def _mapping(source: str) -> Mapping[str, object]:
    if len(source) > LONGEST_SUBSCRIPTION:
        raise PushAddressInvalid("subscription", f"is longer than {LONGEST_SUBSCRIPTION} characters; {_AGAIN}")
    try:
        found = json.loads(source)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise PushAddressInvalid("subscription", f"is no JSON object of a push subscription; {_AGAIN}")
    return found


def _endpoint(value: object, extra_hosts: Collection[str]) -> tuple[str, str]:
    """The origin of the endpoint, and the endpoint."""
    if not isinstance(value, str) or not value:
        raise PushAddressInvalid("endpoint", f"is missing; {_AGAIN}")
    if len(value) > LONGEST_ENDPOINT:
        raise PushAddressInvalid("endpoint", f"is longer than {LONGEST_ENDPOINT} characters; {_AGAIN}")
    found = _ENDPOINT.fullmatch(value)
    if found is None:
        raise PushAddressInvalid("endpoint", "is no plain https address of a push service, without user name or #")
    scheme, host, stated, path = found.groups()
    port = int(stated or _PORTS[scheme])
    place = f"{host}:{port}"
    if place in extra_hosts:
        if scheme == "http" and host not in LOOPBACK:
            raise PushAddressInvalid("endpoint", "must be an https address", host=place)
    elif scheme != "https" or port != 443:
        raise PushAddressInvalid("endpoint", "must be an https address on port 443", host=place)
    elif host not in HOSTS and not host.endswith(DOMAINS):
        raise PushAddressInvalid(
            "endpoint",
            "is not at a push service that we know; use Chrome, Edge, Firefox or Safari, or ask us to add the service",
            host=place,
        )
    origin = f"{scheme}://{host}" + ("" if port == _PORTS[scheme] else f":{port}")
    return origin, origin + path


def _octets(name: str, value: object, length: int, host: str) -> bytes:
    if not isinstance(value, str) or not _BASE64URL.fullmatch(value) or len(value) > 2 * length:
        raise PushAddressInvalid(name, f"is no base64url text of {length} octets; {_AGAIN}", host=host)
    bare = value.rstrip("=")
    try:
        octets = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except (ValueError, binascii.Error):
        octets = b""
    if len(octets) != length:
        raise PushAddressInvalid(name, f"is no base64url text of {length} octets; {_AGAIN}", host=host)
    return octets
