"""The far sides of the practice town that speak HTTP: one line each, by the name they have everywhere."""

from __future__ import annotations

from dispatcher.practice.colleagues.peer import Colleagues
from dispatcher.practice.http_peer import HttpPeer
from dispatcher.practice.push.peer import Push
from dispatcher.practice.timeline.peer import Timeline

PEERS: dict[str, type[HttpPeer]] = {peer.name: peer for peer in (Timeline, Push, Colleagues)}
