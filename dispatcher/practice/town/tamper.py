"""What a stranger with the account might do to a post: for practice, so that staff see whether it is noticed."""

from __future__ import annotations

from enum import StrEnum

from dispatcher.practice.timeline.store import Status, Store
from dispatcher.practice.town.facts import facts_in

_FORGED = {"nl": "De gemeente geeft vandaag gratis geld weg.", "en": "The municipality gives away money today."}


class Tampering(StrEnum):
    """``FACT`` changes one digit of the last fact, ``TEXT`` puts another text there, ``DELETE`` takes the post away."""

    FACT = "fact"
    TEXT = "text"
    DELETE = "delete"


def tamper(store: Store, status: Status, how: Tampering) -> None:
    """Does it to ``status``, as a stranger. Where there is no fact to change, ``FACT`` adds one.

    Raises:
        OSError: the disk is full or failing.
    """
    now = status.now
    if how is Tampering.DELETE:
        store.delete(status, stranger=True)
        return
    text = _FORGED.get(now.language, _FORGED["en"]) if how is Tampering.TEXT else _with_another_fact(now.text)
    store.edit(status, text, language=now.language, spoiler=now.spoiler, stranger=True)


def _with_another_fact(text: str) -> str:
    facts = facts_in(text)
    if not facts:
        return f"{text}\n\n053 000 00 99"
    fact = facts[-1]
    place = max(place for place, character in enumerate(fact) if character.isdigit())
    other = str((int(fact[place]) + 1) % 10)
    return text.replace(fact, f"{fact[:place]}{other}{fact[place + 1 :]}")
