"""Devices that subscribe to push messages: what a browser would send us, with real keys."""

from __future__ import annotations

import json
import secrets

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.kit import vapid
from channels.kit.push_address import PushAddress, base64url
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.secretbox import seal


def subscription(endpoint: str = "", **keys: str) -> str:
    """The JSON of a new ``PushSubscription``, at Mozilla's push service unless ``endpoint`` says otherwise."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key()
    made = {
        "p256dh": base64url(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)),
        "auth": base64url(secrets.token_bytes(16)),
    }
    place = endpoint or f"https://updates.push.services.mozilla.com/wpush/v2/{secrets.token_urlsafe(24)}"
    return json.dumps({"endpoint": place, "expirationTime": None, "keys": made | keys})


def mozilla() -> PushAddress:
    """A Firefox."""
    return PushAddress.from_subscription(subscription())


def push_outlet(**values: object) -> Outlet:
    """An outlet that sends push messages; ``values`` changes its settings."""
    settings = {"vapid_key": vapid.new_key(), "contact": "mailto:webmaster@losser.example", **values}
    return Outlet.objects.create(
        name="webpush", label="Meldingen", channel="webpush", position=2, settings=seal(settings)
    )


def email_outlet() -> Outlet:
    """An outlet that sends mail, to nowhere."""
    settings = {"host": "127.0.0.1", "port": 9, "security": "none", "sender": "berichten@practice.invalid"}
    return Outlet.objects.create(name="email", label="E-mail", channel="email", position=1, settings=seal(settings))
