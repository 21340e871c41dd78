"""The practice town's timeline within a test, for channels that speak Mastodon's API: on a real port, with faults."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channels.kit.egress import Egress
from dispatcher.practice.http_peer import Setting
from dispatcher.practice.loopback import bind_loopback
from dispatcher.practice.timeline.api import TOKEN
from dispatcher.practice.timeline.peer import Timeline


@dataclass(frozen=True)
class FarTimeline:
    """``peer`` is the timeline itself; ``settings`` and ``egress`` let a channel reach it."""

    peer: Timeline
    settings: Mapping[str, object]
    egress: Egress

    @property
    def posts(self) -> list[dict[str, Any]]:
        """What was posted, repeats not included."""
        return [line for line in self.peer.record.taken if line["what"] == "post"]

    async def switch(self, *faults: Mapping[str, object]) -> None:
        await self.peer.switch(self.peer.read_faults([dict(fault) for fault in faults]))


@asynccontextmanager
async def timeline(folder: Path, *faults: Mapping[str, object]) -> AsyncIterator[FarTimeline]:
    """A timeline with these faults, that keeps its posts in ``folder``."""
    peer = Timeline(bind_loopback(0), Setting(folder / "timeline", None, "http://localhost:1"))
    await peer.open()
    far = FarTimeline(peer, {"url": peer.base, "token": TOKEN}, Egress({("localhost", peer.port)}))
    await far.switch(*faults)
    try:
        yield far
    finally:
        peer.close()
