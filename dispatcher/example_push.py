"""Push in the example town: who has it, and their subscriptions at the practice town's push service.

A practice resident gives their keys to that service, so the service makes them: it is asked over HTTP, as a browser
would be asked elsewhere. Where no service answers nobody gets push, and it is said.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from django.conf import settings
from django.db import transaction

from channels.kit.push_address import PushAddress
from channels.kit.vapid import new_key
from dispatcher.audience.models import Address
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.secretbox import unseal

CHANNEL = "webpush"
_AT_ONCE = 1000  # subscriptions asked for in one request
_SECONDS = 30.0


class NoPushService(Exception):
    """The practice town's push service does not answer, so nobody was given push."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"Nobody in the example town was given push: {why}. "
            "Start the practice town with 'omroeper run' and populate it again."
        )


def outlet_settings(contact: str) -> dict[str, Any] | None:
    """The settings of the push outlet, ``None`` where there is no practice push service.

    The key pair is made once: subscriptions are bound to it.
    """
    if not settings.PRACTICE_PUSH:
        return None
    there = Outlet.objects.filter(name=CHANNEL).exclude(settings="").first()
    kept: Mapping[str, Any] = unseal(there.settings) if there else {}
    return {
        "vapid_key": kept.get("vapid_key") or new_key(),
        "contact": contact,
        "extra_hosts": [settings.PRACTICE_PUSH],
    }


def has_push(address: str, seed: int, share: float) -> bool:
    """Whether the person at ``address`` is one of the ``share`` (percent) who want push: always the same answer."""
    roll = hashlib.blake2b(f"push:{seed}:{address}".encode(), digest_size=2).digest()
    return int.from_bytes(roll) / 65536 * 100 < share


def subscriptions(names: Sequence[str]) -> dict[str, str]:
    """The push address of each of ``names``, made by the practice push service.

    Raises:
        NoPushService: where there is none, or it does not answer as it should.
    """
    if not names:
        return {}
    if not settings.PRACTICE_PUSH:
        raise NoPushService("there is no practice push service in this installation")
    made: dict[str, str] = {}
    try:
        with httpx.Client(base_url=f"http://{settings.PRACTICE_PUSH}", timeout=_SECONDS, trust_env=False) as client:
            for start in range(0, len(names), _AT_ONCE):
                answer = client.post("/subscriptions", json={"names": list(names[start : start + _AT_ONCE])})
                answer.raise_for_status()
                for each in answer.json()["subscriptions"]:
                    address = PushAddress.from_subscription(json.dumps(each), extra_hosts=[settings.PRACTICE_PUSH])
                    made[each["name"]] = address.value()
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise NoPushService(f"{settings.PRACTICE_PUSH} does not answer ({type(error).__name__})") from None
    return made


def repoint() -> int:
    """Lets stored practice subscriptions lead to where the push service is now, and returns how many had to be.

    Its port may be another one in each run; the subscriptions there stay the same.
    """
    if not settings.PRACTICE_PUSH:
        return 0
    here = f"http://{settings.PRACTICE_PUSH}/"
    moved = list(
        Address.objects.filter(channel=CHANNEL, value__contains='"endpoint":"http://127.0.0.1:').exclude(
            value__contains=f'"endpoint":"{here}'
        )
    )
    for address in moved:
        said = json.loads(address.value)
        said["endpoint"] = here + said["endpoint"].split("/", 3)[3]
        address.value = json.dumps(said, separators=(",", ":"), sort_keys=True)
    with transaction.atomic():
        Address.objects.bulk_update(moved, ["value"], batch_size=500)
    return len(moved)
