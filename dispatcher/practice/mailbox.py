"""What the practice town's mail server took: the witness that tests ask, and the mailbox that people read.

Two append-only files in one folder. ``record.jsonl`` has a line for each recipient of each message taken, written
before the server answers; it is the only witness of what arrived and also the index of the other file.
``messages.bin`` holds the messages one after another; a line's ``offset`` and ``length`` say where.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from functools import lru_cache
from itertools import islice
from json.encoder import encode_basestring as _quoted
from pathlib import Path
from typing import NamedTuple

from dispatcher.practice.record import append

_MESSAGE_ID = re.compile(rb"^message-id:\s*<?([^<>\s]*)", re.IGNORECASE | re.MULTILINE)
_SUBJECT = re.compile(rb"^subject:[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)", re.IGNORECASE | re.MULTILINE)


class MailboxInUse(Exception):
    """Another practice town writes to this folder."""


class Taken(NamedTuple):
    """One line of the record: one recipient of one message taken.

    ``time`` is seconds since the epoch. ``key`` is the local part of the Message-ID. ``attempt`` says how often this
    key was taken for this recipient, this time included. ``port`` and ``pid`` are the sender's (``None`` where not
    looked up). ``offset`` is ``None`` where messages are not kept.
    """

    time: float
    key: str
    recipient: str
    subject: str
    port: int
    pid: int | None
    message_id: str
    attempt: int
    sender: str
    offset: int | None
    length: int

    def as_line(self) -> str:
        """The line of the record: JSON, written out by hand as it is written for every message."""
        pid, offset = ("null" if number is None else number for number in (self.pid, self.offset))
        return (
            f'{{"time":{self.time:.6f},"key":{_quoted(self.key)},"recipient":{_quoted(self.recipient)},'
            f'"subject":{_quoted(self.subject)},"port":{self.port},"pid":{pid},'
            f'"message_id":{_quoted(self.message_id)},"attempt":{self.attempt},"sender":{_quoted(self.sender)},'
            f'"offset":{offset},"length":{self.length}}}\n'
        )


@lru_cache(maxsize=256)
def _readable(subject: bytes) -> str:
    """A subject as people read it (RFC 2047 undone). Cached: everyone in a mailing gets the same one."""
    text = re.sub(r"\r?\n(?=[ \t])", "", subject.decode("utf-8", "replace"))
    with suppress(HeaderParseError, LookupError, UnicodeDecodeError):
        return str(make_header(decode_header(text)))
    return text


def _found(pattern: re.Pattern[bytes], exact: bytes, head: bytes) -> bytes:
    """The field's value: where it is written as usual at once, else by the rules (RFC 5322: any case, folded)."""
    start = head.find(exact)
    match = pattern.match(head, start + 2) if start >= 0 else pattern.search(head)
    return match[1] if match else b""


class Mailbox:
    """Takes messages, says what it took, gives them back.

    ``keep`` off keeps the record only, for load tests.

    Raises:
        MailboxInUse: when another process has this folder open.
        OSError: when the folder cannot be written to.
    """

    def __init__(self, folder: Path, *, keep: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.keep = keep
        self.taken: list[Taken] = []
        self._attempts: Counter[tuple[str, str]] = Counter()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._record = os.open(folder / "record.jsonl", flags, 0o600)
        try:
            fcntl.flock(self._record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._record)
            raise MailboxInUse(str(folder)) from None
        self._messages = os.open(folder / "messages.bin", flags, 0o600)
        self._end = os.fstat(self._messages).st_size
        self._load()

    def _load(self) -> None:
        with os.fdopen(os.dup(self._record), "rb") as lines:
            lines.seek(0)
            line = b"\n"
            for line in lines:
                with suppress(ValueError, TypeError):  # a line cut short when the machine stopped
                    self._remember(Taken(**json.loads(line)))
        if not line.endswith(b"\n"):
            append(self._record, b"\n")

    def _remember(self, taken: Taken) -> None:
        self.taken.append(taken)
        self._attempts[taken.key, taken.recipient] += 1

    def take(self, content: bytes, sender: str, recipients: Sequence[str], port: int, pid: int | None) -> None:
        """Records a message for its recipients; when this returns, the record holds it.

        ``content`` is as it came over the wire: a line that begins with a dot has one more (RFC 5321, 4.5.2).

        Raises:
            OSError: the disk is full or failing; nothing of it counts as taken.
        """
        head = content[: content.find(b"\r\n\r\n") + 2] or content
        message_id = _found(_MESSAGE_ID, b"\r\nMessage-ID:", head).decode("utf-8", "replace")
        subject = _readable(_found(_SUBJECT, b"\r\nSubject:", head))
        key = message_id.rpartition("@")[0] or message_id
        offset = None
        if self.keep:
            append(self._messages, content)
            offset = self._end
            self._end += len(content)
        now = time.time()
        lines = [
            Taken(
                now,
                key,
                recipient,
                subject,
                port,
                pid,
                message_id,
                self._attempts[key, recipient] + 1,
                sender,
                offset,
                len(content),
            )
            for recipient in recipients
        ]
        append(self._record, "".join([line.as_line() for line in lines]).encode())
        for line in lines:
            self._remember(line)

    def newest(self, *, words: str = "", recipient: str = "", key: str = "") -> Iterator[tuple[int, Taken]]:
        """What was taken, newest first, each with its number; ``words`` stand in the address or the subject."""
        words = words.casefold().strip()
        for number in range(len(self.taken) - 1, -1, -1):
            taken = self.taken[number]
            if recipient and taken.recipient != recipient:
                continue
            if key and taken.key != key:
                continue
            if words and words not in taken.recipient.casefold() and words not in taken.subject.casefold():
                continue
            yield number, taken

    def page(
        self, start: int, size: int, *, words: str = "", recipient: str = "", key: str = ""
    ) -> tuple[int, list[tuple[int, Taken]]]:
        """How many match, and ``size`` of them from ``start`` on, newest first."""
        found = list(self.newest(words=words, recipient=recipient, key=key))
        return len(found), list(islice(found, start, start + size))

    def content(self, taken: Taken) -> bytes | None:
        """The message as its sender wrote it, or ``None`` where it was not kept."""
        if taken.offset is None:
            return None
        wire = os.pread(self._messages, taken.length, taken.offset)
        return wire[wire.startswith(b".") :].replace(b"\r\n.", b"\r\n")

    def close(self) -> None:
        os.close(self._messages)
        os.close(self._record)
