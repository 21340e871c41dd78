"""What is taken is on record before the sender hears of it, and stays there."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from dispatcher.practice.mailbox import Mailbox, MailboxInUse
from tests.support.practice import Practice
from tests.support.raw_smtp import RawSmtp, envelope, message
from tests.support.recorder import Recorder


def test_the_record_has_the_message_before_the_answer_is_heard(practice: Practice, key: str) -> None:
    with RawSmtp(practice.smtp_port) as client:
        for number in range(200):
            client.say(envelope())
            client.replies(3)
            client.say(message(f"{key}-{number}") + b".\r\n")
            client.reply()
            assert practice.record.lines()[-1].key == f"{key}-{number}"


def test_a_line_of_the_record_says_who_sent_what_to_whom(practice: Practice, key: str) -> None:
    with RawSmtp(practice.smtp_port) as client:
        client.deliver(key, to="resident-0042@practice.invalid")
        client.deliver(key, to="resident-0042@practice.invalid")
        port = client.port

    first, second = (line for line in practice.record.lines() if line.key == key)
    assert first.recipient == "resident-0042@practice.invalid"
    assert (first.message_id, first.subject) == (f"{key}@practice.invalid", f"Over {key}")
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.port == port
    assert first.pid == (os.getpid() if sys.platform == "linux" else None)
    assert practice.record.twice()[key] == 2


def test_a_hundred_thousand_messages_need_two_files_only(folder: Path) -> None:
    mailbox = Mailbox(folder)
    for number in range(100_000):
        mailbox.take(message(f"k{number}"), "a@b.invalid", [f"resident-{number}@practice.invalid"], 1, None)
    mailbox.close()

    again = Mailbox(folder)
    assert sorted(file.name for file in folder.iterdir()) == ["messages.bin", "record.jsonl"]
    assert len(again.taken) == 100_000
    assert again.content(again.taken[77_777]) == message("k77777")
    assert again.page(0, 2, words="RESIDENT-99999")[0] == 1
    again.close()


def test_after_a_restart_everything_is_still_there(folder: Path, key: str) -> None:
    with Practice(folder) as practice, RawSmtp(practice.smtp_port) as client:
        client.deliver(key, body="Bewaar mij")
        os.kill(practice.pid, signal.SIGKILL)
        practice.ended()

    with Practice(folder) as practice:
        found = practice.get("/mail.json", key=key).json()["messages"]
        assert "Bewaar mij" in practice.get(f"/message/{found[0]['number']}/source").text
        with RawSmtp(practice.smtp_port) as client:
            client.deliver(key)
        assert [line.attempt for line in practice.record.lines()] == [1, 2]


def test_a_line_cut_short_by_a_crash_spoils_no_other(folder: Path) -> None:
    folder.mkdir()
    record = folder / "record.jsonl"
    mailbox = Mailbox(folder)
    mailbox.take(message("whole"), "a@b.invalid", ["c@d.invalid"], 1, None)
    mailbox.close()
    record.write_bytes(record.read_bytes() + b'{"time":17')

    mailbox = Mailbox(folder)
    mailbox.take(message("next"), "a@b.invalid", ["c@d.invalid"], 1, None)
    mailbox.close()

    lines = record.read_bytes().splitlines()
    assert [json.loads(lines[0])["key"], lines[1], json.loads(lines[2])["key"]] == ["whole", b'{"time":17', "next"]
    again = Mailbox(folder)
    assert [taken.key for taken in again.taken] == ["whole", "next"]
    again.close()


def test_a_quote_in_a_subject_or_address_leaves_the_record_readable(folder: Path) -> None:
    mailbox = Mailbox(folder)
    content = b'Subject: "Zeg" \\ \x01\xe2\x80\xa8 \xff\r\nMessage-ID: <a"b@c>\r\n\r\n'
    mailbox.take(content, 'q"@b.invalid', ['"é"@d.invalid'], 1, None)
    mailbox.close()

    (line,) = Recorder(folder / "record.jsonl").lines()
    assert (line.key, line.recipient, line.sender) == ('a"b', '"é"@d.invalid', 'q"@b.invalid')
    assert line.subject == '"Zeg" \\ \x01\u2028 \ufffd'


def test_two_practice_towns_do_not_write_to_one_folder(folder: Path) -> None:
    mailbox = Mailbox(folder)
    with pytest.raises(MailboxInUse):
        Mailbox(folder)
    mailbox.close()


def test_without_storing_only_the_record_is_kept(folder: Path, key: str) -> None:
    with Practice(folder, "--no-store") as practice:
        with RawSmtp(practice.smtp_port) as client:
            client.deliver(key)
        (line,) = practice.record.lines()
        assert (line.key, line.offset, line.pid) == (key, None, None)
        assert (folder / "mail" / "messages.bin").stat().st_size == 0
        assert "De inhoud van dit bericht is niet bewaard" in practice.get("/message/0").text
        assert practice.get("/message/0/source").status_code == 404


@pytest.mark.skipif(sys.platform != "linux", reason="limits another process: Linux only")
def test_what_the_disk_has_no_room_for_is_not_taken(folder: Path, key: str) -> None:
    import resource  # noqa: PLC0415 - not on every system

    with Practice(folder) as practice, RawSmtp(practice.smtp_port) as client:
        assert client.deliver(f"{key}-before").startswith(b"250 ")
        size = practice.record.path.stat().st_size + 20
        resource.prlimit(practice.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        assert client.deliver(f"{key}-full").startswith(b"452 4.3.1")
        assert practice.record.keys() == {f"{key}-before"}
        resource.prlimit(practice.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert client.deliver(f"{key}-after").startswith(b"250 ")
        assert practice.record.keys() == {f"{key}-before", f"{key}-after"}
