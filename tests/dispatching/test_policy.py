"""What follows from a receipt: the whole table, every outcome with every reason."""

from __future__ import annotations

from itertools import pairwise

import pytest

from channels.contract import Abilities, Outcome, Reason
from dispatcher.dispatching import policy
from dispatcher.dispatching.models import DeliveryState
from dispatcher.dispatching.policy import DAY, HOUR, Decision, decide, probe_wait

MAIL = Abilities()
KEYED = Abilities(keyed=True)
LOOKED_UP = Abilities(look_up=True)
REPEAT = 600.0

WAITS = {
    Reason.GREYLISTED: (60, 300, 600, 1800, 3600),
    Reason.THROTTLED: (10, 30, 60, 300),
    Reason.BUSY: (5, 30, 60, 300, 900, 3600),
    Reason.CONNECTION_LOST: (1, 5, 15, 60, 300),
    Reason.NO_ANSWER: (5, 30, 60, 300),
    Reason.MAILBOX_FULL: (3600, 14400, 28800),
    Reason.STORAGE: (2, 10, 30, 60),
    Reason.POLICY: (30, 300, 900),
    Reason.BY_HAND: (DAY,),
}
OTHERS = (60, 300, 900, 1800, 3600)
GIVE_UP = {Reason.POLICY: 7 * DAY}
DOES_NOT_EXIST = {Reason.NO_SUCH_ADDRESS, Reason.ADDRESS_DISABLED}


def after(
    outcome: Outcome,
    reason: Reason = Reason.OK,
    *,
    attempts: int = 1,
    was_unknown: bool = False,
    age: float = 0.0,
    can: Abilities = MAIL,
    retry_after: float | None = None,
) -> Decision:
    return decide(
        outcome,
        reason,
        attempts=attempts,
        was_unknown=was_unknown,
        age=age,
        can=can,
        unknown_repeat=REPEAT,
        retry_after=retry_after,
    )


@pytest.mark.parametrize("can", [MAIL, KEYED, LOOKED_UP])
@pytest.mark.parametrize("was_unknown", [False, True])
@pytest.mark.parametrize("reason", Reason)
def test_clear_answers_settle(reason: Reason, was_unknown: bool, can: Abilities) -> None:
    how = {"was_unknown": was_unknown, "can": can}
    assert after(Outcome.ACCEPTED, reason, **how) == Decision(DeliveryState.ACCEPTED)  # type: ignore[arg-type]
    assert after(Outcome.GONE, reason, **how) == Decision(DeliveryState.GONE, suppress=True)  # type: ignore[arg-type]
    refused = after(Outcome.REJECTED, reason, **how)  # type: ignore[arg-type]
    assert refused == Decision(DeliveryState.REJECTED, suppress=reason in DOES_NOT_EXIST)


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_its_waits_and_the_last_one_repeats(reason: Reason) -> None:
    waits = WAITS.get(reason, OTHERS)
    given = [after(Outcome.DEFERRED, reason, attempts=n).due_in for n in range(1, len(waits) + 4)]
    assert given == [*waits, waits[-1], waits[-1], waits[-1]]
    assert all(earlier < wait for earlier, wait in pairwise(waits)), "each wait is longer than the one before"


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason is not Reason.BY_HAND])
@pytest.mark.parametrize("was_unknown", [False, True])
def test_each_reason_is_given_up_at_its_age(reason: Reason, was_unknown: bool) -> None:
    limit, wait = GIVE_UP.get(reason, 2 * DAY), WAITS.get(reason, OTHERS)[0]
    doubtful = DeliveryState.UNKNOWN
    last = after(Outcome.DEFERRED, reason, was_unknown=was_unknown, age=limit - wait)
    assert last == Decision(doubtful if was_unknown else DeliveryState.DUE, due_in=wait)
    over = after(Outcome.DEFERRED, reason, was_unknown=was_unknown, age=limit - wait + 1)
    assert over == Decision(doubtful if was_unknown else DeliveryState.REJECTED)


@pytest.mark.parametrize("was_unknown", [False, True])
def test_what_a_person_has_to_do_stays_open_and_is_never_in_doubt(was_unknown: bool) -> None:
    """Nothing leaves us before they say so: a worker that died over it leaves no doubt, and no age gives it up."""
    for age in (0.0, 7 * DAY, 400 * DAY):
        looked_at = after(Outcome.DEFERRED, Reason.BY_HAND, was_unknown=was_unknown, age=age)
        assert looked_at == Decision(DeliveryState.DUE, due_in=DAY)


@pytest.mark.parametrize(
    ("stated", "kept"),
    [(-5.0, 1.0), (0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (7.0, 7.0), (3600.0, 3600.0), (3601.0, 3600.0), (1e9, 3600.0)],
)
@pytest.mark.parametrize("reason", Reason)
def test_stated_wait_wins_within_bounds(reason: Reason, stated: float, kept: float) -> None:
    assert after(Outcome.DEFERRED, reason, attempts=3, retry_after=stated).due_in == kept
    assert probe_wait(3, stated) == kept


@pytest.mark.parametrize("reason", Reason)
def test_unanswered_mail_is_repeated_once_and_then_left_to_a_person(reason: Reason) -> None:
    assert after(Outcome.UNKNOWN, reason) == Decision(DeliveryState.UNKNOWN, due_in=REPEAT)
    assert after(Outcome.UNKNOWN, reason, attempts=2, was_unknown=True) == Decision(DeliveryState.UNKNOWN)


@pytest.mark.parametrize("was_unknown", [False, True])
def test_what_readers_would_see_twice_is_left_to_a_person_at_once(was_unknown: bool) -> None:
    doubt = after(Outcome.UNKNOWN, was_unknown=was_unknown, can=Abilities(never_repeat=True))
    assert doubt == Decision(DeliveryState.UNKNOWN)


@pytest.mark.parametrize("can", [KEYED, LOOKED_UP])
@pytest.mark.parametrize("was_unknown", [False, True])
def test_keyed_or_looked_up_is_repeated_at_growing_waits_until_it_is_too_old(was_unknown: bool, can: Abilities) -> None:
    waits = [after(Outcome.UNKNOWN, attempts=n, was_unknown=was_unknown, can=can).due_in for n in range(1, 12)]
    assert waits[:4] == [1, 3, 7, 15]
    assert waits[-1] == waits[-2] == 255
    old = after(Outcome.UNKNOWN, attempts=9, was_unknown=was_unknown, can=can, age=2 * DAY)
    assert old == Decision(DeliveryState.UNKNOWN), "no far side is asked for ever"


def test_deferral_after_doubt_stays_in_doubt_and_is_tried_again() -> None:
    again = after(Outcome.DEFERRED, Reason.BUSY, attempts=2, was_unknown=True)
    assert again == Decision(DeliveryState.UNKNOWN, due_in=30)


@pytest.mark.parametrize(("failures", "wait"), [(0, 2), (1, 2), (2, 5), (3, 15), (6, 120), (7, 300), (50, 300)])
def test_down_outlet_is_probed_at_growing_waits(failures: int, wait: float) -> None:
    assert probe_wait(failures, None) == wait


def test_no_wait_is_longer_than_an_hour_but_for_a_full_mailbox_and_a_person() -> None:
    long = {reason for reason, retry in policy.RETRIES.items() if max(retry.waits) > HOUR}
    assert long == {Reason.MAILBOX_FULL, Reason.BY_HAND}
