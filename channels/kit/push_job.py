"""What is handed to a push service, and how services are reached."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from channels.contract import Receipt
from channels.kit.egress import Egress


@dataclass(slots=True)
class Job:
    """One message for one device. ``request`` is whole; ``smaller`` makes the same with the smaller payload."""

    key: str
    request: bytes = field(repr=False)
    smaller: Callable[[], bytes] | None = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)  # what no detail may show: an answer may repeat what we sent
    tell: Callable[[Receipt], None]


@dataclass(frozen=True, slots=True)
class Manner:
    """How services are reached. Times are seconds, ``connections`` is the most to one service."""

    egress: Egress
    tls: ssl.SSLContext
    connections: int
    opening: float
    reply: float
    idle: float
