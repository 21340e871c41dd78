"""What only the mastodon channel promises, at the practice town's timeline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from channels.contract import (
    Act,
    Copy,
    Level,
    Outcome,
    OutletDown,
    Published,
    SeenState,
    Surroundings,
    Text,
    Vault,
)
from channels.kit.facts import missing, normalised
from channels.kit.plain_post import without_tags
from channels.kit.sent_notes import Memory, Notes
from channels.kit.waiting import wait_until_reset
from channels.mastodon import Mastodon
from tests.support.bulletins import NL, bulletin
from tests.support.timeline import FarTimeline, timeline

NOW = datetime(2026, 3, 15, 16, 0, tzinfo=UTC)
LONG = replace(NL, body_text="\n\n".join(f"Dit is zin nummer {number} van een lang bericht." for number in range(60)))


@asynccontextmanager
async def at(
    folder: Path, vault: Vault | None = None, **settings: object
) -> AsyncIterator[tuple[FarTimeline, Mastodon]]:
    async with timeline(folder) as far:
        chosen = Mastodon.read_settings({**far.settings, **settings})
        async with Mastodon(chosen, Surroundings(far.egress, vault)) as channel:
            yield far, channel


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 30))


def copy_of(channel: Mastodon, text: Text = NL, act: Act = Act.ANNOUNCE) -> Copy:
    return channel.compose(bulletin(text), "nl", act, channel.limits)


def test_names_and_tags_in_the_text_call_nobody_and_read_as_they_did(tmp_path: Path) -> None:
    said = "Vraag het @losser of mail info@losser.example over #corona, zie https://losser.example/@a#b."

    async def work() -> None:
        async with at(tmp_path) as (far, channel):
            copy = copy_of(channel, replace(NL, summary=f"{said} Vanaf maandag 16 maart. Bel 053 000 00 00."))
            published = (await channel.publish(copy, "key")).published()
            status = far.peer.store.get(published.remote_id)
            assert status is not None
            assert 'class="u-url mention"' not in (await channel._account.read(status.id)).content
            assert 'class="hashtag"' not in (await channel._account.read(status.id)).content
            assert "https://losser.example/@a#b" in status.now.text and "info@losser.example" in status.now.text
            assert normalised(said) in normalised(status.now.text)
            seen = await channel.read_back(published)
            assert seen.text == copy.text

    run(work)


@pytest.mark.parametrize(
    ("text", "unchanged"), [("@losser", False), ("a@b.nl", True), ("#1 en # 2", False), ("", True)]
)
def test_only_signs_that_would_do_something_are_changed(text: str, unchanged: bool) -> None:
    assert (without_tags(text) == text) is unchanged
    assert normalised(without_tags(text)) == normalised(text)


def test_a_thread_has_the_whole_text_and_follows_its_correction(tmp_path: Path) -> None:
    async def work() -> None:
        async with at(tmp_path, thread=True) as (far, channel):
            long, short = copy_of(channel, LONG), copy_of(channel, NL, Act.UPDATE)
            assert not long.shortened and missing(LONG.body_facts[:0], long.text) == ()
            published = (await channel.publish(long, "key")).published()
            ids = published.remote_id.split(",")
            assert len(ids) == len(long.parts) > 3
            assert [far.peer.store.get(each).reply_to for each in ids] == [None, *ids[:-1]]  # type: ignore[union-attr]
            assert (await channel.read_back(published)).text == long.text
            assert (await channel.publish(long, "key")).published() == published

            amended = (await channel.amend(short, published, "key2")).published()
            assert amended.remote_id.split(",") == ids[: len(short.parts)]
            assert (await channel.read_back(amended)).text == short.text
            grown = (await channel.amend(long, amended, "key3")).published()
            assert (await channel.read_back(grown)).text == long.text

            notice = copy_of(channel, LONG, Act.WITHDRAW)
            gone = (await channel.withdraw(notice, grown, "key4")).published()
            assert gone.remote_id == ids[0]
            assert [status.id for status in far.peer.store.newest()] == [ids[0]]

    run(work)


def test_a_text_too_long_for_a_thread_ends_at_the_link(tmp_path: Path) -> None:
    async def work() -> None:
        async with at(tmp_path, thread=True) as (_, channel):
            copy = copy_of(channel, replace(NL, body_text=LONG.body_text * 5))
            assert copy.shortened and len(copy.parts) == 12 and NL.url in copy.parts["1"]

    run(work)


def test_a_withdrawn_post_is_taken_away_where_the_settings_say_so(tmp_path: Path) -> None:
    async def work() -> None:
        async with at(tmp_path, withdrawn="delete") as (_, channel):
            published = (await channel.publish(copy_of(channel), "key")).published()
            receipt = await channel.withdraw(copy_of(channel, act=Act.WITHDRAW), published, "key2")
            assert receipt.outcome is Outcome.ACCEPTED
            assert (await channel.read_back(published)).state is SeenState.MISSING

    run(work)


def test_a_post_that_somebody_took_away_is_posted_anew_by_a_correction_only(tmp_path: Path) -> None:
    async def work() -> None:
        async with at(tmp_path) as (far, channel):
            published = (await channel.publish(copy_of(channel), "key")).published()
            far.peer.store.delete(far.peer.store.newest()[0], stranger=True)

            withdrawn = await channel.withdraw(copy_of(channel, act=Act.WITHDRAW), published, "key2")
            assert withdrawn.outcome is Outcome.ACCEPTED and far.peer.store.newest() == []

            again = await channel.amend(copy_of(channel, act=Act.UPDATE), published, "key3")
            assert again.outcome is Outcome.ACCEPTED and again.remote_id != published.remote_id
            assert (await channel.read_back(again.published())).state is SeenState.FOUND

    run(work)


def test_a_changed_post_is_seen_as_it_is(tmp_path: Path) -> None:
    async def work() -> None:
        async with at(tmp_path) as (far, channel):
            published = (await channel.publish(copy_of(channel), "key")).published()
            forged = "Lees meer: https://boef.example/nl/berichten/corona"
            far.peer.store.edit(far.peer.store.newest()[0], forged, language="nl", stranger=True)
            assert (await channel.read_back(published)).text == forged

    run(work)


async def _in_doubt(far: FarTimeline, channel: Mastodon, copy: Copy) -> None:
    """Publishes under "key" so that the post is there and its answer is not."""
    await far.switch({"kind": "cut", "moment": "after-body", "times": 1, "method": "POST"})
    with pytest.raises(OutletDown) as down:
        await channel.publish(copy, "key")
    assert down.value.doubtful


async def _made_older(vault: Vault, hours: float) -> None:
    """As if the first attempt under "key" had been so many hours ago."""
    notes = Notes(vault)
    note = await notes.get("key")
    assert note is not None
    await notes.keep(replace(note, at=note.at - hours * 3600))


def test_a_young_doubt_is_ended_by_a_repeat_under_the_key(tmp_path: Path) -> None:
    async def work() -> None:
        async with at(tmp_path) as (far, channel):
            copy = copy_of(channel)
            await _in_doubt(far, channel, copy)
            assert await channel.look_up("key") is None
            assert (await channel.publish(copy, "key")).outcome is Outcome.ACCEPTED
            assert len(far.posts) == 1

    run(work)


def test_an_old_doubt_is_looked_up_by_the_very_text_and_nothing_else(tmp_path: Path) -> None:
    vault = Memory()

    async def work() -> None:
        async with at(tmp_path, vault) as (far, channel):
            copy = copy_of(channel)
            await _in_doubt(far, channel, copy)
            mine = far.peer.store.newest()[0]
            far.peer.store.post(
                f"Van een collega, met de hand. {NL.url}",
                language="nl", visibility="public", reply_to=None, key="", spoiler="",
            )  # fmt: skip
            await _made_older(vault, 2)
            found = await channel.look_up("key")
            assert found is not None
            assert (found.outcome, found.remote_id) == (Outcome.ACCEPTED, mine.id)

    run(work)


def test_an_old_doubt_about_what_never_came_is_none(tmp_path: Path) -> None:
    vault = Memory()

    async def work() -> None:
        async with at(tmp_path, vault) as (far, channel):
            copy = copy_of(channel)
            await far.switch({"kind": "cut", "moment": "after-body", "times": 1, "taken": False})
            with pytest.raises(OutletDown):
                await channel.publish(copy, "key")
            await _made_older(vault, 2)
            assert await channel.look_up("key") is None

    run(work)


def test_what_cannot_be_looked_through_waits_for_a_person(tmp_path: Path) -> None:
    vault = Memory()

    async def work() -> None:
        async with at(tmp_path, vault) as (far, channel):
            await _in_doubt(far, channel, copy_of(channel))
            for number in range(210):
                far.peer.store.post(
                    f"Iets anders {number}", language="nl", visibility="public", reply_to=None, key="", spoiler=""
                )
            await _made_older(vault, 2)
            with pytest.raises(OutletDown) as down:
                await channel.look_up("key")
            assert down.value.needs_person

    run(work)


def test_a_correction_of_what_was_in_doubt_finds_its_post(tmp_path: Path) -> None:
    async def work() -> None:
        async with at(tmp_path) as (far, channel):
            await _in_doubt(far, channel, copy_of(channel))
            changed = copy_of(channel, replace(NL, change="De balie is open."), Act.UPDATE)
            receipt = await channel.amend(changed, Published(""), "key2")
            assert receipt.outcome is Outcome.ACCEPTED
            (only,) = far.peer.store.newest()
            assert only.id == receipt.remote_id and only.now.text == changed.text

    run(work)


def test_check_names_the_account_and_what_differs(tmp_path: Path) -> None:
    async def work() -> None:
        async with at(tmp_path, length=1000, url_length=30) as (_, channel):
            found = [(finding.level, finding.what) for finding in await channel.check()]
            assert found[0][0] is Level.FINE and "@losser" in found[0][1]
            assert (Level.FAULT, "The server takes 500 characters, not 1000.") in found
            assert (Level.WARNING, "The server counts a link as 23.") in found
        async with at(tmp_path / "other", token="wrong") as (_, channel):
            (only,) = await channel.check()
            assert only.level is Level.FAULT and "token" in only.what

    run(work)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "999999999999999999"}, 3600),
        ({"retry-after": "Sun, 15 Mar 2026 16:00:30 GMT"}, 30),
        ({"retry-after": "Sun, 15 Mar 2026 15:00:00 GMT"}, 1),
        ({"retry-after": "Sun, 15 Mar 2036 15:00:00 GMT"}, 3600),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"x-ratelimit-reset": (NOW + timedelta(seconds=90)).isoformat()}, 90),
        ({"x-ratelimit-reset": "2026-03-15T16:00:12.500Z"}, 12.5),
        ({"x-ratelimit-reset": "2020-01-01T00:00:00Z"}, 1),
        ({"x-ratelimit-reset": "garbage"}, None),
        ({"retry-after": "9", "x-ratelimit-reset": "2026-03-15T16:50:00Z"}, 9),
        ({"retry-after": "?", "x-ratelimit-reset": "2026-03-15T16:00:20Z"}, 20),
        ({}, None),
    ],
)
def test_f28_a_stated_wait_is_read_and_bounded(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_until_reset(headers, NOW) == seconds
