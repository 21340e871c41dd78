"""What the phones' pages say, in Dutch and English, and the faults that only a push service has."""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.practice.http_presets import HTTP_PRESETS, answer
from dispatcher.practice.wanted import Preset
from dispatcher.practice.words import Language

PHONES: Mapping[Language, Mapping[str, str]] = {
    "nl": {
        "phones": "Telefoons",
        "lead": "Zo komen pushberichten aan. Elke telefoon is van een voorbeeldbewoner.",
        "phone_of": "De telefoon van {}",
        "none": "Er staat nog op geen telefoon een bericht.",
        "none_next": "Stuur een bericht met Omroeper. Dan ziet u het hier verschijnen.",
        "nothing": "Geen meldingen",
        "shown": "{} telefoons met een melding",
        "shown_one": "1 telefoon met een melding",
        "all": "Alle telefoons",
        "find": "Zoek op naam",
        "search": "Zoek",
        "not_found": "Er is geen telefoon die hierbij past.",
        "replaced": "Vervangt een eerdere melding",
        "unreadable": "Deze telefoon kan dit bericht niet lezen.",
        "app": "Berichten",
        "off": "De telefoon staat uit",
        "off_waiting": "De telefoon staat uit. Wachtend: {}",
        "ended": "Push staat uit op deze telefoon. Berichten komen terug als vervallen (410).",
        "turn_off": "Zet de telefoon uit",
        "turn_on": "Zet de telefoon aan",
        "end": "Zet push uit op deze telefoon",
        "acts": "Wat de bewoner doet",
        "details": "Hoe het aankwam",
        "ttl": "Bewaartijd (TTL)",
        "urgency": "Haast (Urgency)",
        "topic": "Onderwerpsleutel (Topic)",
        "seconds": "{} seconden",
    },
    "en": {
        "phones": "Phones",
        "lead": "This is how push messages arrive. Each phone belongs to an example resident.",
        "phone_of": "The phone of {}",
        "none": "No phone shows a message yet.",
        "none_next": "Send an announcement with Omroeper. It will appear here.",
        "nothing": "No notifications",
        "shown": "{} phones with a notification",
        "shown_one": "1 phone with a notification",
        "all": "All phones",
        "find": "Search by name",
        "search": "Search",
        "not_found": "There is no phone that fits.",
        "replaced": "Takes the place of an earlier notification",
        "unreadable": "This phone cannot read this message.",
        "app": "Announcements",
        "off": "The phone is off",
        "off_waiting": "The phone is off. Waiting: {}",
        "ended": "Push is off on this phone. Messages come back as gone (410).",
        "turn_off": "Turn the phone off",
        "turn_on": "Turn the phone on",
        "end": "Switch push off on this phone",
        "acts": "What the resident does",
        "details": "How it arrived",
        "ttl": "Kept for (TTL)",
        "urgency": "Urgency",
        "topic": "Topic",
        "seconds": "{} seconds",
    },
}

# A subscription's id is 32 hexadecimal digits: five of sixteen begin with 0 to 4.
PRESETS: Mapping[str, Preset] = {
    **HTTP_PRESETS,
    "gone": answer(
        410,
        ("Adressen vervallen", "Voor 31 % van de telefoons bestaat de aanmelding niet meer (410)."),
        ("Addresses gone", "For 31 % of the phones the subscription no longer exists (410)."),
        method="POST",
        path="/push/[0-4]*",
    ),
    "too-large": answer(
        413,
        ("Bericht te groot", "Elk bericht is te groot, ook het kleinste (413)."),
        ("Message too large", "Each message is too large, even the smallest (413)."),
        method="POST",
        path="/push/*",
    ),
}
