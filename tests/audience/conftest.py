"""A small town with people in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from dispatcher.audience.models import Address, AddressState, District, Subscriber, Topic


@dataclass
class SmallTown:
    """Topics ``events`` and ``roads``, districts ``glane`` and ``losser``; ``add`` makes a subscriber."""

    topics: dict[str, Topic] = field(default_factory=dict)
    districts: dict[str, District] = field(default_factory=dict)

    def add(self, name: str, **choices: Any) -> Address:
        """A subscriber with one address: a resident of the whole town who reads Dutch, unless ``choices`` differ."""
        subscriber = Subscriber.objects.create(
            group=choices.get("group", "resident"),
            language=choices.get("language", "nl"),
            district=self.districts.get(choices.get("district", "")),
        )
        subscriber.topics.set([self.topics[slug] for slug in choices.get("topics", ())])
        return Address.objects.create(
            subscriber=subscriber,
            channel=choices.get("channel", "email"),
            value=f"{name}@practice.invalid",
            state=choices.get("state", AddressState.ACTIVE),
        )


@pytest.fixture
def small_town(db: None) -> SmallTown:
    """The town, without people yet."""
    made = SmallTown()
    for slug in ("events", "roads"):
        made.topics[slug] = Topic.objects.create(slug=slug, names={"nl": slug, "en": slug})
    for slug in ("glane", "losser"):
        made.districts[slug] = District.objects.create(slug=slug, name=slug.capitalize())
    return made


NewPerson = Callable[..., Address]
