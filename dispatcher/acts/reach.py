"""Reach: how many would hear something, outlet by outlet, before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.announcements.models import Announcement
from dispatcher.audience import selecting
from dispatcher.audience.selecting import Aimed
from dispatcher.dispatching import holders
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.outlets import abilities, is_direct


@dataclass(frozen=True)
class Reached:
    """An outlet, and how many hear it there: addresses, or, where it is ``public``, copies that all can read."""

    outlet: str
    label: str
    channel: str
    count: int
    public: bool
    by_hand: bool


def reach(aimed: Aimed) -> list[Reached]:
    """Who would hear a first announcement that is aimed so; outlets that nobody hears it on have 0."""
    found = []
    for outlet in Outlet.objects.filter(enabled=True):
        groups = [group for group in aimed.audience if not outlet.groups or group in outlet.groups]
        if is_direct(outlet.channel):
            count = selecting.recipients(aimed, groups).filter(channel=outlet.channel).count() if groups else 0
            found.append(_reached(outlet, count, public=False))
        else:
            found.append(_reached(outlet, int(bool(groups)), public=True))
    return found


def held(announcement: Announcement) -> list[Reached]:
    """Who has the announcement, and so hears its correction or withdrawal."""
    counts = holders.count(announcement)
    return [
        _reached(outlet, counts[outlet.pk], public=not is_direct(outlet.channel))
        for outlet in Outlet.objects.filter(pk__in=counts)
    ]


def addresses(reached: list[Reached]) -> int:
    """How many addresses that is."""
    return sum(each.count for each in reached if not each.public)


def _reached(outlet: Outlet, count: int, *, public: bool) -> Reached:
    by_hand = abilities(outlet.channel).by_hand
    return Reached(outlet.name, outlet.label, outlet.channel, count, public, by_hand)
