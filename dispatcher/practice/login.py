"""The conversation of AUTH (RFC 4954): PLAIN (RFC 4616) and LOGIN."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable


def _decoded(text: bytes) -> bytes:
    """What was said in Base64; empty where it is not Base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


class Login:
    """One sender's logging in. ``known`` once it has; ``waiting`` while the next line is an answer to a question."""

    def __init__(self, name: str, password: str) -> None:
        self.known = False
        self._expected = (name.encode(), password.encode())
        self._name = b""
        self._next: Callable[[bytes], bytes] | None = None

    @property
    def waiting(self) -> bool:
        return self._next is not None

    def begin(self, rest: bytes) -> bytes:
        """The answer to ``AUTH`` followed by ``rest``."""
        mechanism, _, initial = rest.partition(b" ")
        if self.known:
            return b"503 5.5.1 You are logged in\r\n"
        if mechanism.upper() == b"PLAIN":
            return self._ask(self._plain, b"", initial)
        if mechanism.upper() == b"LOGIN":
            return self._ask(self._login_name, b"Username:", initial)
        return b"504 5.5.4 Use PLAIN or LOGIN\r\n"

    def proceed(self, line: bytes) -> bytes:
        """The answer to what the sender said to our question."""
        proceed, self._next = self._next, None
        assert proceed is not None
        return b"501 5.7.0 Given up\r\n" if line == b"*" else proceed(line)

    def _ask(self, proceed: Callable[[bytes], bytes], question: bytes, answer: bytes = b"") -> bytes:
        if answer:
            return proceed(answer)
        self._next = proceed
        return b"334 " + base64.b64encode(question) + b"\r\n"

    def _plain(self, answer: bytes) -> bytes:
        _, _, pair = _decoded(answer).partition(b"\0")
        name, _, password = pair.partition(b"\0")
        return self._judge(name, password)

    def _login_name(self, answer: bytes) -> bytes:
        self._name = _decoded(answer)
        return self._ask(self._login_password, b"Password:")

    def _login_password(self, answer: bytes) -> bytes:
        return self._judge(self._name, _decoded(answer))

    def _judge(self, name: bytes, password: bytes) -> bytes:
        self.known = (name, password) == self._expected
        return b"235 2.7.0 Welcome\r\n" if self.known else b"535 5.7.8 Wrong name or password\r\n"
