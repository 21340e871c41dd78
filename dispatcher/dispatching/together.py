"""One commit for what comes at the same moment: twenty outlets that settle at once need not wait for twenty commits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from django.db import DatabaseError

T = TypeVar("T")
R = TypeVar("R")

Work = Callable[[Sequence[T]], Sequence[R | Exception]]
Call = Callable[..., Awaitable[Sequence[R | Exception]]]


class Together(Generic[T, R]):
    """Calls ``work`` with everything that was asked for meanwhile, one call at a time.

    ``work`` does it in one transaction and gives, in order, a result or an exception for each. Nobody waits for others
    to come: what is asked for in the same turn of the loop goes together, and so does what is asked for while the call
    before is at work. ``call`` runs it for a group in the database thread. Where the database refuses a group, each of
    it is done by itself, through ``alone``: one that cannot be done holds up no other.
    """

    def __init__(self, call: Call[R], alone: Call[R], work: Work[T, R]) -> None:
        self._call = call
        self._alone = alone
        self._work = work
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._at_it: asyncio.Task[None] | None = None

    async def __call__(self, item: T) -> R:
        """The result for ``item``.

        Raises:
            DatabaseError: as ``work`` does, and whatever it gave in the place of a result.
        """
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        if self._at_it is None or self._at_it.done():
            self._at_it = asyncio.create_task(self._go())
        return await answer

    async def _go(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            await self._do(group)

    async def _do(self, group: list[tuple[T, asyncio.Future[R]]]) -> None:
        results: Sequence[R | Exception]
        try:
            call = self._call if len(group) > 1 else self._alone
            results = await call(self._work, [item for item, _ in group])
        except Exception as error:
            if isinstance(error, DatabaseError) and len(group) > 1:
                for each in group:
                    await self._do([each])
                return
            results = [error] * len(group)
        for (_, answer), result in zip(group, results, strict=True):
            if answer.done():  # whoever asked does not wait any more
                continue
            if isinstance(result, Exception):
                answer.set_exception(result)
            else:
                answer.set_result(result)
