"""The lanes: queues with pools of their own, so that what is slow holds up nothing that is not.

* ``urgent``: everything of an emergency, its public outlets all in one task. Its pool does nothing else.
* ``transactional``: confirmations and log-in messages: someone is waiting for them.
* ``broadcast``: the public outlets of a dispatch, all in one task, each with its own time limit.
* ``mail``: mailings.
* ``push``: messages to browsers and phones.
* ``apprise``: all that goes through Apprise, emergencies too: it blocks, and it takes memory to load.
* ``upkeep``: planning of what is not urgent, proof, expiry, roll-ups.
"""

URGENT, TRANSACTIONAL, BROADCAST, MAIL, UPKEEP = "urgent", "transactional", "broadcast", "mail", "upkeep"
PUSH, APPRISE = "push", "apprise"
LANES = (URGENT, TRANSACTIONAL, BROADCAST, MAIL, PUSH, APPRISE, UPKEEP)

_DIRECT = {"email": MAIL, "webpush": PUSH}
_APART = {"apprise": APPRISE, "apprise-direct": APPRISE}


def side_by_side(lane: str, *, direct: bool) -> bool:
    """Whether all batches of a dispatch on ``lane`` go out in one task: public copies do, an emergency's too."""
    return lane == BROADCAST or (lane == URGENT and not direct)


def lane_for(channel: str, *, direct: bool, urgent: bool, notice: bool = False) -> str:
    """The lane that carries batches of ``channel``."""
    if channel in _APART:
        return _APART[channel]
    if urgent:
        return URGENT
    if notice:
        return TRANSACTIONAL
    return _DIRECT.get(channel, MAIL) if direct else BROADCAST
