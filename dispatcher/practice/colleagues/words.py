"""What the pages of the colleagues' channel say, in Dutch and English."""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.practice.words import Language

ROOMS: Mapping[Language, Mapping[str, str]] = {
    "nl": {
        "title": "Kanaal van de collega's",
        "room": "Kanaal {}",
        "lead": "Zo lezen collega's een bericht in hun eigen chat. Zij horen het het eerst.",
        "rooms": "Kanalen",
        "all": "Alle kanalen",
        "from": "Omroeper",
        "empty": "Er zijn nog geen berichten.",
        "empty_next": "Stuur een bericht met Omroeper. Dan ziet u het hier verschijnen.",
        "no_room": "In dit kanaal staat niets.",
        "twice": "Kwam {} keer binnen",
        "in_room": "in {}",
    },
    "en": {
        "title": "The colleagues' channel",
        "room": "Channel {}",
        "lead": "This is how colleagues read an announcement in their own chat. They hear it first.",
        "rooms": "Channels",
        "all": "All channels",
        "from": "Omroeper",
        "empty": "There are no messages yet.",
        "empty_next": "Send an announcement with Omroeper. You will see it appear here.",
        "no_room": "There is nothing in this channel.",
        "twice": "Came in {} times",
        "in_room": "in {}",
    },
}
