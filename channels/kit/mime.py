"""A MIME message that is built once for a copy and then only joined per recipient (RFC 5322, 2045, 2047).

The message is quoted-printable throughout, so that every line is short ASCII. Where a slot stands, the encoded body is
cut: slots stand alone on their physical lines between soft line breaks, so that what is personal can be put in without
encoding anything else again.
"""

from __future__ import annotations

import re
from binascii import b2a_qp
from collections.abc import Collection, Mapping
from email import policy
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart

_LONGEST_LINE = 76  # octets of an encoded line: RFC 2045 section 6.7
# In HTML a slot stands on its own line inside an attribute; the line ends are no part of the link.
_ATTRIBUTE_SLOT = re.compile(r'="\s*(\{\{\w+\}\})\s*"')
# An encoded body never holds two equals signs in a row, so this cannot be mistaken for anything written by people.
_MARK = re.compile(rb"==(\w+)\.(\w+)==")
_UNFIT = re.compile(rb"^(?:\..*|.{77,})$", re.MULTILINE)  # longer ones come from a space at the end of a line
_JOINERS = frozenset("\u00ad\u200c\u200d")  # they shape words and emoji
# Controls, exotic line ends, lone surrogates and private use: nothing that a reader is meant to see.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ud800-\uf8ff]")
_NEWLINES = re.compile(r"\r\n?")
_PLAIN_HEADER = re.compile(r"[\x20-\x7e]{0,60}")
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9 !#$%&'*+/^_`{|}~-]{1,60}")
_WIRE = policy.compat32.clone(linesep="\r\n", mangle_from_=False)


def header_text(text: str) -> str:
    """``text`` fit for a header: whatever could end a line, or hide in one, is a space."""
    return "".join(c if c.isprintable() or c in _JOINERS else " " for c in text)


def body_text(text: str) -> str:
    """``text`` fit for a body: line ends are LF, other control characters and exotic line ends are a space."""
    return _CONTROL.sub(" ", _NEWLINES.sub("\n", text))


def encoded(text: str, name: str) -> str:
    """``text`` as the value of header ``name``: as it is where that is short ASCII, else in encoded words."""
    text = header_text(text)
    if _PLAIN_HEADER.fullmatch(text) and "=?" not in text:
        return text
    return Header(text, "utf-8", header_name=name, maxlinelen=76).encode(linesep="\r\n")


def mailbox(phrase: str, address: str, name: str) -> str:
    """``phrase <address>`` for header ``name``."""
    phrase = header_text(phrase).strip()
    if not phrase:
        return f"<{address}>"
    if not _PLAIN_PHRASE.fullmatch(phrase):
        phrase = Header(phrase, "utf-8", header_name=name, maxlinelen=76).encode(linesep="\r\n")
    separator = " " if len(phrase.rpartition("\n")[2]) + len(address) < 70 else "\r\n "
    return f"{phrase}{separator}<{address}>"


def quoted(text: str) -> bytes:
    """``text`` in quoted-printable, lines ended by CRLF, the last one with room for a soft break.

    No line begins with a dot, so that none has to be doubled on the wire (RFC 5321 section 4.5.2).
    """
    lines = b2a_qp(text.encode(), istext=True, header=False).replace(b"\r\n", b"\n")
    before, newline, last = lines.rpartition(b"\n")
    fitting = _UNFIT.sub(lambda found: _fitted(found[0], _LONGEST_LINE), before)
    return (fitting + newline + _fitted(last, _LONGEST_LINE - 1)).replace(b"\n", b"\r\n")


def _fitted(line: bytes, longest: int) -> bytes:
    done = b""
    while True:
        if line.startswith(b"."):
            line = b"=2E" + line[1:]
        if len(line) <= longest:
            return done + line
        cut = _LONGEST_LINE - 1
        while b"=" in line[cut - 2 : cut]:  # not inside an escape
            cut -= 1
        done, line = done + line[:cut] + b"=\n", line[cut:]


def alternatives(
    headers: Mapping[str, str], boundary: str, text: str, html: str, slots: Collection[str]
) -> list[bytes | tuple[str, str]]:
    """The message in pieces: bytes, and between them the ``slots`` as pairs of name and part (``text`` or ``html``).

    ``headers`` are already encoded. What is personal in the head goes before the first piece.
    """
    message = MIMEMultipart("alternative", boundary)
    for subtype, content in (("plain", text), ("html", _ATTRIBUTE_SLOT.sub(r'="\1"', html))):
        part = MIMENonMultipart("text", subtype, charset="utf-8")
        part["Content-Transfer-Encoding"] = "quoted-printable"
        part.set_payload(_marked(content, "text" if subtype == "plain" else subtype, slots))
        message.attach(part)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")
    found = _MARK.split(message.as_bytes(policy=_WIRE))
    pieces: list[bytes | tuple[str, str]] = [head + found[0]]
    for name, part_name, following in zip(found[1::3], found[2::3], found[3::3], strict=True):
        pieces += [(name.decode(), part_name.decode()), following]
    return pieces


def _marked(content: str, part: str, slots: Collection[str]) -> str:
    """``content`` encoded, with a mark where a slot stands."""
    names = "|".join(map(re.escape, slots)) or r"(?!)"
    found = re.split(r"\{\{(" + names + r")\}\}", body_text(content))
    out = quoted(found[0])
    for name, following in zip(found[1::2], found[2::2], strict=True):
        soft = b"" if not out or out.endswith(b"\n") else b"=\r\n"
        out += soft + f"=={name}.{part}==".encode()
        rest = quoted(following)
        out += rest if rest.startswith(b"\r\n") else b"=\r\n" + rest
    return out.decode("ascii").replace("\r\n", "\n")
