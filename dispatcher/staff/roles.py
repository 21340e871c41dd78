"""What an employee is to the announcements, and who does an act. No database: any layer may name an actor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

# How an employee is written down as an author: this, then the public id.
AS_AUTHOR = "staff:"


class Role(StrEnum):
    """What someone may do follows from these; ``acts.rights`` says what."""

    WRITER = "writer"
    ADVISER = "adviser"
    DUTY_OFFICER = "duty-officer"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Actor:
    """A signed-in employee who does something.

    ``name`` is what the ledger and the audit write down, at most 64 characters: ``staff:`` and the public id, so that
    it is the same person whatever they are called, and says nothing once the employee is erased.
    """

    name: str
    roles: frozenset[Role]

    @classmethod
    def of(cls, public_id: str, roles: Iterable[str]) -> Self:
        """The actor that an employee is."""
        known = set(Role)
        return cls(f"{AS_AUTHOR}{public_id}", frozenset(Role(role) for role in roles if role in known))
