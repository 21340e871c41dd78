"""The way of the tutorials, to compare with: a Celery task for every recipient, which calls Django's ``send_mail``.

An application of its own, with Celery's usual settings. The worker gets as many processes as our mail lane has.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from celery import Celery
from django.conf import settings
from django.core.mail import send_mail
from redis import Redis

QUEUE = "tutorial"
SENT = "tutorial:sent"
PATIENCE = 60.0

app = Celery("tutorial", broker=os.environ.get("TUTORIAL_BROKER"))
app.conf.task_default_queue = QUEUE
app.conf.task_ignore_result = True

if "TUTORIAL_MAIL" in os.environ:  # in the worker
    settings.configure(
        EMAIL_HOST=os.environ["TUTORIAL_MAIL"].partition(":")[0],
        EMAIL_PORT=int(os.environ["TUTORIAL_MAIL"].partition(":")[2]),
        DEFAULT_FROM_EMAIL="berichten@practice.invalid",
    )
    counter = Redis.from_url(os.environ["TUTORIAL_COUNTER"])
    # Text and HTML of the size that our own message has: 10 kB in all.
    TEXT = ("Het gemeentehuis is alleen open op afspraak, vanwege het coronavirus.\n" * 60)[:4000]
    HTML = "<html><body>" + "".join(f"<p>{line}</p>\n" for line in TEXT.splitlines()) + "</body></html>"


@app.task(name="tutorial.send")
def send(address: str) -> None:
    """One message to one resident, over a connection of its own."""
    send_mail("Gemeentehuis alleen op afspraak", TEXT, None, [address], html_message=HTML)
    counter.incr(SENT)


class Tutorial:
    """A running worker of the tutorial way."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def announce(self, addresses: list[str]) -> float:
        """Queues one task for each address; returns the seconds until the last is done."""
        self._redis.delete(SENT)
        began = time.monotonic()
        for address in addresses:
            send.delay(address)
        while int(self._redis.get(SENT) or 0) < len(addresses):
            if time.monotonic() - began > PATIENCE + len(addresses) / 10:
                raise RuntimeError("the worker of the tutorial way does not get on")
            time.sleep(0.01)
        return time.monotonic() - began


@contextmanager
def running(redis_url: str, broker: str, mail: str, processes: int) -> Iterator[Tutorial]:
    """Starts a worker; ``broker`` is the same Redis as ``redis_url``, as Celery writes it."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("OMROEPER_", "DJANGO_"))
    } | {"TUTORIAL_BROKER": broker, "TUTORIAL_COUNTER": redis_url, "TUTORIAL_MAIL": mail}
    app.conf.update(broker_url=broker)
    redis = Redis.from_url(redis_url)
    worker = subprocess.Popen(
        [
            sys.executable, "-m", "celery", "-A", "benchmarks.tutorial", "worker", "--concurrency", str(processes),
            "--queues", QUEUE, "--hostname", "tutorial@benchmark", "--loglevel", "INFO",
        ],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        tutorial = Tutorial(redis)
        tutorial.announce(["resident-000001@practice.invalid"] * processes)  # until both processes are there
        yield tutorial
    finally:
        worker.terminate()
        worker.wait()
        redis.close()
