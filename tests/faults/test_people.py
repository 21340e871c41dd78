"""People change their mind: pause, expiry, an outlet's settings."""

from __future__ import annotations

from tests.faults.conftest import Strike
from tests.support.stricken import FAR_SIDE, Stricken

WINDOW = 20
SLOWLY = {"kind": "slow", "seconds": 0.01}


def test_f36_paused_and_resumed_again_and_again(strike: Strike) -> None:
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    stricken.arrived(20)
    for _ in range(3):
        assert stricken.town.cli("queue", "pause", "email", "--reason", "oefening").code == 0
        stricken.town.until(
            lambda: stricken.one("SELECT count(*) FROM dispatching_batch WHERE lease_until IS NOT NULL") == 0,
            what="the batches in hand to be given back",
        )
        standing = stricken.mail.count()
        assert stricken.queue()["outlets"][1]["state"] == "paused"
        assert stricken.mail.count() == standing, "nothing new is handed over while it is paused"
        assert stricken.town.cli("queue", "resume", "email").code == 0
    stricken.practice.clear()
    stricken.settled()
    figures = stricken.check()
    assert figures.received == figures.planned


def test_f36_expired_while_queued(strike: Strike) -> None:
    stricken = strike(parts=(*FAR_SIDE, "w-fast"))
    stricken.announce(settings="expires: +1h")
    stricken.python(
        "import django; django.setup(); from dispatcher.dispatching import plan; "
        "from dispatcher.dispatching.models import Dispatch; plan.plan(Dispatch.objects.get().pk)"
    )
    _pass_time(stricken)
    stricken.town.start("w-mail")
    stricken.settled()
    figures = stricken.check()
    assert figures.received == 0
    assert figures.skipped == figures.planned > 0
    assert stricken.one("SELECT count(*) FROM dispatching_delivery WHERE reason = 'expired'") >= figures.planned
    stricken.town.until(
        lambda: stricken.one("SELECT state FROM announcements_announcement") == "expired", what="the state 'expired'"
    )


def test_f36_put_off_beyond_the_expiry(strike: Strike) -> None:
    stricken = strike(residents=60)
    stricken.practice.switch({"kind": "answer", "moment": "rcpt", "code": 452, "enhanced": "4.2.2", "times": 10})
    stricken.announce(settings="expires: +1h")
    stricken.town.until(lambda: stricken.count("accepted") == stricken.planned() - 10, timeout=60, what="the others")
    assert stricken.count("due") == 10
    _pass_time(stricken)
    stricken.python(
        "import django; django.setup(); from django.utils.timezone import now; "
        "from dispatcher.dispatching.models import Batch, Delivery; "
        "Delivery.objects.exclude(due_at=None).update(due_at=now()); "
        "Batch.objects.exclude(due_at=None).update(due_at=now())"
    )
    stricken.settled()
    figures = stricken.check()
    assert figures.skipped == 10
    assert figures.received == figures.planned - 10


def _pass_time(stricken: Stricken) -> None:
    """Sets the expiry to a moment ago: an hour passes."""
    stricken.python(
        "import django; django.setup(); from django.utils.timezone import now; "
        "from dispatcher.dispatching.models import Dispatch; from dispatcher.announcements.models import Announcement; "
        "Dispatch.objects.update(expires_at=now()); Announcement.objects.update(expires_at=now())"
    )


def test_f36_outlet_gets_other_settings(strike: Strike) -> None:
    """A wrong port for a while, in the middle of the run: the outlet is down, then goes on."""
    stricken = strike()
    stricken.practice.switch(SLOWLY)
    stricken.announce()
    stricken.arrived(40)
    change = (
        "import django; django.setup(); from dispatcher.dispatching.models import Outlet; "
        "from dispatcher.dispatching.secretbox import seal, unseal; outlet = Outlet.objects.get(name='email'); "
        "values = unseal(outlet.settings); values['port'] = {port}; "
        "Outlet.objects.filter(pk=outlet.pk).update(settings=seal(values))"
    )
    stricken.python(change.format(port=1))
    stricken.town.until(
        lambda: stricken.outlet()["circuit"] != "closed" or stricken.count("due") == 0, timeout=60, what="the fault"
    )
    stricken.python(change.format(port=stricken.town.ports["smtp"]))
    stricken.practice.clear()
    assert stricken.town.cli("queue", "resume", "email").code == 0
    stricken.settled()
    figures = stricken.check()
    assert figures.received == figures.planned
