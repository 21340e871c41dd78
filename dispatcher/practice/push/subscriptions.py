"""The subscriptions of the practice town's residents, with the private keys that only they would have elsewhere.

Everything follows from a name: the same resident has the same subscription, whenever and how often it is asked for.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# The order of the curve P-256: a private key is from 1 to one less.
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True)
class Keys:
    """What a device keeps to itself. ``point`` is its public key, 65 octets; ``auth`` its secret, 16."""

    private: ec.EllipticCurvePrivateKey
    point: bytes
    auth: bytes


def base64url(octets: bytes) -> str:
    """``octets`` in the URL-safe alphabet, without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def identify(name: str) -> str:
    """The id of the subscription of ``name``: 32 hexadecimal digits."""
    return hashlib.sha256(f"practice subscription {name}".encode()).hexdigest()[:32]


@lru_cache(maxsize=4096)
def keys_of(name: str) -> Keys:
    """The keys of ``name``'s device."""
    digest = hashlib.sha512(f"practice device {name}".encode()).digest()
    private = ec.derive_private_key(int.from_bytes(digest[:48]) % (_ORDER - 1) + 1, ec.SECP256R1())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return Keys(private, point, digest[48:])


class Subscriptions:
    """Who has a subscription, kept in ``folder``. Names are in the order in which they came.

    Raises:
        OSError: the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "subscriptions.jsonl"
        self._names: dict[str, str] = {}
        self._keys: dict[str, str] = {}
        self._path.touch(mode=0o600)
        for line in self._path.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError, TypeError, KeyError):  # a line cut short when the machine stopped
                self._remember(json.loads(line))

    def __len__(self) -> int:
        return len(self._names)

    def items(self) -> Iterator[tuple[str, str]]:
        """Id and name of each, the newest first."""
        return reversed(self._names.items())

    def name(self, identity: str) -> str | None:
        return self._names.get(identity)

    def bound_to(self, identity: str) -> str:
        """The public key (base64url) of the only one who may push to it; empty where anyone who signs may."""
        return self._keys.get(identity, "")

    def make(self, names: list[str], key: str = "") -> list[str]:
        """The ids of the subscriptions of ``names``, made where there was none yet.

        Raises:
            OSError: the disk is full or failing.
        """
        made = [{"id": identify(name), "name": name, "key": key} for name in names]
        new = [each for each in made if each["id"] not in self._names]
        if new:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in new))
            for each in new:
                self._remember(each)
        return [each["id"] for each in made]

    def _remember(self, line: dict[str, Any]) -> None:
        self._names[line["id"]] = line["name"]
        if line["key"]:
            self._keys[line["id"]] = line["key"]
