"""What follows from a receipt: one table, one pure function. Nothing else decides about repeats.

Waits are seconds. A wait that the far side states wins over the table, within ``STATED_MIN`` and ``STATED_MAX``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from channels.contract import Abilities, Outcome, Reason
from dispatcher.dispatching.models import DeliveryState

STATED_MIN, STATED_MAX = 1.0, 3600.0
HOUR, DAY = 3600.0, 86400.0

# An outlet that is down is probed after these waits, the last one again and again.
PROBE_WAITS = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
# Answers by which an outlet that was down shows that it is well.
ANSWERS = frozenset({Outcome.ACCEPTED, Outcome.REJECTED, Outcome.GONE})
# A batch whose holder died this often in a row without a single receipt is set aside.
BARREN_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Retry:
    """How a deferred delivery is tried again: after which waits (the last repeats), for how long since planning."""

    waits: tuple[float, ...]
    until: float


SLOWLY = Retry((60.0, 300.0, 900.0, 1800.0, HOUR), 2 * DAY)
RETRIES: dict[Reason, Retry] = {
    Reason.GREYLISTED: Retry((60.0, 300.0, 600.0, 1800.0, HOUR), 2 * DAY),
    Reason.THROTTLED: Retry((10.0, 30.0, 60.0, 300.0), 2 * DAY),
    Reason.BUSY: Retry((5.0, 30.0, 60.0, 300.0, 900.0, HOUR), 2 * DAY),
    Reason.CONNECTION_LOST: Retry((1.0, 5.0, 15.0, 60.0, 300.0), 2 * DAY),
    Reason.NO_ANSWER: Retry((5.0, 30.0, 60.0, 300.0), 2 * DAY),
    Reason.MAILBOX_FULL: Retry((HOUR, 4 * HOUR, 8 * HOUR), 2 * DAY),
    Reason.STORAGE: Retry((2.0, 10.0, 30.0, 60.0), 2 * DAY),
    # A person must mend something first; the outlet's circuit holds these back until then.
    Reason.POLICY: Retry((30.0, 300.0, 900.0), 7 * DAY),
    # A person has to do it: looked at again daily, for as long as the dispatch lasts.
    Reason.BY_HAND: Retry((DAY,), math.inf),
}

# An address that does not exist is not written to again, on any announcement.
SUPPRESSING = frozenset({Reason.NO_SUCH_ADDRESS, Reason.ADDRESS_DISABLED})


@dataclass(frozen=True, slots=True)
class Decision:
    """``due_in``: seconds until it is tried again, ``None`` when it is settled."""

    state: DeliveryState
    due_in: float | None = None
    suppress: bool = False


def decide(
    outcome: Outcome,
    reason: Reason,
    *,
    attempts: int,
    was_unknown: bool,
    age: float,
    can: Abilities,
    unknown_repeat: float,
    retry_after: float | None = None,
) -> Decision:
    """What becomes of a delivery.

    ``attempts`` counts this attempt, ``was_unknown`` says that an earlier one had no answer, ``age`` is seconds since
    the dispatch was planned, ``unknown_repeat`` the wait before the one repeat of an unanswered message.
    """
    match outcome:
        case Outcome.ACCEPTED:
            return Decision(DeliveryState.ACCEPTED)
        case Outcome.REJECTED:
            return Decision(DeliveryState.REJECTED, suppress=reason in SUPPRESSING)
        case Outcome.GONE:
            return Decision(DeliveryState.GONE, suppress=True)
        case Outcome.UNKNOWN:
            if can.keyed or can.look_up:
                wait = 2.0 ** min(attempts, 8) - 1
                return Decision(DeliveryState.UNKNOWN, due_in=wait if age + wait <= SLOWLY.until else None)
            if can.never_repeat:
                return Decision(DeliveryState.UNKNOWN)
            # Hearing twice beats not hearing, once: mailboxes drop the twin with the same Message-ID.
            return Decision(DeliveryState.UNKNOWN, due_in=None if was_unknown else unknown_repeat)
        case Outcome.DEFERRED:
            retry = RETRIES.get(reason, SLOWLY)
            wait = retry.waits[min(attempts, len(retry.waits)) - 1]
            if retry_after is not None:
                wait = min(max(retry_after, STATED_MIN), STATED_MAX)
            # What may have arrived before stays in doubt, whatever a repeat says; by hand, nothing leaves unsaid.
            doubtful = was_unknown and reason is not Reason.BY_HAND
            state = DeliveryState.UNKNOWN if doubtful else DeliveryState.DUE
            if age + wait > retry.until:
                return Decision(DeliveryState.UNKNOWN if doubtful else DeliveryState.REJECTED)
            return Decision(state, due_in=wait)


def probe_wait(failures: int, stated: float | None) -> float:
    """Seconds until an outlet that failed ``failures`` times in a row is tried again."""
    if stated is not None:
        return min(max(stated, STATED_MIN), STATED_MAX)
    return PROBE_WAITS[min(max(failures, 1), len(PROBE_WAITS)) - 1]
