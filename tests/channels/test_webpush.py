"""Push: what stands in a message and its headers, and that texts stay texts (A14)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.contract import Act, Copy, Outcome
from channels.webpush import WebPush
from tests.support.bulletins import EN, NL
from tests.support.payloads import TEMPLATES, texts
from tests.support.push_far import (
    Pushed,
    claims,
    device,
    push_far,
)
from tests.support.pushing import SLOTS, channel, compose, deliver, recipient, run


def pushed(copy_of: Callable[[WebPush], Copy], **values: object) -> tuple[Pushed, dict[str, Any]]:
    """The request that one recipient's push service gets, and the notification in it."""

    async def one() -> Pushed:
        async with push_far() as far, channel(far.port, **values) as made:
            receipts = await deliver(made, copy_of(made), [recipient("one", far.port)])
            assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED]
            return far.taken[0][0]

    found = run(one())
    return found, device("one").read(found)


def test_a_message_has_all_that_a_notification_shows() -> None:
    request, said = pushed(compose)
    assert said["title"] == NL.title
    assert said["body"].splitlines() == ["Voorbeeld, niet van de gemeente", NL.summary]
    assert (said["lang"], said["dir"], said["navigate"]) == ("nl", "ltr", NL.url)
    assert said["actions"] == [{"action": "preferences", "title": "Kies of stop", "navigate": SLOTS["preferences_url"]}]
    assert (said["renotify"], said["requireInteraction"]) == (False, False)
    assert request.headers["urgency"] == "normal"
    assert request.headers["content-encoding"] == "aes128gcm"
    assert claims(request)["aud"] == f"http://{request.headers['host']}"


def test_an_emergency_is_urgent_and_stays_on_the_screen() -> None:
    request, said = pushed(lambda made: compose(made, kind="emergency"))
    assert request.headers["urgency"] == "high"
    assert said["requireInteraction"] is True


@pytest.mark.parametrize(
    ("expires", "least", "most"),
    [
        (timedelta(hours=5), 5 * 3600 - 30, 5 * 3600),
        (timedelta(days=90), 2_419_200, 2_419_200),
        (timedelta(hours=-1), 0, 0),
        (None, 7200, 7200),
    ],
)
def test_it_is_kept_until_the_announcement_expires(expires: timedelta | None, least: int, most: int) -> None:
    when = expires and datetime.now(UTC) + expires
    request, _ = pushed(lambda made: compose(made, expires_at=when), ttl=7200)
    assert least <= int(request.headers["ttl"]) <= most


def test_a_correction_and_a_withdrawal_take_the_place_of_the_original() -> None:
    text = replace(NL, change="De balie is toch open.")
    first, original = pushed(compose)
    for act, words in ((Act.UPDATE, "Gewijzigd: "), (Act.WITHDRAW, "Ingetrokken: ")):
        request, said = pushed(lambda made, act=act: compose(made, act, text))  # type: ignore[misc]
        assert request.headers["topic"] == first.headers["topic"]
        assert said["tag"] == original["tag"]
        assert said["renotify"] is True
        assert said["title"] == words + NL.title
        assert "De balie is toch open." in said["body"]
    assert "Dit stond er:" in said["body"]


def test_nobody_can_tell_from_the_topic_who_got_the_same() -> None:
    async def topics() -> set[str]:
        async with push_far() as far, channel(far.port) as made:
            await deliver(made, compose(made), [recipient(name, far.port) for name in "abc"])
            return {request.headers["topic"] for request, _ in far.taken}

    found = run(topics())
    assert len(found) == 3
    assert {len(topic) for topic in found} == {32}


def test_a_notice_has_one_link_behind_title_and_button() -> None:
    text = replace(NL, contact="Ja, stuur mij berichten", change="")

    def copy(made: WebPush) -> Copy:
        made_copy = compose(made, Act.NOTICE, text, announcement="", slug="confirm")
        assert made_copy.slots == ("action_url",)
        return made_copy

    _, said = pushed(copy)
    assert said["navigate"] == SLOTS["action_url"]
    assert said["actions"] == [
        {"action": "confirm", "title": "Ja, stuur mij berichten", "navigate": SLOTS["action_url"]}
    ]


def test_a_text_of_the_other_language_speaks_it() -> None:
    _, said = pushed(lambda made: compose(made, Act.UPDATE, EN))
    assert said["title"] == f"Changed: {EN.title}"
    assert said["actions"][0]["title"] == "Choose or stop"
    _, said = pushed(lambda made: compose(made, text=replace(NL, language="ar")))
    assert said["dir"] == "rtl"


def test_the_longest_text_there_is_fits() -> None:
    wide = replace(NL, title="\U0001f514" * 200, summary="漢" * 500, change="é" * 300)
    made = channel(1)
    for act in (Act.ANNOUNCE, Act.UPDATE, Act.WITHDRAW):
        copy = compose(made, act, wide)
        assert len(copy.parts["payload"].encode()) <= 3993 - 250
        assert len(json.loads(copy.parts["small"])["notification"]["title"]) >= 200


def test_a14_payload_strings_are_data_and_lead_nowhere() -> None:
    own = ("{{preferences_url}}", '"}],"navigate":"https://evil.example"', "\u2028\u2029\x00\x1b]0;x\x07")
    for payload in [*texts(), *TEMPLATES, *own]:
        text = replace(NL, title=payload[:200] or "x", summary=payload, change=payload)
        made = channel(1)
        for act in (Act.ANNOUNCE, Act.UPDATE, Act.WITHDRAW):
            copy = compose(made, act, text)
            for part in ("payload", "small"):
                filled = copy.parts[part].replace("\n{{preferences_url}}\n", '"https://losser.example/own"')
                said = json.loads(filled)["notification"]
                links = {said["navigate"], *(each["navigate"] for each in said.get("actions", ()))}
                assert links <= {NL.url, "https://losser.example/own"}
                assert "\x1b" not in said["title"] + said["body"]


def test_a14_a_slot_value_cannot_end_its_string() -> None:
    evil = {"preferences_url": 'https://losser.example/"}],"navigate":"https://evil.example/'}

    async def one() -> dict[str, Any]:
        async with push_far() as far, channel(far.port) as made:
            await deliver(made, compose(made), [replace(recipient("one", far.port), slots=evil)])
            return device("one").read(far.taken[0][0])

    said = run(one())
    assert said["navigate"] == NL.url
    assert said["actions"][0]["navigate"] == evil["preferences_url"]
