"""What each fault exercises, and what staff should see in Omroeper: a sentence, in Dutch and English."""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.practice.words import Language

Sentence = Mapping[Language, str]

_SLOW: Sentence = {
    "nl": "Oefent geduld: het gaat trager, maar alles komt aan. Andere kanalen gaan gewoon door.",
    "en": "Exercises patience: it goes slower, but all of it arrives. Other outlets simply go on.",
}
_DOWN: Sentence = {
    "nl": "Oefent een dichte lijn: in de wachtrij staat dat dit kanaal wacht. Zet u de storing uit, dan gaat het "
    "binnen een paar minuten vanzelf verder.",
    "en": "Exercises an outlet that is down: the queue shows that it waits. Switch the fault off and it goes on by "
    "itself within minutes.",
}
_DOUBT: Sentence = {
    "nl": "Oefent twijfel: u ziet Niet zeker. Omroeper stuurt het na 10 minuten nog één keer, zo dat een mailbox de "
    "tweede kan herkennen.",
    "en": "Exercises doubt: you see Not sure. Omroeper sends it once more after 10 minutes, so that a mailbox can tell "
    "that it is the same.",
}
_LATER: Sentence = {
    "nl": "Oefent opnieuw proberen: u ziet Later, en waarom. Na een paar seconden gaat het weer.",
    "en": "Exercises trying again: you see Later, and why. After a few seconds it goes again.",
}
_PERSON: Sentence = {
    "nl": "Oefent een kanaal dat op een mens wacht: in de wachtrij staat waarom het stil staat. Iemand lost het op en "
    "zet het weer aan.",
    "en": "Exercises an outlet that waits for a person: the queue says why it stands still. Someone mends it and "
    "resumes it.",
}
_KILLED: Sentence = {
    "nl": "Oefent een werker die uitvalt: een andere neemt het werk over. Hoogstens een paar mensen zijn Niet zeker.",
    "en": "Exercises a worker that dies: another takes over. At most a few deliveries are Not sure.",
}
_ASKS_A_PERSON: Sentence = {
    "nl": "Oefent twijfel die een mens oplost: u ziet Niet zeker. Kijk in het kanaal of het er staat, en kies dan in "
    "Omroeper.",
    "en": "Exercises a doubt that a person settles: you see Not sure. Look in the channel whether it is there, then "
    "choose in Omroeper.",
}
_LOOKED_UP: Sentence = {
    "nl": "Oefent twijfel die vanzelf oplost: Omroeper kijkt op de tijdlijn of de post er staat. Er staat er nooit "
    "meer dan één.",
    "en": "Exercises a doubt that settles itself: Omroeper looks on the timeline whether the post is there. There is "
    "never more than one.",
}
_ASKED_TO_WAIT: Sentence = {
    "nl": "Oefent wachten op verzoek: u ziet Later. Omroeper wacht zo lang als de andere kant vraagt.",
    "en": "Exercises waiting when asked to: you see Later. Omroeper waits as long as the other side asks.",
}
_SAID_NO: Sentence = {
    "nl": "Oefent een bericht dat niet mag: u ziet Niet gelukt, met de reden. Omroeper probeert het niet opnieuw.",
    "en": "Exercises a message that is refused: you see Failed, with the reason. Omroeper does not try again.",
}

_ALL: Mapping[str, Sentence] = {
    "slow": _SLOW,
    "trickle": _SLOW,
    "crowded": _SLOW,
    "refused": _DOWN,
    "closed": _DOWN,
    "silent": _DOUBT,
    "busy": {
        "nl": "Oefent tempo: Omroeper begint steeds een nieuwe verbinding en doet het rustiger aan. Alles komt aan.",
        "en": "Exercises pace: Omroeper makes a new connection each time and slows down. All of it arrives.",
    },
    "greylist": {
        "nl": "Oefent wachten: u ziet Later. Omroeper probeert het na 1 en na 5 minuten weer, en dan lukt het.",
        "en": "Exercises waiting: you see Later. Omroeper tries again after 1 and after 5 minutes, and then it works.",
    },
    "full": {
        "nl": "Oefent een volle mailbox: een paar mensen staan op Later. Omroeper probeert het na een uur weer.",
        "en": "Exercises a full mailbox: a few people are at Later. Omroeper tries again after an hour.",
    },
    "unknown-address": {
        "nl": "Oefent een adres dat niet bestaat: u ziet Adres vervallen. Omroeper schrijft er niet meer heen.",
        "en": "Exercises an address that does not exist: you see Address gone. Omroeper does not write to it again.",
    },
    "not-allowed": _PERSON,
    "unknown-token": _PERSON,
    "contradiction": {
        "nl": "Oefent een antwoord dat zichzelf tegenspreekt: Omroeper kiest voor later proberen, en geeft niemand op.",
        "en": "Exercises an answer that contradicts itself: Omroeper chooses to try later, and gives nobody up.",
    },
    "cut-taken": _DOUBT,
    "cut-not-taken": _DOUBT,
    "half-answer": _DOUBT,
    "cut-before-data": _LATER,
    "cut-in-body": {
        "nl": "Oefent opnieuw proberen: u ziet Later, of Niet zeker als alles al onderweg was. Niemand wordt vergeten.",
        "en": "Exercises trying again: you see Later, or Not sure where all of it was under way. Nobody is forgotten.",
    },
    "garbage": _LATER,
    "no-starttls": {
        "nl": "Oefent een onveilige verbinding: waar een beveiligde is afgesproken, stuurt Omroeper niets en wacht.",
        "en": "Exercises an unsafe connection: where an encrypted one was agreed, Omroeper sends nothing and waits.",
    },
    "kill": _KILLED,
    "freeze": _KILLED,
    "throttled": _ASKED_TO_WAIT,
    "unavailable": _ASKED_TO_WAIT,
    "refused-content": _SAID_NO,
    "broken": _LATER,
    "gone": {
        "nl": "Oefent telefoons die zich afmeldden: u ziet Adres vervallen. Omroeper stuurt daar niets meer heen.",
        "en": "Exercises phones that unsubscribed: you see Address gone. Omroeper sends nothing there any more.",
    },
    "too-large": _SAID_NO,
}
_AT: Mapping[str, Mapping[str, Sentence]] = {
    "mail": {"silent": _LATER},
    "timeline": {
        **dict.fromkeys(("silent", "cut-taken", "cut-not-taken", "half-answer", "broken"), _LOOKED_UP),
    },
    "push": {
        "not-allowed": _SAID_NO,
        "unknown-token": _SAID_NO,
        "silent": {
            "nl": "Oefent twijfel: u ziet Niet zeker. Omroeper stuurt het nog één keer; op het scherm staat er één.",
            "en": "Exercises doubt: you see Not sure. Omroeper sends it once more; the screen shows one.",
        },
    },
    "colleagues": dict.fromkeys(
        (
            "silent",
            "throttled",
            "unknown-token",
            "not-allowed",
            "refused-content",
            "broken",
            "unavailable",
            "cut-taken",
            "cut-not-taken",
            "half-answer",
        ),
        _ASKS_A_PERSON,
    ),
}  # fmt: skip


def training(peer: str, preset: str, language: Language) -> str:
    """What a fault of a far side exercises and what staff should see; empty where nobody wrote it down."""
    sentence = _AT.get(peer, {}).get(preset) or _ALL.get(preset)
    return sentence[language] if sentence else ""
