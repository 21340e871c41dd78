"""Each fault does what it says, when it says, and stops when it is switched off."""

from __future__ import annotations

import smtplib
import time
from typing import Any

import pytest

from dispatcher.practice.faults import PRESETS, Moment, read_faults
from dispatcher.practice.wanted import FaultsInvalid
from dispatcher.practice.words import PRESET_WORDS
from tests.support.practice import Practice
from tests.support.raw_smtp import RawSmtp, envelope, message

SOME = "resident-0017@practice.invalid"


def talk_until(client: RawSmtp, moment: str, key: str) -> None:
    """Brings a connection that has heard nothing yet to where the server owes the answer of ``moment``."""
    steps = {
        "banner": None,
        "ehlo": b"EHLO test.invalid\r\n",
        "mail": b"MAIL FROM:<a@b.invalid>\r\n",
        "rcpt": b"RCPT TO:<c@d.invalid>\r\n",
        "data": b"DATA\r\n",
        "after-dot": message(key) + b".\r\n",
    }
    for step, said in steps.items():
        if said is not None:
            client.say(said)
        if step == moment:
            return
        assert client.reply()[:1] in b"23"


MOMENTS = ["banner", "ehlo", "mail", "rcpt", "data", "after-dot"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_silence_at_a_moment_is_silence_from_then_on(practice: Practice, key: str, moment: str) -> None:
    practice.switch({"kind": "silence", "moment": moment})

    with RawSmtp(practice.smtp_port, greet=False) as client:
        talk_until(client, moment, key)
        assert client.is_silent()
        client.say(b"NOOP\r\n")
        assert client.is_silent()

    assert practice.record.has(key) == (moment == "after-dot")


def test_silence_after_the_dot_may_also_lose_the_message(practice: Practice, key: str) -> None:
    practice.switch({"kind": "silence", "moment": "after-dot", "taken": False})

    with RawSmtp(practice.smtp_port, greet=False) as client:
        talk_until(client, "after-dot", key)
        assert client.is_silent()

    assert not practice.record.has(key)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_trickled_answer_comes_whole_but_byte_by_byte(practice: Practice, key: str, moment: str) -> None:
    practice.switch({"kind": "silence", "moment": moment, "trickle": 0.002})

    with RawSmtp(practice.smtp_port, greet=False) as client:
        talk_until(client, moment, key)
        started = time.monotonic()
        answer = client.reply()

    assert answer[:1] in b"23"
    assert answer.endswith(b"\r\n")
    assert time.monotonic() - started >= 0.002 * (len(answer) - 2)


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_cut_at_a_moment_ends_the_connection_without_an_answer(
    practice: Practice, key: str, moment: str, how: str
) -> None:
    practice.switch({"kind": "cut", "moment": moment, "how": how})

    if how == "rst":
        # At the banner it can come before we have so much as looked at the connection.
        with pytest.raises(ConnectionResetError), RawSmtp(practice.smtp_port, greet=False) as client:
            talk_until(client, moment, key)
            client.rest()
    else:
        with RawSmtp(practice.smtp_port, greet=False) as client:
            talk_until(client, moment, key)
            assert client.rest() == b""

    assert practice.record.has(key) == (moment == "after-dot")


def test_a_connection_can_break_after_the_dot_with_the_message_lost(practice: Practice, key: str) -> None:
    practice.switch("cut-not-taken")

    with RawSmtp(practice.smtp_port) as client:
        assert client.deliver(key) == b""

    assert not practice.record.has(key)


def test_a_connection_can_break_in_the_middle_of_a_message(practice: Practice, key: str) -> None:
    practice.switch({"kind": "cut", "moment": "body"})

    with RawSmtp(practice.smtp_port) as client:
        client.say(envelope())
        assert client.codes(3) == [250, 250, 354]
        client.say(message(key))
        assert client.rest() == b""

    assert not practice.record.has(key)


def test_an_answer_can_be_cut_in_the_middle(practice: Practice, key: str) -> None:
    practice.switch("half-answer")

    with RawSmtp(practice.smtp_port) as client:
        assert client.deliver(key) == b"25"
        assert client.rest() == b""

    assert practice.record.has(key)


def test_a_connection_can_break_after_the_answer(practice: Practice, key: str) -> None:
    practice.switch({"kind": "cut", "moment": "after-reply"})

    with RawSmtp(practice.smtp_port) as client:
        assert client.deliver(key).startswith(b"250 ")
        assert client.rest() == b""


@pytest.mark.parametrize("moment", MOMENTS)
def test_garbage_is_said_in_place_of_the_answer(practice: Practice, key: str, moment: str) -> None:
    practice.switch({"kind": "garbage", "moment": moment, "send": "\x00\xffnonsense\r\n"})

    with RawSmtp(practice.smtp_port, greet=False) as client:
        talk_until(client, moment, key)
        assert client.reply() == b"\x00\xffnonsense\r\n"


@pytest.mark.parametrize("moment", MOMENTS)
def test_another_answer_is_given_and_what_it_refuses_does_not_count(practice: Practice, key: str, moment: str) -> None:
    practice.switch({"kind": "answer", "moment": moment, "code": 421, "enhanced": "5.7.32", "text": "Tot later"})

    with RawSmtp(practice.smtp_port, greet=False) as client:
        talk_until(client, moment, key)
        assert client.reply() == b"421 5.7.32 Tot later\r\n"
        assert client.ask("NOOP").startswith(b"250")

    assert not practice.record.has(key)


def test_a_refused_recipient_is_left_out_and_the_others_get_the_message(practice: Practice, key: str) -> None:
    practice.switch("unknown-address", {"preset": "full", "match": "resident-0002@*"})
    others = [SOME, "resident-0001@practice.invalid", "resident-0002@practice.invalid"]

    with smtplib.SMTP("localhost", practice.smtp_port) as client:
        refused = client.sendmail("berichten@practice.invalid", others, message(key))

    assert {address: answer[0] for address, answer in refused.items()} == {SOME: 550, others[2]: 452}
    assert [line.recipient for line in practice.record.lines() if line.key == key] == [others[1]]


def test_a_server_can_be_too_busy_after_so_many_messages_on_each_connection(practice: Practice, key: str) -> None:
    practice.switch({"preset": "busy", "after": 3})

    for connection in range(2):
        with RawSmtp(practice.smtp_port) as client:
            for number in range(3):
                assert client.deliver(f"{key}-{connection}-{number}").startswith(b"250 ")
            assert client.ask("MAIL FROM:<a@b.invalid>").startswith(b"421 4.7.0")
            assert client.rest() == b""

    assert practice.state()["faults"][0]["struck"] == 2


def test_a_pipelined_envelope_meets_the_same_faults(practice: Practice, key: str) -> None:
    practice.switch({"kind": "answer", "moment": "rcpt", "code": 450, "enhanced": "4.2.1"})

    with RawSmtp(practice.smtp_port) as client:
        client.say(envelope())
        assert client.codes(3) == [250, 450, 554]


def test_counting_over_all_connections_and_striking_so_often(practice: Practice, key: str) -> None:
    practice.switch({"kind": "answer", "moment": "after-dot", "code": 451, "after": 2, "times": 2})

    codes = []
    for number in range(6):
        with RawSmtp(practice.smtp_port) as client:
            codes.append(client.deliver(f"{key}-{number}")[:3])

    assert codes == [b"250", b"250", b"451", b"451", b"250", b"250"]


def test_one_connection_too_many_is_sent_away(practice: Practice) -> None:
    practice.switch({"kind": "crowded", "at_most": 2})

    with RawSmtp(practice.smtp_port) as one, RawSmtp(practice.smtp_port):
        with RawSmtp(practice.smtp_port, greet=False) as third:
            assert third.reply().startswith(b"421 4.7.0")
            assert third.rest() == b""
        assert one.ask("NOOP").startswith(b"250")


def test_greylisting_turns_each_recipient_away_until_later(practice: Practice) -> None:
    practice.switch({"kind": "greylist", "seconds": 0.3})

    with RawSmtp(practice.smtp_port) as client:
        client.ask("MAIL FROM:<a@b.invalid>")
        started = time.monotonic()
        assert client.ask("RCPT TO:<one@practice.invalid>").startswith(b"451 4.7.1")
        while client.ask("RCPT TO:<one@practice.invalid>").startswith(b"451 4.7.1"):
            assert time.monotonic() - started < 10
        assert time.monotonic() - started >= 0.3
        assert client.ask("RCPT TO:<two@practice.invalid>").startswith(b"451 4.7.1")


def test_a_slow_server_takes_its_time_for_each_answer(practice: Practice, key: str) -> None:
    practice.switch({"kind": "slow", "seconds": 0.05})

    with RawSmtp(practice.smtp_port) as client:
        started = time.monotonic()
        assert client.deliver(key).startswith(b"250 ")
        assert time.monotonic() - started >= 4 * 0.05


def test_slowness_goes_with_another_fault(practice: Practice) -> None:
    practice.switch({"kind": "slow", "seconds": 0.05}, {"kind": "answer", "moment": "mail", "code": 451})

    with RawSmtp(practice.smtp_port) as client:
        started = time.monotonic()
        assert client.ask("MAIL FROM:<a@b.invalid>").startswith(b"451")
        assert time.monotonic() - started >= 0.05


def test_a_refused_port_gives_nothing_and_comes_back_as_the_same_port(practice: Practice, key: str) -> None:
    client = RawSmtp(practice.smtp_port)
    practice.switch("refused")
    with pytest.raises(ConnectionRefusedError):
        RawSmtp(practice.smtp_port)
    assert client.rest() == b""
    client.close()

    practice.clear()

    with RawSmtp(practice.smtp_port) as client:
        assert client.deliver(key).startswith(b"250 ")


def test_a_refused_port_may_leave_open_connections_alone(practice: Practice, key: str) -> None:
    with RawSmtp(practice.smtp_port) as client:
        practice.switch({"kind": "refuse", "cut": False})
        with pytest.raises(ConnectionRefusedError):
            RawSmtp(practice.smtp_port)
        assert client.deliver(key).startswith(b"250 ")


def test_extensions_can_be_withdrawn(practice: Practice) -> None:
    practice.switch({"kind": "without", "extensions": ["SMTPUTF8", "SIZE", "ENHANCEDSTATUSCODES"]})

    with RawSmtp(practice.smtp_port) as client:
        offered = client.ask("EHLO test.invalid")
        assert b"PIPELINING" in offered
        assert b"SMTPUTF8" not in offered and b"SIZE" not in offered
        assert client.ask("MAIL FROM:<a@b.invalid> SMTPUTF8").startswith(b"555")
        assert client.ask("MAIL FROM:<a@b.invalid>") == b"250 Ok\r\n"


def test_faults_are_for_one_process_only_where_that_is_asked(practice: Practice, key: str) -> None:
    practice.switch({"kind": "answer", "moment": "mail", "code": 451, "peer": 2})

    with RawSmtp(practice.smtp_port) as client:
        assert client.deliver(key).startswith(b"250 ")


def test_a_fault_switched_off_strikes_no_more(practice: Practice, key: str) -> None:
    first, second = practice.switch("not-allowed", "greylist")["faults"]
    with RawSmtp(practice.smtp_port) as client:
        client.ask("MAIL FROM:<a@b.invalid>")
        assert client.ask(f"RCPT TO:<{SOME}>").startswith(b"550 5.7.1")
        assert practice.post("/faults/off", number=str(first["number"])).status_code == 303
        assert client.ask(f"RCPT TO:<{SOME}>").startswith(b"451 4.7.1")
        assert practice.post("/faults/off", number=str(second["number"])).status_code == 303
        assert client.ask(f"RCPT TO:<{SOME}>").startswith(b"250 ")


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_is_a_fault_and_has_words_in_both_languages(name: str) -> None:
    assert len(read_faults({"preset": name})) == 1
    assert all(len(words) == 2 and all(words) for words in PRESET_WORDS[name].values())
    assert set(PRESET_WORDS[name]) == {"nl", "en"}


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"kind": "slow"}, ["seconds"]),
        ({"kind": "slow", "seconds": 0}, ["seconds"]),
        ({"kind": "nonsense"}, [""]),
        ({"preset": "nonsense"}, ["preset"]),
        ("slow", [""]),
        ({"kind": "silence", "moment": "body"}, [""]),
        ({"kind": "answer", "moment": "mail", "code": 99, "enhanced": "x"}, ["code", "enhanced"]),
        ({"kind": "answer", "moment": "mail", "code": 421, "match": "a@*"}, [""]),
        ({"kind": "answer", "moment": "mail", "code": 421, "text": "one\r\ntwo"}, ["text"]),
        ({"kind": "cut", "moment": "mail", "send": "€"}, ["send"]),
        ([{"kind": "slow"}, {"preset": "busy", "after": -1}], ["seconds", "after"]),
    ],
)
def test_what_is_no_fault_is_refused_with_all_that_is_wrong(wanted: Any, fields: list[str]) -> None:
    with pytest.raises(FaultsInvalid) as caught:
        read_faults(wanted)

    assert [field for field, _ in caught.value.problems] == fields
    assert all(problem for _, problem in caught.value.problems)


def test_a_fault_of_no_kind_is_told_which_kinds_there_are() -> None:
    with pytest.raises(FaultsInvalid, match="slow, refuse, silence"):
        read_faults({"refuse": True})


def test_faults_that_are_refused_change_nothing(practice: Practice) -> None:
    practice.switch("slow")
    assert practice.post("/faults", preset="slow", seconds="veel").status_code == 422
    assert [fault["kind"] for fault in practice.state()["faults"]] == ["slow"]


def test_every_moment_is_met_on_the_way_of_a_message(practice: Practice, key: str) -> None:
    """A cut at each moment in turn strikes exactly once, so no moment is passed by."""
    for moment in Moment:
        practice.switch({"kind": "cut", "moment": moment.value, "times": 1})
        with RawSmtp(practice.smtp_port, greet=False) as client:
            for said in (b"EHLO x\r\n", envelope(), message(f"{key}-{moment}") + b".\r\n"):
                try:
                    client.reply()
                    client.say(said)
                except OSError:
                    break
            client.socket.settimeout(2)
            while True:
                try:
                    if not client.reply():
                        break
                except OSError:
                    break
        assert practice.state()["faults"][0]["struck"] == 1, moment
