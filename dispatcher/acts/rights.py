"""Who may do what: one table of acts and roles, and the one question that every act of staff asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import structlog

from dispatcher.acts.audit import record
from dispatcher.staff.roles import Actor, Role

log = structlog.get_logger("omroeper.acts")

By = Actor | str


class Right(StrEnum):
    """What can be done; the value is the word that the audit uses for it."""

    READ = "read"
    DRAFT = "draft"
    SUBMIT = "submit"
    RETURN = "return"
    APPROVE = "approve"
    APPROVE_EMERGENCY = "approve emergency"
    STOP = "stop"
    CORRECT = "correct"
    WITHDRAW = "withdraw"
    POST_BY_HAND = "post by hand"
    PROVE = "prove"
    WATCH_QUEUE = "watch queue"
    PAUSE = "pause"
    RESUME = "resume"
    TRY_AGAIN = "try again"
    SETTLE = "settle unknown"
    CONFIGURE = "configure"
    MANAGE_STAFF = "manage staff"
    IMPORT_SUBSCRIBERS = "import subscribers"
    EXPORT_SUBSCRIBERS = "export subscribers"


_EVERYONE = frozenset(Role)
_WHO_WRITE = frozenset({Role.WRITER, Role.ADVISER, Role.DUTY_OFFICER})
_WHO_DECIDE = frozenset({Role.ADVISER, Role.DUTY_OFFICER})
_WHO_RUN = frozenset({Role.ADMINISTRATOR, Role.DUTY_OFFICER})
_ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})

RIGHTS: Mapping[Right, frozenset[Role]] = {
    Right.READ: _EVERYONE,
    Right.DRAFT: _WHO_WRITE,
    Right.SUBMIT: _WHO_WRITE,
    Right.RETURN: _WHO_DECIDE,
    Right.APPROVE: frozenset({Role.ADVISER}),
    # At night there is no second pair of eyes: a duty officer may send an emergency alone, and the audit says so.
    Right.APPROVE_EMERGENCY: _WHO_DECIDE,
    Right.STOP: _WHO_WRITE,
    # What is wrong and already out is mended by one person: it goes to those who have it, after the grace.
    Right.CORRECT: _WHO_DECIDE,
    Right.WITHDRAW: _WHO_DECIDE,
    Right.POST_BY_HAND: _WHO_WRITE,
    Right.PROVE: _EVERYONE,
    Right.WATCH_QUEUE: _EVERYONE,
    Right.PAUSE: _WHO_RUN,
    Right.RESUME: _WHO_RUN,
    Right.TRY_AGAIN: _WHO_RUN,
    Right.SETTLE: _WHO_RUN,
    Right.CONFIGURE: _ADMINISTRATORS,
    Right.MANAGE_STAFF: _ADMINISTRATORS,
    Right.IMPORT_SUBSCRIBERS: _ADMINISTRATORS,
    Right.EXPORT_SUBSCRIBERS: _ADMINISTRATORS,
}


class NotAllowed(Exception):
    """The employee has none of the ``roles`` that may do ``right``. Nothing was done."""

    def __init__(self, right: Right) -> None:
        self.right = right
        self.roles = sorted(RIGHTS[right])
        super().__init__(f"You may not do this ({right}). Ask someone who is {' or '.join(self.roles)}.")


class FourEyes(NotAllowed):
    """The employee wrote this text, or changed it: someone else must approve it."""

    def __init__(self, right: Right = Right.APPROVE) -> None:
        super().__init__(right)
        self.args = (f"You wrote this or changed it. Someone else who is {' or '.join(self.roles)} must approve it.",)


def may(by: By, right: Right) -> bool:
    """Whether ``by`` may do ``right`` by role. Whoever sits at the machine itself (a plain name) may do everything."""
    return isinstance(by, str) or bool(by.roles & RIGHTS[right])


def need(by: By, right: Right, subject: str = "") -> str:
    """The name under which what ``by`` does is written down. ``subject`` is to what, as the audit names it.

    Call it before the act's transaction: a refusal is audited, and must not be undone with it.

    Raises:
        NotAllowed: none of the roles of ``by`` may do it.
    """
    if may(by, right):
        return name_of(by)
    raise refuse(by, NotAllowed(right), subject)


def refuse(by: By, why: NotAllowed, subject: str = "") -> NotAllowed:
    """Writes down that ``by`` was refused; returns ``why``, to be raised."""
    record(name_of(by), "refused", subject, right=str(why.right), why=type(why).__name__)
    log.info("permission.refused", actor=name_of(by), right=str(why.right), subject=subject)
    return why


def name_of(by: By) -> str:
    """How the ledger and the audit name ``by``."""
    return by if isinstance(by, str) else by.name
