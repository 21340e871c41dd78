"""The mail server speaks SMTP, whoever asks: Python's own client, and one that pipelines."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

import pytest

from tests.support.practice import Practice
from tests.support.raw_smtp import RawSmtp, envelope, message

SENDER = "berichten@practice.invalid"
RESIDENT = "resident-0001@practice.invalid"


def letter(key: str, subject: str = "Over de balie", text: str = "Hallo\n") -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = SENDER, RESIDENT, subject
    mail["Message-ID"] = f"<{key}@practice.invalid>"
    mail.set_content(text)
    return mail


def test_the_server_offers_what_a_mailing_uses(practice: Practice) -> None:
    with smtplib.SMTP("localhost", practice.smtp_port) as client:
        client.ehlo()

    assert {"pipelining", "size", "8bitmime", "smtputf8", "enhancedstatuscodes"} == set(client.esmtp_features)


def test_python_s_own_client_delivers_a_message_that_comes_out_as_it_went_in(practice: Practice, key: str) -> None:
    mail = letter(key, text="Eerste regel\n.\n..een regel met punten\n.punt\n")

    with smtplib.SMTP("localhost", practice.smtp_port) as client:
        assert client.send_message(mail) == {}

    (taken,) = [line for line in practice.record.lines() if line.key == key]
    assert (taken.recipient, taken.subject, taken.sender) == (RESIDENT, "Over de balie", SENDER)
    number = practice.get("/mail.json", key=key).json()["messages"][0]["number"]
    assert practice.get(f"/message/{number}/source").content == mail.as_bytes()


def test_each_recipient_of_one_message_is_recorded(practice: Practice, key: str) -> None:
    others = [f"resident-{number:04}@practice.invalid" for number in range(3)]

    with smtplib.SMTP("localhost", practice.smtp_port) as client:
        client.sendmail(SENDER, others, letter(key).as_bytes())

    assert [line.recipient for line in practice.record.lines() if line.key == key] == others


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("=?utf-8?q?Vanaf_maandag_caf=C3=A9_dicht?=", "Vanaf maandag café dicht"),
        ("=?utf-8?b?w6k=?=\r\n =?utf-8?b?w6g=?=", "éè"),
        ("Een onderwerp\r\n dat doorloopt", "Een onderwerp dat doorloopt"),
        ("=?no-such-charset?q?x?=", "=?no-such-charset?q?x?="),
    ],
)
def test_a_subject_is_recorded_as_people_read_it(practice: Practice, key: str, written: str, read: str) -> None:
    head = f"subject: {written}\r\nmessage-id:\r\n <{key}@x>\r\n\r\nHallo\r\n.\r\n"

    with RawSmtp(practice.smtp_port) as client:
        client.say(envelope())
        client.replies(3)
        client.say(head.encode())
        assert client.reply().startswith(b"250 ")

    assert [line.subject for line in practice.record.lines() if line.key == key] == [read]


def test_a_message_without_message_id_is_taken(practice: Practice) -> None:
    before = practice.record.count()

    with RawSmtp(practice.smtp_port) as client:
        client.say(envelope())
        client.replies(3)
        client.say(b".\r\n")
        assert client.reply().startswith(b"250 ")

    (taken,) = practice.record.lines()[before:]
    assert (taken.key, taken.length) == ("", 0)


def test_addresses_outside_ascii_need_smtputf8(practice: Practice, key: str) -> None:
    mail = letter(key)
    with smtplib.SMTP("localhost", practice.smtp_port) as client:
        client.ehlo()
        client.sendmail(SENDER, ["zoë@practice.invalid"], mail.as_bytes(policy=SMTPUTF8), mail_options=["SMTPUTF8"])
    assert [line.recipient for line in practice.record.lines() if line.key == key] == ["zoë@practice.invalid"]

    with RawSmtp(practice.smtp_port) as client:
        assert client.ask(f"MAIL FROM:<{SENDER}>").startswith(b"250")
        assert client.ask("RCPT TO:<zoë@practice.invalid>").startswith(b"553 5.6.7")
        client.say(b"RCPT TO:<\xff@practice.invalid>\r\n")
        assert client.reply().startswith(b"501 5.1.3")


def test_a_pipelining_client_gets_every_answer_in_order_in_one_round_trip_a_message(
    practice: Practice, key: str
) -> None:
    keys = [f"{key}-{number}" for number in range(200)]

    with RawSmtp(practice.smtp_port) as client:
        client.say(envelope())
        assert client.codes(3) == [250, 250, 354]
        for each in keys:
            client.say(message(each) + b".\r\n" + envelope())
            assert client.codes(4) == [250, 250, 250, 354]
        client.say(message(f"{key}-last") + b".\r\nQUIT\r\n")
        assert client.codes(2) == [250, 221]
        assert client.rest() == b""

    assert [line.key for line in practice.record.lines() if line.key.startswith(key)] == [*keys, f"{key}-last"]


def test_it_makes_no_difference_how_the_bytes_are_cut(practice: Practice, key: str) -> None:
    spoken = (
        b"EHLO test.invalid\r\n"
        + b"MAIL FROM:<a@b.invalid> SIZE=10 BODY=8BITMIME\r\nRCPT TO:<c@d.invalid>\r\nRCPT TO:<no>\r\nDATA\r\n"
        + message(f"{key}-one", body="x\n..\ny")
        + b".\r\n"
        + envelope()
        + message(f"{key}-two")
        + b".\r\nRSET\r\nNOOP\r\nNONSENSE\r\nQUIT\r\n"
    )
    heard = []
    for size in (len(spoken), 1, 7):
        with RawSmtp(practice.smtp_port, greet=False) as client:
            for start in range(0, len(spoken), size):
                client.say(spoken[start : start + size])
            heard.append(client.rest())

    assert heard[0] == heard[1] == heard[2]
    codes = [line[:3] for line in heard[0].splitlines() if line[3:4] == b" "]
    assert codes == [b"220", b"250", b"250", b"250", b"501", b"354"] + [b"250"] * 3 + [b"354", b"250"] + [
        b"250",
        b"250",
        b"500",
        b"221",
    ]
    assert practice.record.times()[f"{key}-one"] == practice.record.times()[f"{key}-two"] == 3


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (["EHLO"], "501 5.5.4"),
        (["HELO x"], "250 "),
        (["RCPT TO:<a@b.invalid>"], "503 5.5.1"),
        (["DATA"], "503 5.5.1"),
        (["MAIL FROM:<a@b.invalid>", "DATA"], "554 5.5.1"),
        (["MAIL FROM:<a@b.invalid>", "MAIL FROM:<a@b.invalid>"], "503 5.5.1"),
        (["MAIL FROM:<>"], "250 2.1.0"),
        (["MAIL FROM:a@b.invalid"], "501 5.5.4"),
        (["MAIL FROM:<a@b.invalid> SIZE=10485761"], "552 5.3.4"),
        (["MAIL FROM:<a@b.invalid> SIZE=many"], "555 5.5.4"),
        (["MAIL FROM:<a@b.invalid> RET=FULL"], "555 5.5.4"),
        (["MAIL FROM:<a@b.invalid>", "RCPT TO:<a@b.invalid> NOTIFY=NEVER"], "555 5.5.4"),
        (['MAIL FROM:<"a b>c"@b.invalid>', 'RCPT TO:<"d e"@f.invalid>'], "250 2.1.5"),
        (["VRFY a"], "252 2.5.0"),
        (["AUTH PLAIN x"], "502 5.5.1"),
        (["STARTTLS"], "502 5.5.1"),
        (["MAIL FROM:<a@b.invalid>", "RSET", "RCPT TO:<a@b.invalid>"], "503 5.5.1"),
        (["NOOP\n"], "500 5.5.2"),
    ],
)
def test_commands_are_answered_by_the_rules(practice: Practice, said: list[str], answer: str) -> None:
    with RawSmtp(practice.smtp_port) as client:
        answers = [client.ask(command) for command in said]

    assert answers[-1].decode().startswith(answer)


def test_who_does_not_greet_may_not_send(practice: Practice) -> None:
    with RawSmtp(practice.smtp_port, greet=False) as client:
        client.reply()
        client.say(envelope())
        assert client.codes(3) == [503, 503, 503]


def test_a_command_without_end_is_cut_off(practice: Practice) -> None:
    with RawSmtp(practice.smtp_port) as client:
        client.say(b"x" * 5000)
        assert client.reply().startswith(b"500 5.5.2")
        assert client.rest() == b""


def test_a_message_that_is_too_large_is_refused_and_the_next_one_taken(practice: Practice, key: str) -> None:
    with RawSmtp(practice.smtp_port) as client:
        client.say(envelope())
        client.replies(3)
        client.say((b"x" * 998 + b"\r\n") * 11_000 + b".\r\n")
        assert client.reply().startswith(b"552 5.3.4")
        assert client.deliver(key).startswith(b"250 ")

    assert practice.record.has(key)


@pytest.mark.parametrize("bad", [b"bare\nline feed\r\n.\r\n", b"bare\rreturn\r\n.\r\n"])
def test_lines_that_do_not_end_in_crlf_are_refused(practice: Practice, bad: bytes) -> None:
    before = practice.record.count()

    with RawSmtp(practice.smtp_port) as client:
        client.say(envelope())
        client.replies(3)
        client.say(bad)
        assert client.reply().startswith(b"550 5.6.0")

    assert practice.record.count() == before


def test_a_dot_between_line_feeds_does_not_end_a_message(practice: Practice, key: str) -> None:
    """Two servers that disagree on where a message ends can be made to take a forged one (SMTP smuggling)."""
    with RawSmtp(practice.smtp_port) as client:
        client.say(envelope())
        client.replies(3)
        client.say(b"x\n.\n" + envelope() + message(key) + b".\r\n")
        assert client.reply().startswith(b"550 5.6.0")

    assert not practice.record.has(key)


def test_too_many_recipients_are_sent_back(practice: Practice) -> None:
    with RawSmtp(practice.smtp_port) as client:
        client.ask(f"MAIL FROM:<{SENDER}>")
        client.say(b"".join(b"RCPT TO:<r%d@practice.invalid>\r\n" % number for number in range(1001)))
        codes = client.codes(1001)

    assert codes == [250] * 1000 + [452]
