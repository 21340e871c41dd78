"""Outlets in use: their channel opened once a process, kept as long as its settings stay the same."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db import connection

from channels import registry
from channels.contract import Abilities, Common, Direct, Surroundings, Vault
from channels.kit.egress import Egress
from dispatcher.dispatching import clock
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.secretbox import unseal
from dispatcher.dispatching.vault import LedgerVault

log = structlog.get_logger("omroeper.egress")


@functools.cache
def abilities(channel: str) -> Abilities:
    return registry.channel(channel).can


@functools.cache
def is_direct(channel: str) -> bool:
    return issubclass(registry.channel(channel), Direct)


def egress(outlet: str = "") -> Egress:
    """The one policy: public addresses and what the installation names (settings.EGRESS_EXCEPTIONS).

    In practice mode, what it names and nothing else. What is refused is logged: for which outlet, what kind of address.
    """

    def told(kind: str) -> None:
        log.warning("egress.refused", outlet=outlet, address=kind)

    return Egress(frozenset(settings.EGRESS_EXCEPTIONS), closed=settings.PRACTICE, told=told)


def build(outlet: Outlet, vault: Vault | None = None) -> Common:
    """The channel of an outlet, not entered: it composes and checks. ``vault``: a ``LedgerVault``, if none is given.

    Raises:
        channels.contract.SettingsInvalid: with all that is wrong with the outlet's settings.
        dispatcher.dispatching.secretbox.CannotOpen: sealed with a key that we do not have.
    """
    channel = registry.channel(outlet.channel)
    values: dict[str, Any] = unseal(outlet.settings) if outlet.settings else {}
    shared = vault or LedgerVault(outlet.pk)
    return channel(channel.read_settings(values), Surroundings(egress=egress(outlet.name), vault=shared))


class OpenChannels:
    """The channels that this process has entered, by outlet. Connections live here, across batches.

    ``vault`` makes the vault of an outlet from its id.
    """

    def __init__(self, vault: Callable[[int], Vault] = LedgerVault) -> None:
        self._vault = vault
        self._open: dict[int, tuple[str, Common]] = {}
        self._changing = asyncio.Lock()  # two batches of one outlet may ask at the same moment

    async def get(self, outlet: Outlet) -> Common:
        """The entered channel of ``outlet``; opened anew where its settings have changed."""
        async with self._changing:
            known = self._open.get(outlet.pk)
            if known and known[0] == outlet.settings:
                return known[1]
            if known:
                await self._close(outlet.pk)
            channel = build(outlet, self._vault(outlet.pk))
            await channel.__aenter__()
            self._open[outlet.pk] = (outlet.settings, channel)
            return channel

    async def close(self) -> None:
        """Closes all."""
        async with self._changing:
            for identity in list(self._open):
                await self._close(identity)

    async def _close(self, outlet_id: int) -> None:
        _, channel = self._open.pop(outlet_id)
        await channel.__aexit__(None, None, None)


def mark_down(outlet_id: int, *, wait: float, reason: str, needs_person: bool) -> None:
    """Opens the circuit of an outlet: nothing is tried for ``wait`` seconds, or until a person resumes it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_outlet SET circuit = 'open', failures = failures + 1, needs_person = %s,
                circuit_reason = %s, circuit_since = coalesce(circuit_since, {clock.wall()}),
                retry_at = {clock.wall_in("%s")} WHERE id = %s""",
            [needs_person, reason[:300], wait, outlet_id],
        )


def mark_well(outlet_id: int, *, probed_only: bool = False) -> None:
    """Closes the circuit: the far side answers. Costs a write only where it was not closed.

    With ``probed_only`` an open circuit stays open: only the answer to a probe, after the wait, closes it.
    """
    which = "circuit = 'probing'" if probed_only else "circuit <> 'closed'"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE dispatching_outlet SET circuit = 'closed', failures = 0, needs_person = %s, circuit_reason = '',
                circuit_since = NULL, retry_at = NULL WHERE id = %s AND {which}""",
            [False, outlet_id],
        )


def reserve(outlet_id: int, wanted: int, patience: float) -> tuple[int, float]:
    """Takes room for messages from the outlet's rate, which all workers share.

    Returns how many may be handed over, and in how many seconds from now: at most ``wanted``, at least one, or none
    where others have taken all of the next ``patience`` seconds.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT rate FROM dispatching_outlet WHERE id = %s", [outlet_id])
        rate = cursor.fetchone()[0]
        if not rate:
            return wanted, 0.0
        count = max(1, min(wanted, int(rate * settings.LEASE_SECONDS / 3)))
        now, most = clock.lease_now(), "max" if clock.is_sqlite() else "greatest"
        # Nobody takes room further ahead than this: such a mark was made before a reboot set the lease clock back.
        void = 60 + settings.TASK_SECONDS + 2 * max(1 / rate, settings.LEASE_SECONDS)
        start = f"(CASE WHEN rate_next > {now} + {void!r} THEN {now} ELSE {most}(rate_next, {now}) END)"
        cursor.execute(
            f"""UPDATE dispatching_outlet SET rate_next = {start} + {count / rate!r}
            WHERE id = %s AND {start} <= {now} + %s RETURNING rate_next - {count / rate!r} - {now}""",
            [outlet_id, patience],
        )
        found = cursor.fetchone()
        return (count, max(0.0, float(found[0]))) if found else (0, 0.0)
