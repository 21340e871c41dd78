"""A mail client that says exactly what a test wants said, and hears exactly what came back."""

from __future__ import annotations

import socket
import struct
from types import TracebackType
from typing import Self

TIMEOUT = 10.0  # seconds


def message(key: str, *, to: str = "resident-0001@practice.invalid", body: str = "Hallo") -> bytes:
    """A message that ends before its dot."""
    lines = [
        "From: berichten@practice.invalid",
        f"To: {to}",
        f"Subject: Over {key}",
        f"Message-ID: <{key}@practice.invalid>",
        "",
        *body.split("\n"),
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def envelope(to: str = "resident-0001@practice.invalid") -> bytes:
    """MAIL, RCPT and DATA in one piece."""
    return f"MAIL FROM:<berichten@practice.invalid>\r\nRCPT TO:<{to}>\r\nDATA\r\n".encode()


class RawSmtp:
    """One connection to ``port``. ``greet`` reads the greeting and says EHLO."""

    def __init__(self, port: int, *, greet: bool = True, timeout: float = TIMEOUT) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.port: int = self.socket.getsockname()[1]
        self._file = self.socket.makefile("rb")
        if greet:
            assert self.reply().startswith(b"220 ")
            self.say(b"EHLO test.invalid\r\n")
            assert self.reply().startswith(b"250")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def reply(self) -> bytes:
        """One whole answer, all its lines; what there was of it when the connection closed."""
        answer = b""
        while line := self._file.readline():
            answer += line
            if line[3:4] != b"-":
                break
        return answer

    def replies(self, count: int) -> list[bytes]:
        return [self.reply() for _ in range(count)]

    def codes(self, count: int) -> list[int]:
        return [int(reply[:3]) for reply in self.replies(count)]

    def rest(self) -> bytes:
        """Everything until the connection closes."""
        return self._file.read()

    def ask(self, command: str) -> bytes:
        """Says one command and hears the answer."""
        self.say(command.encode() + b"\r\n")
        return self.reply()

    def deliver(self, key: str, *, to: str = "resident-0001@practice.invalid", body: str = "Hallo") -> bytes:
        """Sends a message, command by command, and hears the answer to its dot."""
        self.say(envelope(to))
        assert self.codes(3) == [250, 250, 354]
        self.say(message(key, to=to, body=body) + b".\r\n")
        return self.reply()

    def is_silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for so long, the connection staying open."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == b"never"
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(TIMEOUT)

    def reset(self) -> None:
        """Breaks the connection as a machine does that vanished and came back."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        self._file.close()
        self.socket.close()
