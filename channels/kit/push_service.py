"""One push service: its connections, what waits for it, and when it rests. One service's trouble is no other's."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from channels.contract import Outcome, Reason, Receipt
from channels.kit.egress import AddressNotAllowed
from channels.kit.push_job import Job, Manner
from channels.kit.push_outcomes import SILENCES, WAIT_UNSTATED, Silence, Then, Verdict, judge, stated_wait
from channels.kit.push_wire import Answer, Wire

PATIENCE: Final = 5.0  # seconds without an answer from a service after which nothing more is held back for it
SLOW_WAIT: Final = 10.0  # seconds until what was not held back is tried again
REFUSALS: Final = 3  # times in a row that it does not accept who we are, never having done so
FAILURES: Final = 10  # answers of 5xx, or broken connections, in a row after which it rests
RESTS: Final = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0)  # seconds, for each time in a row; the last one repeats
_LONGEST_ID = 300  # characters of a Location that are kept: what the ledger holds


class Service:
    """The push service at ``origin``. Jobs come in by ``take``, and each tells what came of it, once."""

    def __init__(
        self, origin: str, manner: Manner, mistrusted: Callable[[str], None], rested: Callable[[float], None]
    ) -> None:
        parts = urlsplit(origin)
        self.secure = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.secure else 80)
        self.trusted = False  # it has accepted something from us
        self.connections_made = 0
        self._manner = manner
        self._mistrusted = mistrusted
        self._rested = rested  # told for how many seconds the service itself asked us to wait
        self._queue: deque[Job] = deque()
        self._resting: list[Wire[Job]] = []
        self._busy: set[Wire[Job]] = set()
        self._openings: set[asyncio.Task[Wire[Job]]] = set()
        self._ceiling = manner.connections
        self._proven = False
        self._rest_until = 0.0
        self._rest_because = Verdict(Outcome.DEFERRED, Reason.BUSY)
        self._rests = self._refusals = self._failures = 0
        self._moved = 0.0  # when it last answered, or came to have something to answer
        self._stalled = False  # it has not answered for so long that nothing is held back for it

    def take(self, job: Job) -> None:
        """Hands the job over as soon as a connection is free, or defers it at once where the service rests."""
        now = monotonic()
        if now < self._rest_until:
            self._defer(job, self._rest_because, self._rest_until - now)
            return
        if not (self._queue or self._busy or self._openings):
            self._progressed(now)
        elif self._stalled:
            self._defer(job, _SLOW, SLOW_WAIT)
            return
        self._queue.append(job)
        self._go()

    def rest(self, seconds: float) -> None:
        """Another worker was asked to wait for so long."""
        if monotonic() + seconds > self._rest_until:
            self._rest(_THROTTLED, seconds, "asked to be left alone for a while")

    def watch(self) -> None:
        """Called now and then: gives up what takes too long, so that a slow service holds up nobody else."""
        now = monotonic()
        for wire in list(self._busy):
            if now - wire.since > self._manner.reply:
                wire.expire()
        waited_for = bool(self._queue or self._busy or self._openings)
        self._stalled = waited_for and now - self._moved > PATIENCE
        if self._stalled:
            self._defer_queue(_SLOW, SLOW_WAIT)

    def _progressed(self, now: float) -> None:
        self._moved, self._stalled = now, False

    def forget(self, keys: set[str]) -> None:
        """Nobody waits for these any more: what is on the wire is cut off."""
        self._queue = deque(job for job in self._queue if job.key not in keys)
        for wire in [wire for wire in self._busy if wire.job is not None and wire.job.key in keys]:
            self._busy.discard(wire)
            wire.drop()

    def defer_all(self, verdict: Verdict) -> None:
        """What has not been handed over yet stays due."""
        self._defer_queue(verdict, None)

    async def close(self) -> None:
        for wire in [*self._resting, *self._busy]:
            wire.drop()
        for opening in self._openings:
            opening.cancel()
        await asyncio.gather(*self._openings, return_exceptions=True)

    # connections

    def _go(self) -> None:
        """Gives what waits to connections that rest, and opens more where that is not enough."""
        now = monotonic()
        while self._queue and self._resting:
            wire = self._resting.pop()
            if wire.gone:
                continue
            if now - wire.since > self._manner.idle:
                wire.drop()  # its far end may be closing it this moment, and then nobody knows
                continue
            job = self._queue.popleft()
            self._busy.add(wire)
            wire.post(job, job.request)
        while (
            len(self._openings) < len(self._queue)
            and len(self._openings) + len(self._busy) < self._ceiling
            and (self._proven or not self._openings)
        ):
            opening = asyncio.get_running_loop().create_task(self._open())
            self._openings.add(opening)
            opening.add_done_callback(self._opened)

    async def reach(self) -> None:
        """Connects and leaves again.

        Raises:
            AddressNotAllowed: if the policy does not let us connect there.
            OSError: if nobody answers, or not as who they should be.
        """
        (await self._open()).drop()

    async def _open(self) -> Wire[Job]:
        """A connection to an address that was resolved once and checked; TLS is checked against the name."""
        async with asyncio.timeout(self._manner.opening):
            loop = asyncio.get_running_loop()
            failure: OSError = OSError("has no address")
            for address in await self._manner.egress.resolve(self.host, self.port):
                try:
                    _, wire = await loop.create_connection(
                        lambda: Wire[Job](self),
                        address,
                        self.port,
                        ssl=self._manner.tls if self.secure else None,
                        server_hostname=self.host if self.secure else None,
                    )
                except OSError as error:
                    failure = error
                else:
                    return wire
            raise failure

    def _opened(self, opening: asyncio.Task[Wire[Job]]) -> None:
        self._openings.discard(opening)
        if opening.cancelled():
            return
        error = opening.exception()
        if error is None:
            self.connections_made += 1
            self._proven = True
            now = monotonic()
            self._progressed(now)
            wire = opening.result()
            if not wire.gone:
                wire.since = now
                self._resting.append(wire)
            self._go()
        elif isinstance(error, AddressNotAllowed):
            self._settle_queue(SILENCES[Silence.NOT_ALLOWED], "is not where we may connect to")
        elif self._busy or self._openings:
            self._ceiling = max(1, len(self._busy) + len(self._openings))
        else:
            self._proven = False
            reachable = not isinstance(error, (OSError, UnicodeError))
            verdict = _OWN_FAULT if reachable else SILENCES[Silence.NO_CONNECTION]
            self._rest(verdict, None, f"cannot be reached ({type(error).__name__})")

    # what a connection tells

    def answered(self, wire: Wire[Job], job: Job, answer: Answer) -> None:
        self._busy.discard(wire)
        if not wire.gone:
            self._resting.append(wire)
        self._progressed(monotonic())
        verdict = judge(answer.status, self.host)
        if verdict.outcome is Outcome.ACCEPTED:
            self.trusted = True
            self._refusals = self._failures = self._rests = 0
            self._ceiling = self._manner.connections
            location = answer.headers.get("location", "")
            kept = location if len(location) <= _LONGEST_ID and location.isascii() and location.isprintable() else ""
            job.tell(Receipt(key=job.key, outcome=verdict.outcome, remote_id=kept))
        elif verdict.then is Then.SHRINK and job.smaller is not None:
            job.request, job.smaller = job.smaller(), None
            self._queue.appendleft(job)
        else:
            self._refused(job, answer, verdict)
        self._go()

    def _refused(self, job: Job, answer: Answer, verdict: Verdict) -> None:
        stated = answer.headers.get("retry-after")
        wait = None if stated is None else stated_wait(stated, datetime.now(UTC))
        words = f"{answer.status} {answer.body.decode(errors='replace')}"
        if verdict.then is Then.MISTRUST and self.trusted:
            # It knows us, so it is this subscription: made under another key of ours, by its words most often.
            verdict = Verdict(Outcome.REJECTED, Reason.ADDRESS_NOT_ALLOWED)
        if verdict.then is Then.REST and wait is None:
            wait = WAIT_UNSTATED
        self._tell(job, verdict, words, wait if verdict.outcome is Outcome.DEFERRED else None)
        if verdict.then is Then.MISTRUST:
            self._refusals += 1
            if self._refusals >= REFUSALS:
                self._rest(verdict, RESTS[-1], words)
                self._mistrusted(self._words(words, job.secrets))
        elif verdict.outcome is Outcome.DEFERRED and wait is not None:
            self._rest(verdict, wait, words)
            self._rested(wait)
        elif verdict.outcome is Outcome.DEFERRED:
            self._failed(verdict, words)
        else:
            self._failures = 0

    def lost(self, wire: Wire[Job], job: Job | None, silence: Silence, words: str) -> None:
        self._busy.discard(wire)
        if job is None:
            return
        verdict = SILENCES[silence]
        self._tell(job, verdict, words, None)
        if verdict.then is Then.REST:
            self._rest(verdict, None, words)
        else:
            self._failed(verdict, words)
            self._go()

    # rest

    def _failed(self, verdict: Verdict, words: str) -> None:
        self._failures += 1
        if self._failures >= FAILURES:
            self._rest(verdict, None, words)

    def _rest(self, verdict: Verdict, wait: float | None, words: str) -> None:
        """Nothing goes there for ``wait`` seconds, or for longer each time in a row. What waits for it stays due."""
        if wait is None:
            wait = RESTS[min(self._rests, len(RESTS) - 1)]
            self._rests += 1
        self._failures = 0
        deferred = Verdict(Outcome.DEFERRED, verdict.reason)
        self._rest_until = max(self._rest_until, monotonic() + wait)
        self._rest_because = deferred
        self._defer_queue(deferred, wait, words)

    def _defer_queue(self, verdict: Verdict, wait: float | None, words: str = "is waited for") -> None:
        while self._queue:
            self._defer(self._queue.popleft(), verdict, wait, words)

    def _settle_queue(self, verdict: Verdict, words: str) -> None:
        while self._queue:
            self._tell(self._queue.popleft(), verdict, words, None)

    def _defer(self, job: Job, verdict: Verdict, wait: float | None, words: str = "is waited for") -> None:
        self._tell(job, verdict, words, wait)

    # words

    def _tell(self, job: Job, verdict: Verdict, words: str, wait: float | None) -> None:
        job.tell(
            Receipt(
                key=job.key,
                outcome=verdict.outcome,
                reason=verdict.reason,
                detail=self._words(words, job.secrets),
                retry_after=wait,
            )
        )

    def _words(self, text: str, secrets: tuple[str, ...]) -> str:
        """Host and words on one line of at most 200 characters, without what only we and the service may know."""
        for secret in secrets:
            text = text.replace(secret, "…")
        line = " ".join("".join(c if c.isprintable() else " " for c in text[:600]).split())
        return f"{self.host}: {line}"[:200]


_SLOW = Verdict(Outcome.DEFERRED, Reason.NO_ANSWER)
_THROTTLED = Verdict(Outcome.DEFERRED, Reason.THROTTLED)
_OWN_FAULT = Verdict(Outcome.DEFERRED, Reason.FAULT)
