"""Faults that every HTTP far side of the practice town offers by name."""

from __future__ import annotations

from collections.abc import Mapping

from dispatcher.practice.wanted import Preset

_ERROR = '{"error": "This answer is an exercise"}'
_JSON = {"Content-Type": "application/json"}


def answer(status: int, nl: tuple[str, str], en: tuple[str, str], **more: object) -> Preset:
    """A preset for an answer with a status, and its words."""
    fault = {"kind": "answer", "status": status, "headers": _JSON, "body": _ERROR, **more}
    return Preset(fault, {"nl": nl, "en": en})


HTTP_PRESETS: Mapping[str, Preset] = {
    "slow": Preset(
        {"kind": "slow", "seconds": 2.0},
        {"nl": ("Traag", "Elk antwoord laat op zich wachten."), "en": ("Slow", "Each answer takes its time.")},
    ),
    "refused": Preset(
        {"kind": "refuse"},
        {
            "nl": ("Buiten werking", "Er worden geen verbindingen aangenomen en wat er is, valt weg."),
            "en": ("Out of order", "No connections are taken and those that are open break."),
        },
    ),
    "silent": Preset(
        {"kind": "silence", "moment": "after-body"},
        {
            "nl": ("Zwijgt", "Het bericht is binnen, maar er komt geen antwoord."),
            "en": ("Silent", "The message is in, but no answer comes."),
        },
    ),
    "trickle": Preset(
        {"kind": "silence", "moment": "after-body", "trickle": 2.0},
        {
            "nl": ("Druppelt", "Het antwoord komt teken voor teken."),
            "en": ("Trickles", "The answer comes one character at a time."),
        },
    ),
    "throttled": answer(
        429,
        ("Te veel", "Te veel berichten: over 30 seconden mag het weer (429)."),
        ("Too many", "Too many messages: try again in 30 seconds (429)."),
        headers={**_JSON, "Retry-After": "30"},
    ),
    "unknown-token": answer(
        401,
        ("Sleutel klopt niet", "Deze sleutel is niet bekend (401)."),
        ("Wrong key", "This key is not known (401)."),
    ),
    "not-allowed": answer(
        403,
        ("Mag niet", "Deze afzender mag dit niet (403)."),
        ("Not allowed", "This sender may not do this (403)."),
    ),
    "refused-content": answer(
        422,
        ("Bericht afgewezen", "Dit bericht wordt niet aangenomen (422)."),
        ("Message refused", "This message is not accepted (422)."),
    ),
    "broken": answer(
        500,
        ("Kapot", "Er gaat iets mis aan de andere kant (500)."),
        ("Broken", "Something goes wrong on the other side (500)."),
    ),
    "unavailable": answer(
        503,
        ("Even niet bereikbaar", "De dienst is even niet beschikbaar (503)."),
        ("Not available", "The service is not available for the moment (503)."),
    ),
    "cut-taken": Preset(
        {"kind": "cut", "moment": "after-body", "times": 1},
        {
            "nl": ("Valt weg na ontvangst", "Het bericht is binnen, maar de verbinding valt weg voor het antwoord."),
            "en": ("Lost after taking it", "The message is in, but the connection breaks before the answer."),
        },
    ),
    "cut-not-taken": Preset(
        {"kind": "cut", "moment": "after-body", "taken": False, "times": 1},
        {
            "nl": ("Valt weg zonder ontvangst", "De verbinding valt weg, en het bericht is niet binnen."),
            "en": ("Lost without taking it", "The connection breaks, and the message is not in."),
        },
    ),
    "half-answer": Preset(
        {"kind": "cut", "moment": "after-body", "send": "HTTP/1.1 20", "times": 1},
        {
            "nl": ("Half antwoord", "Het bericht is binnen, maar van het antwoord komt alleen het begin."),
            "en": ("Half an answer", "The message is in, but only the beginning of the answer comes."),
        },
    ),
    "kill": Preset(
        {"kind": "signal", "moment": "after-body", "signal": "SIGKILL"},
        {
            "nl": ("Werker valt uit", "Het proces dat stuurt stopt, midden in een bericht."),
            "en": ("Worker dies", "The process that sends is killed in the middle of a message."),
        },
    ),
    "freeze": Preset(
        {"kind": "signal", "moment": "after-body", "signal": "SIGSTOP"},
        {
            "nl": ("Werker bevriest", "Het proces dat stuurt staat stil, midden in een bericht."),
            "en": ("Worker freezes", "The process that sends stands still in the middle of a message."),
        },
    ),
}
