"""What a channel tells the contract suite about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from channels.contract import Copy, Outcome, Published, Reason
from channels.kit.egress import Egress


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come of one attempt that meets a fault. ``down``: ``OutletDown`` is raised as well.

    ``outcome`` may be ``None`` for a broadcast channel whose only answer is ``OutletDown``. ``reason`` of ``None``
    means that any will do. ``doubtful``: that ``OutletDown`` says that what was in hand may have been taken.
    """

    outcome: Outcome | None
    reason: Reason | None = None
    down: bool = False
    needs_person: bool = False
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """One message that the far side of a direct channel took: to whom, under which id, and what its reader sees.

    ``twin`` is what a repeat of the message carries again, so that it can be known as one.
    """

    address: str
    remote_id: str
    texts: tuple[str, ...]  # each alternative as plain text, complete
    twin: str


class FarSide(Protocol):
    """A far side that runs. ``settings`` and ``egress`` reach it."""

    @property
    def settings(self) -> Mapping[str, object]: ...

    @property
    def egress(self) -> Egress: ...


class DirectFarSide(FarSide, Protocol):
    """``taken`` is what it took so far, ``connections`` how many were opened to it so far."""

    @property
    def taken(self) -> Sequence[Taken]: ...

    @property
    def connections(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class Case:
    """One channel. ``far_side(folder, fault)`` starts its far side; the fault is a key of ``moments`` or empty.

    ``settings`` are valid and hold ``secrets``, the values that nobody may see. Each of ``wrong`` is a set of settings
    with the names of all fields that must be reported at once. ``moments`` is the channel's table of outcomes.
    """

    name: str
    settings: Mapping[str, object]
    secrets: tuple[str, ...] = ()
    wrong: tuple[tuple[Mapping[str, object], frozenset[str]], ...]
    moments: Mapping[str, Expected]
    far_side: Callable[[Path, str], AbstractAsyncContextManager[FarSide]]
    readable: Callable[[Copy], tuple[str, ...]] = field(default=lambda copy: (copy.text,))
    """What a reader sees of a copy, once as plain text for each part that stands for the whole."""


@dataclass(frozen=True, kw_only=True)
class DirectCase(Case):
    """A channel with one message per recipient. ``addresses(n)`` makes n different ones that its far side takes.

    ``connections`` is how many the settings of the case allow at once. ``own_ids``: the id of a message is ours, and so
    the same in every repeat; else the far side gives each message one. ``keeps_connections`` is off for a library that
    opens one for each message; the docs page of the channel says so.
    """

    far_side: Callable[[Path, str], AbstractAsyncContextManager[DirectFarSide]]
    addresses: Callable[[int], list[str]]
    slots: Mapping[str, str]
    connections: int = 2
    own_ids: bool = True
    keeps_connections: bool = True


@dataclass(frozen=True, kw_only=True)
class BroadcastCase(Case):
    """A channel with one public copy per language.

    Where a person stands between (``can.by_hand``), ``person`` does with a copy at the far side what they would do, in
    place of an earlier one where there is one, and gives the address that they would paste.
    """

    person: Callable[[FarSide, Copy, Published | None], Published] | None = None
