"""What Celery runs: each task opens what the id names and calls one plain function."""

from __future__ import annotations

from celery import shared_task

from dispatcher.dispatching import plan, prove, send, sweep, upkeep


@shared_task(name="omroeper.plan")
def plan_dispatch(dispatch_id: int) -> None:
    plan.plan(dispatch_id)


@shared_task(name="omroeper.send")
def send_batch(batch_id: int) -> None:
    send.send(batch_id)


@shared_task(name="omroeper.broadcast")
def send_broadcasts(dispatch_id: int) -> None:
    send.broadcast(dispatch_id)


@shared_task(name="omroeper.prove")
def prove_delivery(delivery_id: int) -> None:
    prove.prove(delivery_id)


@shared_task(name="omroeper.sweep")
def sweep_once() -> None:
    sweep.sweep()


@shared_task(name="omroeper.upkeep")
def keep_up() -> None:
    upkeep.keep_up()
