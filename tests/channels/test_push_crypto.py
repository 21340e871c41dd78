"""Push encryption and VAPID: the RFC's own example, and other people's code on the other end."""

from __future__ import annotations

import base64
import json

import http_ece
import jwt
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from channels.kit.push_address import PushAddress, base64url
from channels.kit.push_crypto import LONGEST, TooLong, encrypt
from channels.kit.vapid import LIFETIME, Vapid, new_key, public_key


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(octets(text), "big"), ec.SECP256R1())


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def device(key: ec.EllipticCurvePrivateKey, auth: bytes) -> PushAddress:
    return PushAddress.make("https://fcm.googleapis.com/fcm/send/a", base64url(point(key)), base64url(auth))


def test_the_example_of_rfc_8291_section_5() -> None:
    receiver = private("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
    auth = octets("BTBZMqHH6r4Tts7J_aSIgg")
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        device(receiver, auth),
        sender=private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        salt=octets("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
        "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize("length", [0, 1, 200, LONGEST])
def test_another_implementation_reads_what_we_encrypt(length: int) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    text = bytes(i % 251 for i in range(length))
    body = encrypt(text, device(key, b"0123456789abcdef"))
    assert len(body) == length + 103 <= 4096
    assert http_ece.decrypt(body, private_key=key, auth_secret=b"0123456789abcdef", version="aes128gcm") == text


def test_each_message_has_keys_of_its_own_and_only_its_device_can_read_it() -> None:
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    address = device(key, b"0123456789abcdef")
    one, two = encrypt(b"x", address), encrypt(b"x", address)
    assert one[:16] != two[:16]
    assert one[21:86] != two[21:86]
    with pytest.raises((http_ece.ECEException, InvalidTag)):
        http_ece.decrypt(one, private_key=other, auth_secret=b"0123456789abcdef", version="aes128gcm")


def test_a_longer_message_than_every_service_takes_is_refused() -> None:
    with pytest.raises(TooLong, match="3993"):
        encrypt(bytes(LONGEST + 1), device(ec.generate_private_key(ec.SECP256R1()), bytes(16)))


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def claims(header: str, vapid: Vapid, origin: str) -> dict[str, object]:
    scheme, _, rest = header.partition(" ")
    values = dict(part.strip().split("=", 1) for part in rest.split(","))
    assert scheme == "vapid"
    assert values["k"] == vapid.public
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), octets(values["k"]))
    read: dict[str, object] = jwt.decode(
        values["t"], key, algorithms=["ES256"], audience=origin, options={"verify_exp": False}
    )
    assert json.loads(octets(values["t"].split(".")[0])) == {"typ": "JWT", "alg": "ES256"}
    return read


def test_the_token_is_for_one_service_and_half_a_day() -> None:
    clock = Clock()
    vapid = Vapid(new_key(), "mailto:berichten@losser.example", clock)
    origin = "https://fcm.googleapis.com"
    assert claims(vapid.authorization(origin), vapid, origin) == {
        "aud": origin,
        "exp": int(clock.now) + LIFETIME,
        "sub": "mailto:berichten@losser.example",
    }
    other = "https://web.push.apple.com"
    assert claims(vapid.authorization(other), vapid, other)["aud"] == other


def test_a_token_is_used_again_until_half_its_life_is_over_or_the_clock_went_back() -> None:
    clock = Clock()
    vapid = Vapid(new_key(), "https://losser.example", clock)
    first = vapid.authorization("https://a.push.apple.com")
    clock.now += LIFETIME / 2 - 1
    assert vapid.authorization("https://a.push.apple.com") == first
    clock.now += 2
    second = vapid.authorization("https://a.push.apple.com")
    assert second != first
    clock.now -= LIFETIME
    assert vapid.authorization("https://a.push.apple.com") != second


def test_a_key_is_kept_as_text_and_has_one_public_key() -> None:
    key = new_key()
    assert len(octets(key)) == 32
    assert Vapid(key, "mailto:a@losser.example").public == public_key(key)
    assert octets(public_key(key)) == point(private(key))


@pytest.mark.parametrize("wrong", ["", "x", "é", base64url(bytes(31)), base64url(bytes(32)), base64url(b"\xff" * 32)])
def test_what_is_no_key_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is no private key"):
        Vapid(wrong, "mailto:a@losser.example")
