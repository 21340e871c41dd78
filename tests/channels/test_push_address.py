"""Push subscriptions: what a browser gives us, in our normal form, and nothing that leads elsewhere (A11)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.kit.push_address import PushAddress, PushAddressInvalid

KEY = ec.derive_private_key(20260316, ec.SECP256R1()).public_key()  # the same in every process: it is in test names
POINT = KEY.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
SMALL = KEY.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
AUTH = bytes(range(16))
ENDPOINT = "https://fcm.googleapis.com/fcm/send/dGhlIHNlY3JldA:APA91b"


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def subscription(endpoint: object = ENDPOINT, p256dh: object = b64(POINT), auth: object = b64(AUTH)) -> str:
    return json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": {"p256dh": p256dh, "auth": auth}})


@pytest.mark.parametrize(
    "endpoint",
    [
        ENDPOINT,
        "https://android.googleapis.com/gcm/send/abc",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABk_x-y",
        "https://eu.push.services.mozilla.com/wpush/v2/gAAAAABk",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAD%2b%2fZ",
        "https://web.push.apple.com/QGuQyavXutnMH",
        "https://api.push.apple.com/3/x",
    ],
)
def test_the_push_services_of_the_browsers_are_known(endpoint: str) -> None:
    address = PushAddress.from_subscription(subscription(endpoint))
    assert (address.endpoint, address.p256dh, address.auth) == (endpoint, POINT, AUTH)
    assert address.origin == "/".join(endpoint.split("/")[:3])
    assert PushAddress.read(address.value()) == address


def test_equal_subscriptions_are_equal_text() -> None:
    one = PushAddress.from_subscription(subscription())
    other = PushAddress.from_subscription(
        subscription(
            ENDPOINT.replace(".com/", ".com:443/"),
            base64.urlsafe_b64encode(POINT).decode(),
            base64.urlsafe_b64encode(AUTH).decode(),
        )
    )
    assert one.value() == other.value()
    assert list(json.loads(one.value())) == ["auth", "endpoint", "p256dh"]
    assert " " not in one.value()
    assert len(one.value()) < 1000


def test_the_longest_endpoint_fits_in_the_ledger() -> None:
    longest = ENDPOINT + "x" * (800 - len(ENDPOINT))
    assert len(PushAddress.from_subscription(subscription(longest)).value()) <= 1000


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/push",
        "https://localhost/push",
        "https://[::1]/push",
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com:22/fcm/send/abc",
        "https://fcm.googleapis.com:8443/fcm/send/abc",
        "https://fcm.googleapis.com:65536/fcm/send/abc",
        "https://user@fcm.googleapis.com/fcm/send/abc",
        "https://user:secret@fcm.googleapis.com/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://fcm.googleapis.com\\@evil.example/x",
        "https://evil.example\\.push.apple.com/x",
        "https://evil.example/x?.push.apple.com/",
        "https://evil.example#.push.apple.com/",
        "https://fcm.googleapis.com/x#y",
        "https://fcm.googleapis.com.evil.example/x",
        "https://fcm.googleapis.com./x",
        "https://evil-push.apple.com/x",
        "https://notify.windows.com.evil.example/x",
        "https://losser.example/own-host",
        "https://fcm.googleapis.com",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/a\r\nHost: evil.example",
        "https://fcm.googleapis.com/\u0660",
        "https://①②⑦.0.0.1/x",
        "ftp://fcm.googleapis.com/x",
        "file:///etc/passwd",
        "unix:/run/redis.sock",
        "",
        None,
        7,
        ["https://fcm.googleapis.com/x"],
        "https://fcm.googleapis.com/" + "x" * 3_000_000,
    ],
)
def test_a11_an_endpoint_elsewhere_is_refused(endpoint: object) -> None:
    attempts: tuple[Callable[[], PushAddress], ...] = (
        lambda: PushAddress.make(endpoint, b64(POINT), b64(AUTH)),
        lambda: PushAddress.read(json.dumps({"endpoint": endpoint, "auth": b64(AUTH), "p256dh": b64(POINT)})),
        lambda: PushAddress.from_subscription(subscription(endpoint)),
    )
    for attempt in attempts:
        with pytest.raises(PushAddressInvalid) as caught:
            attempt()
        assert caught.value.field in ("endpoint", "subscription")
        assert len(str(caught.value)) < 300
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("p256dh", None),
        ("p256dh", ""),
        ("p256dh", b64(SMALL)),
        ("p256dh", b64(POINT[:-1])),
        ("p256dh", b64(POINT + b"\0")),
        ("p256dh", b64(b"\x04" + bytes(64))),
        ("p256dh", b64(POINT[:-1] + bytes([POINT[-1] ^ 1]))),
        ("p256dh", b64(b"\x05" + POINT[1:])),
        ("p256dh", "!" * 87),
        ("p256dh", b64(POINT)[:-1] + "\n"),
        ("auth", None),
        ("auth", b64(AUTH[:-1])),
        ("auth", b64(AUTH + b"\0")),
        ("auth", {"a": 1}),
        ("auth", "é" * 22),
    ],
)
def test_a11_a_key_that_is_none_is_refused_by_name(key: str, value: object) -> None:
    with pytest.raises(PushAddressInvalid) as caught:
        PushAddress.from_subscription(subscription(**{key: value}))
    assert caught.value.field == key
    assert caught.value.host == "fcm.googleapis.com"


@pytest.mark.parametrize("source", ["", "null", "[]", "7", "{", "[" * 4000, '{"endpoint":"' + "x" * 3_000_000 + '"}'])
def test_a11_what_is_no_subscription_is_refused(source: str) -> None:
    for read in (PushAddress.read, PushAddress.from_subscription):
        with pytest.raises(PushAddressInvalid):
            read(source)


def test_a_key_of_three_megabytes_is_refused_unread() -> None:
    with pytest.raises(PushAddressInvalid):
        PushAddress.make(ENDPOINT, "A" * 3_000_000, b64(AUTH))


def test_a_further_host_is_allowed_by_name_and_port_only() -> None:
    def made(endpoint: str) -> PushAddress:
        return PushAddress.make(
            endpoint, b64(POINT), b64(AUTH), extra_hosts=["127.0.0.1:8703", "push.losser.example:8443"]
        )

    assert made("http://127.0.0.1:8703/push/a").origin == "http://127.0.0.1:8703"
    assert made("https://push.losser.example:8443/a").origin == "https://push.losser.example:8443"
    for refused in (
        "http://127.0.0.1:8704/push/a",
        "http://127.0.0.1/push/a",
        "http://push.losser.example:8443/a",
        "https://push.losser.example/a",
    ):
        with pytest.raises(PushAddressInvalid):
            made(refused)


def test_the_endpoint_and_keys_are_not_seen() -> None:
    address = PushAddress.from_subscription(subscription())
    shown = f"{address!r} {address}"
    assert "fcm.googleapis.com" in shown
    assert not [part for part in ("dGhlIHNlY3JldA", b64(AUTH), b64(POINT), repr(AUTH)) if part in shown]
