"""Brings a process of the product to a kill point and lets it stand still there.

K2 leased, nothing marked; K3 marked, no byte sent; K6 settled, the task not done. K4 and K5 are on the wire: there the
far side strikes.
"""

from __future__ import annotations

import subprocess

from tests.support.stricken import Stricken

WINDOW = 20  # that of tests.support.town.PACE

# The product's own steps, up to a point. What follows stands still until it is killed.
STEPS = """
import django; django.setup()
import asyncio, sys
from dispatcher.dispatching import leasing, settle
from dispatcher.dispatching.models import Batch
batch = Batch.objects.filter(outlet__channel={channel!r}).order_by("-size", "pk")[0]
lease = leasing.take(batch.pk, "the one that dies")
assert lease is not None
point = {point!r}
if point != "K2":
    released = settle.settle(lease, [], after=0, room={window})
    assert len(released) == {window}
if point == "K6":
    from channels.contract import Act, Copy
    from dispatcher.dispatching.handover import HandOver
    from dispatcher.dispatching.process import current
    from dispatcher.dispatching.send import outlets_and_copies
    leasing.give_back(lease)
    lease = leasing.take(batch.pk, "the one that dies")
    process = current()
    async def work():
        [(outlet, copies)] = outlets_and_copies([lease])
        channel = await process.channels.get(outlet)
        await HandOver(process, lease, asyncio.Event(), channel, copies).run()
    import os
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    process.run(work())
print("there", flush=True)
sys.stdin.read()
"""


PLAN_NEWEST = """
import django; django.setup()
from dispatcher.dispatching import plan
from dispatcher.dispatching.models import Dispatch
plan.plan(Dispatch.objects.order_by("-pk")[0].pk)
"""


def stand_at(stricken: Stricken, point: str, channel: str = "email") -> subprocess.Popen[str]:
    """Plans, publishes the page, and brings a process to the point of ``channel``, where it stands still."""
    stricken.python(PLAN_NEWEST)
    stricken.town.start("w-fast")
    page = """SELECT min(b.accepted) FROM dispatching_batch b JOIN dispatching_outlet o ON o.id = b.outlet_id
        WHERE o.channel = 'website'"""
    stricken.town.until(lambda: stricken.one(page), what="the page")
    stricken.town.stop("w-fast")
    process = stricken.hold(STEPS.format(point=point, window=WINDOW, channel=channel))
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "there", "it did not reach the point"
    return process
