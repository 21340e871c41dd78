"""The Celery application. Its messages carry an id and nothing else: whoever forges one can only ring the doorbell.

Settings that were seen to hold under faults: JSON only, results ignored, acknowledged early (the lease and the sweep
redo what a dead worker leaves; late acknowledgement would run a poison task for ever), one message in hand a process,
short socket time-outs (publishing to a frozen Redis otherwise never returns).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import django
from celery import Celery
from kombu import Queue
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dispatcher.config.settings")
# Django's own checks load every page of the website, and a worker shows none.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")
django.setup()

from django.conf import settings  # noqa: E402

from dispatcher.dispatching.lanes import LANES  # noqa: E402


def broker_url(url: str) -> str:
    """``REDIS_URL`` in the form that kombu wants: it calls a unix socket ``redis+socket``."""
    return url.replace("unix://", "redis+socket://", 1)


app = Celery("omroeper")
app.conf.update(
    broker_url=broker_url(settings.REDIS_URL or "redis://127.0.0.1:6379/0"),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "socket_timeout": 2,  # a worker's blocking read waits 1 second
        "socket_connect_timeout": 1,
        "health_check_interval": 5,
        "visibility_timeout": 3600,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    },
    task_serializer="json",
    accept_content=["json"],
    result_backend=None,
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_create_missing_queues=False,
    task_queues=[Queue(lane) for lane in LANES],
    task_default_queue="upkeep",
    worker_prefetch_multiplier=1,
    worker_send_task_events=False,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    enable_utc=True,
    imports=["dispatcher.dispatching.tasks", "dispatcher.dispatching.liveness"],
    beat_schedule={
        "sweep": {"task": "omroeper.sweep", "schedule": settings.SWEEP_SECONDS * 5, "options": {"expires": 30}},
        "upkeep": {"task": "omroeper.upkeep", "schedule": 15.0, "options": {"expires": 60}},
    },
    beat_max_loop_interval=2,
)


class CannotPublish(Exception):
    """Redis does not take a message now: it is gone, frozen, full or read-only. Says which, without addresses."""


def publish(task: str, lane: str, identities: Iterable[int]) -> None:
    """Puts one message per id on a lane, over a connection of its own, with no repeats: about two seconds at most.

    Raises:
        CannotPublish: where Redis does not take it.
    """
    options = {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0}
    try:
        with app.connection_for_write(transport_options=options) as broker:
            producer = app.amqp.Producer(broker, auto_declare=False)
            for identity in identities:
                # A message goes straight to its lane's list: to declare the lane each time is a round trip for nothing.
                app.send_task(task, args=[identity], queue=lane, producer=producer, retry=False, declare=[])
    except (OperationalError, RedisError, OSError) as error:
        raise CannotPublish(f"{type(error).__name__}: {str(error)[:120]}") from error
