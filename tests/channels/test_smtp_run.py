"""A mailing over SMTP at the level of bytes: pipelining, reuse, and what happens when the server has had enough."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from channels.contract import Act, Outcome, Reason, Recipient
from channels.kit.egress import Egress
from tests.support.bulletins import NL, bulletin
from tests.support.mailing import announcement, channel_to, mail, people
from tests.support.smtp_far import CLOSE, EXTENSIONS, HOLD, RESET, SILENCE, Session, SmtpFarSide, at, far_side

NO_PIPELINING = tuple(e for e in EXTENSIONS if e != "PIPELINING")


def accepted(count: int) -> list[str]:
    return ["accepted"] * count


def test_the_next_message_is_begun_in_the_write_that_ends_this_one() -> None:
    """The server answers a message's dot only once it has the next message's DATA: any slower client waits for ever."""
    withheld: list[str] = []

    def script(moment: str, session: Session, line: str) -> str | None:
        if moment == "dot" and session.messages < 20:
            withheld.append("250 2.0.0 taken")
            return HOLD
        if moment in ("MAIL", "RCPT") and withheld:
            withheld.append("250 2.1.0 OK")
            return HOLD
        if moment == "DATA" and withheld:
            answers = "\r\n".join([*withheld, "354 go on"])
            withheld.clear()
            return answers
        return None

    async def run() -> None:
        async with far_side(script) as far, channel_to(far, connections=1) as channel:
            mailing = await asyncio.wait_for(mail(channel, people(20)), 10)
            assert mailing.outcomes() == accepted(20)
            assert len(far.taken) == 20

    asyncio.run(run())


def test_without_pipelining_each_command_waits_for_its_answer() -> None:
    busy: dict[int, bool] = {}
    early = []

    async def run() -> None:
        def script(moment: str, session: Session, line: str) -> str | None:
            if moment in ("MAIL", "RCPT", "DATA", "dot"):
                reader = readers[session.number]
                early.extend([moment] if reader._buffer else [])  # type: ignore[attr-defined]
            return None

        readers: dict[int, asyncio.StreamReader] = {}
        far = SmtpFarSide(script=script, extensions=NO_PIPELINING)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            readers[len(far.sessions)] = reader
            await far.serve(reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        far.port = server.sockets[0].getsockname()[1]
        async with server, channel_to(far, connections=2) as channel:
            mailing = await mail(channel, people(12))
            assert mailing.outcomes() == accepted(12)
            assert len(far.taken) == 12
            assert early == []
        assert not busy

    asyncio.run(run())


@pytest.mark.parametrize("extensions", [EXTENSIONS, NO_PIPELINING])
@pytest.mark.parametrize("moment", ["MAIL", "RCPT", "DATA", "dot"])
def test_a_refusal_of_one_message_leaves_the_others_alone(extensions: tuple[str, ...], moment: str) -> None:
    """The double refuses a nested MAIL, as real servers do: so this also proves the RSET."""
    turn = iter(range(100))

    def script(now: str, session: Session, line: str) -> str | None:
        if now == moment and next(turn) % 3 == 1:
            return "452 4.2.2 full"
        return None

    async def run() -> None:
        async with far_side(script, extensions=extensions) as far, channel_to(far, connections=1) as channel:
            mailing = await mail(channel, people(9))
            assert mailing.down is None
            assert mailing.outcomes() == ["accepted", "deferred", "accepted"] * 3
            assert {r.reason for r in mailing.receipts.values() if r.outcome is Outcome.DEFERRED} == {
                Reason.MAILBOX_FULL
            }
            assert [m.recipient for m in far.taken] == [p.address for i, p in enumerate(people(9)) if i % 3 != 1]

    asyncio.run(run())


def test_a_server_that_wants_text_for_nobody_gets_an_empty_message() -> None:
    """RFC 2920 section 3.1: 354 although every RCPT was refused."""

    def script(now: str, session: Session, line: str) -> str | None:
        if now == "RCPT" and "0002" in line:
            return "550 5.1.1 no such user"
        return "354 go on" if now == "DATA" else None

    async def run() -> None:
        async with far_side(script) as far, channel_to(far, connections=1) as channel:
            mailing = await mail(channel, people(3))
            assert mailing.outcomes() == ["accepted", "gone", "accepted"]
            assert [len(m.raw) for m in far.messages if not m.taken] == [0]
            assert [m.recipient[:13] for m in far.taken] == ["resident-0001", "resident-0003"]

    asyncio.run(run())


def test_421_in_the_middle_defers_the_rest_and_takes_the_outlet_down() -> None:
    for moment in ("MAIL", "RCPT", "DATA", "dot"):

        async def run(moment: str = moment) -> None:
            script = at(moment, "421 4.7.0 enough for now", messages=37)
            async with far_side(script) as far, channel_to(far, connections=1) as channel:
                mailing = await mail(channel, people(200))
                assert mailing.down is not None
                assert not mailing.down.needs_person
                assert "enough" in mailing.down.reason
                outcomes = mailing.outcomes()
                assert outcomes.count("accepted") == len(far.taken) == (36 if moment == "dot" else 37)
                assert set(outcomes) == {"accepted", "deferred"}
                assert mailing.pulled < 200

        asyncio.run(run())


def test_421_on_one_connection_of_three_goes_on_with_the_others() -> None:
    async def run() -> None:
        script = at("MAIL", "421 4.3.2 closing", messages=5, session=1)
        async with far_side(script) as far, channel_to(far, connections=3) as channel:
            mailing = await mail(channel, people(120))
            assert mailing.down is None
            assert mailing.outcomes().count("deferred") == 1
            assert len(far.taken) == 119
            assert far.connections == 3, "no new connection right after the server asked for fewer"

    asyncio.run(run())


@pytest.mark.parametrize("how", ["421 4.7.0 too many connections", CLOSE, RESET, "554 5.7.0 too many"])
def test_fewer_connections_are_used_where_the_third_is_refused(how: str) -> None:
    async def run() -> None:
        def script(moment: str, session: Session, line: str) -> str | None:
            return how if moment == "connect" and session.number >= 2 else None

        async with far_side(script) as far, channel_to(far, connections=5) as channel:
            mailing = await mail(channel, people(150))
            assert mailing.down is None
            assert mailing.outcomes() == accepted(150)
            tried = far.connections
            assert (await mail(channel, people(50, "again"))).outcomes() == accepted(50)
            assert far.connections == tried, "for a while it does not even try"

    asyncio.run(run())


def test_a_connection_lost_after_the_dot_leaves_its_message_unknown_and_the_next_one_unsent() -> None:
    async def run() -> None:
        script = at("dot", CLOSE, messages=4, session=0)
        async with far_side(script) as far, channel_to(far, connections=1) as channel:
            mailing = await mail(channel, people(12))
            assert mailing.down is None
            assert mailing.outcomes() == [*accepted(3), "unknown", "deferred", *accepted(7)]
            assert mailing.receipts["resident0004"].remote_id == "<resident0004@losser.example>"
            assert mailing.receipts["resident0005"].remote_id == ""
            assert far.connections == 2, "a connection that worked is replaced"

    asyncio.run(run())


def test_a_server_that_hangs_up_after_every_message_is_soon_left_alone() -> None:
    async def run() -> None:
        async with far_side(at("dot", CLOSE)) as far, channel_to(far, connections=4) as channel:
            mailing = await mail(channel, people(300))
            assert mailing.down is not None
            assert mailing.outcomes().count("unknown") <= 4 + 2, "those in hand, and two more tries"
            assert mailing.outcomes().count("unknown") == len(far.messages)
            assert mailing.pulled < 30

    asyncio.run(run())


def test_a_long_text_that_is_cut_before_its_dot_was_certainly_not_taken() -> None:
    async def run() -> None:
        long = bulletin(replace(NL, change="woord " * 1_000_000))
        extensions = ("PIPELINING", "SIZE 99999999")
        async with far_side(at("text", CLOSE), extensions=extensions) as far, channel_to(far) as channel:
            copy = channel.compose(long, "nl", Act.UPDATE, channel.limits)
            mailing = await mail(channel, people(1), copy)
            assert mailing.outcomes() == ["deferred"]
            assert mailing.receipts["resident0001"].reason is Reason.CONNECTION_LOST
        async with far_side(extensions=extensions) as far, channel_to(far) as channel:
            assert (await mail(channel, people(3), copy)).outcomes() == accepted(3)
            whole = {m.content.replace(b"=\r\n", b"").count(b"woord") for m in far.taken}
            assert whole == {2_000_000}, "in text and in HTML"

    asyncio.run(run())


def test_a_connection_that_was_closed_while_idle_costs_nobody_an_attempt() -> None:
    async def run() -> None:
        async with far_side() as far, channel_to(far, connections=2) as channel:
            assert (await mail(channel, people(10))).outcomes() == accepted(10)
            before = far.connections
            await far.close_idle()
            assert (await mail(channel, people(10, "later"))).outcomes() == accepted(10)
            assert far.connections > before

    asyncio.run(run())


@pytest.mark.parametrize("goodbye", [CLOSE, RESET, "421 4.4.2 idle for too long"])
def test_a_connection_that_closes_at_the_very_moment_of_reuse_costs_nobody_an_attempt(goodbye: str) -> None:
    async def run() -> None:
        def script(moment: str, session: Session, line: str) -> str | None:
            return goodbye if moment == "MAIL" and session.messages and session.number == 0 else None

        async with far_side(script) as far, channel_to(far, connections=1) as channel:
            assert (await mail(channel, people(1))).outcomes() == accepted(1)
            assert (await mail(channel, people(5, "later"))).outcomes() == accepted(5)
            assert far.connections == 2
            assert len(far.taken) == 6

    asyncio.run(run())


def test_connections_stay_with_the_channel_while_its_loop_stands_still() -> None:
    """A worker runs its loop once per task: between two of them nothing listens to the sockets."""
    with asyncio.Runner() as runner:

        async def start() -> tuple[object, SmtpFarSide, object]:
            context = far_side()
            far = await context.__aenter__()
            channel = channel_to(far, connections=2)
            assert (await mail(channel, people(10))).outcomes() == accepted(10)
            return context, far, channel

        context, far, channel = runner.run(start())
        opened = far.connections

        async def go_on() -> None:
            assert (await mail(channel, people(10, "next"))).outcomes() == accepted(10)  # type: ignore[arg-type]
            assert far.connections == opened
            await channel.__aexit__(None, None, None)  # type: ignore[attr-defined]
            await context.__aexit__(None, None, None)  # type: ignore[attr-defined]

        runner.run(go_on())
    assert [s.said[-1] for s in far.sessions] == ["QUIT"] * opened


def test_a_connection_carries_no_more_messages_than_it_may() -> None:
    async def run() -> None:
        async with far_side() as far, channel_to(far, connections=1, messages_per_connection=4) as channel:
            assert (await mail(channel, people(10))).outcomes() == accepted(10)
            assert [s.messages for s in far.sessions] == [4, 4, 2]
            assert [s.said[-1] for s in far.sessions[:2]] == ["QUIT", "QUIT"]

    asyncio.run(run())


def test_a_silent_server_holds_up_only_its_own_connection() -> None:
    async def run() -> None:
        script = at("dot", SILENCE, messages=2, session=0)
        async with far_side(script) as far, channel_to(far, connections=2, reply_seconds=0.6) as channel:
            mailing = await mail(channel, people(40))
            assert mailing.down is None
            assert mailing.outcomes().count("unknown") == 1
            assert mailing.outcomes().count("deferred") == 1
            assert mailing.outcomes().count("accepted") == 38

    asyncio.run(run())


def test_a_message_has_a_limit_of_its_own_beside_that_of_each_reply() -> None:
    """Every reply comes in time, and together they take too long."""

    async def run() -> None:
        async with far_side() as far, channel_to(far, connections=1, reply_seconds=30, attempt_seconds=0.8) as channel:
            slow = {"MAIL": 0.5, "RCPT": 0.5, "DATA": 0.5}
            far.pause = slow
            mailing = await asyncio.wait_for(mail(channel, people(1)), 10)
            assert mailing.outcomes() == ["deferred"]
            assert mailing.receipts["resident0001"].reason is Reason.NO_ANSWER
            assert "0.8 s" in mailing.receipts["resident0001"].detail

    asyncio.run(run())


def test_leaving_a_run_early_drops_what_is_under_way_and_keeps_nothing_open() -> None:
    async def run() -> None:
        async with far_side(at("dot", SILENCE, messages=3)) as far, channel_to(far, connections=2) as channel:

            async def given() -> AsyncIterator[Recipient]:
                for recipient in people(50):
                    yield recipient

            run = channel.deliver(announcement(channel).act, announcement(channel), given())
            first = await anext(run)
            assert first.outcome is Outcome.ACCEPTED
            await run.aclose()  # type: ignore[attr-defined]
            assert len(asyncio.all_tasks()) <= 1 + far.connections, "nothing of the run goes on"

    asyncio.run(run())


def test_an_address_that_policy_forbids_is_not_connected_to() -> None:
    async def run() -> None:
        async with far_side() as far:
            channel = channel_to(far)
            channel._pool._egress = Egress()
            async with channel:
                mailing = await mail(channel, people(3))
                assert mailing.down is not None
                assert mailing.down.needs_person
                assert "not a public address" in mailing.down.reason
                assert set(mailing.outcomes()) == {"deferred"}
                assert far.connections == 0

    asyncio.run(run())


def test_addresses_outside_ascii_need_smtputf8_and_get_a_clear_no_without_it() -> None:
    odd = [
        Recipient(address=address, key=f"odd{i}", thread="t", slots=people(1)[0].slots)
        for i, address in enumerate(["zoë@practice.invalid", "iemand@gemeente-zuíd.example", "plain@practice.invalid"])
    ]

    async def run() -> None:
        async with far_side() as far, channel_to(far, connections=1) as channel:
            assert (await mail(channel, odd)).outcomes() == accepted(3)
            assert [m.recipient for m in far.taken] == [
                "zoë@practice.invalid",
                "iemand@" + "gemeente-zuíd.example".encode("idna").decode(),
                "plain@practice.invalid",
            ]
            asked = [line for line in far.sessions[0].said if line.startswith("MAIL")]
            assert ["SMTPUTF8" in line for line in asked] == [True, False, False]
        async with far_side(extensions=("PIPELINING",)) as far, channel_to(far, connections=1) as channel:
            mailing = await mail(channel, odd)
            assert mailing.outcomes() == ["rejected", "accepted", "accepted"]
            assert mailing.receipts["odd0"].reason is Reason.ADDRESS_NOT_SUPPORTED
            assert "SMTPUTF8" in mailing.receipts["odd0"].detail

    asyncio.run(run())


def test_a_message_larger_than_the_server_takes_is_not_sent() -> None:
    async def run() -> None:
        async with far_side(extensions=("PIPELINING", "SIZE 2000")) as far, channel_to(far) as channel:
            mailing = await mail(channel, people(2))
            assert {(r.outcome, r.reason) for r in mailing.receipts.values()} == {(Outcome.REJECTED, Reason.TOO_LARGE)}
            assert not any(line.startswith("MAIL") for s in far.sessions for line in s.said)

    asyncio.run(run())


def test_each_delivery_can_have_a_sender_of_its_own() -> None:
    async def run() -> None:
        async with far_side() as far, channel_to(far, bounce_address="terug+{key}@losser.example") as channel:
            await mail(channel, people(3))
            assert sorted(m.sender for m in far.taken) == [f"terug+resident000{i}@losser.example" for i in (1, 2, 3)]

    asyncio.run(run())


def test_a_mistake_of_our_own_costs_one_recipient_and_not_the_run() -> None:
    class Broken(dict[str, str]):
        def get(self, *_: object) -> str:
            raise RuntimeError("our own mistake")

    async def run() -> None:
        given = people(5)
        given[2] = replace(given[2], slots=Broken())
        async with far_side() as far, channel_to(far, connections=1) as channel:
            mailing = await asyncio.wait_for(mail(channel, given), 10)
            assert mailing.outcomes() == [*accepted(2), "rejected", *accepted(2)]
            assert mailing.receipts["resident0003"].reason is Reason.FAULT
            assert mailing.receipts["resident0003"].detail == "RuntimeError while the message was made"

    asyncio.run(run())


def test_a_goodbye_while_idle_is_noticed_before_the_connection_is_used_again() -> None:
    async def run() -> None:
        async with far_side() as far, channel_to(far, connections=1) as channel:
            assert (await mail(channel, people(2))).outcomes() == accepted(2)
            far.writers[0].write(b"421 4.4.2 idle for too long\r\n")
            await far.writers[0].drain()
            assert (await mail(channel, people(2, "later"))).outcomes() == accepted(2)
            assert far.connections == 2
            assert [line for line in far.sessions[0].said if line.startswith("RCPT")] == [
                f"RCPT TO:<{person.address}>" for person in people(2)
            ]

    asyncio.run(run())


def test_a_connection_that_lay_idle_too_long_is_not_used_again() -> None:
    async def run() -> None:
        async with far_side() as far, channel_to(far, connections=1, idle_seconds=0.001) as channel:
            assert (await mail(channel, people(2))).outcomes() == accepted(2)
            await asyncio.sleep(0.01)
            assert (await mail(channel, people(2, "later"))).outcomes() == accepted(2)
            assert far.connections == 2

    asyncio.run(run())


@pytest.mark.parametrize("reply", ["250-more\r\n" * 100_000 + "250 enough", "2" * 100_000])
def test_an_endless_reply_is_none(reply: str) -> None:
    async def run() -> None:
        async with far_side(at("RCPT", reply)) as far, channel_to(far) as channel:
            mailing = await mail(channel, people(1))
            assert mailing.outcomes() == ["deferred"]
            assert mailing.receipts["resident0001"].reason is Reason.NOT_UNDERSTOOD

    asyncio.run(run())


def test_an_objection_in_the_middle_of_a_long_text_is_the_answer_to_it() -> None:
    async def run() -> None:
        long = bulletin(replace(NL, change="woord " * 1_000_000))
        script = at("text", "552 5.3.4 that is too much")
        async with far_side(script, extensions=("PIPELINING",)) as far, channel_to(far, connections=1) as channel:
            mailing = await mail(channel, people(1), announcement(channel, Act.UPDATE, long))
            assert mailing.outcomes() == ["rejected"]
            assert mailing.receipts["resident0001"].reason is Reason.TOO_LARGE
            assert far.messages == []

    asyncio.run(run())
