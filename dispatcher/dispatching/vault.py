"""What all workers of an outlet share (``channels.contract.Vault``), encrypted in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async

from channels.contract import Vault
from dispatcher.dispatching.models import VaultEntry
from dispatcher.dispatching.secretbox import seal, unseal

if TYPE_CHECKING:
    from dispatcher.dispatching.process import WorkerProcess


def read(wanted: Sequence[tuple[int, str]]) -> list[str | None]:
    """The values of entries, each given by its outlet's id and its name."""
    found = VaultEntry.objects.filter(
        outlet_id__in={outlet_id for outlet_id, _ in wanted}, name__in={name for _, name in wanted}
    )
    values = {(entry.outlet_id, entry.name): entry.value for entry in found}
    return [unseal(values[which])["value"] if which in values else None for which in wanted]


def write(entries: Sequence[tuple[int, str, str]]) -> list[None]:
    """Writes entries, each its outlet's id, its name and its value, in one statement."""
    latest = {(outlet_id, name): value for outlet_id, name, value in entries}
    VaultEntry.objects.bulk_create(
        [
            VaultEntry(outlet_id=outlet_id, name=name, value=seal({"value": value}))
            for (outlet_id, name), value in latest.items()
        ],
        update_conflicts=True,
        unique_fields=["outlet", "name"],
        update_fields=["value"],
    )
    return [None] * len(entries)


class LedgerVault(Vault):
    """The vault of one outlet, wherever it is used."""

    def __init__(self, outlet_id: int) -> None:
        self.outlet_id = outlet_id

    async def get(self, name: str) -> str | None:
        return (await sync_to_async(read)([(self.outlet_id, name)]))[0]

    async def put(self, name: str, value: str) -> None:
        await sync_to_async(write)([(self.outlet_id, name, value)])


class WorkerVault(Vault):
    """The same in a worker process, over its one connection; what outlets note at the same moment is one commit."""

    def __init__(self, outlet_id: int, process: WorkerProcess) -> None:
        self.outlet_id = outlet_id
        self._process = process

    async def get(self, name: str) -> str | None:
        return await self._process.together(read, (self.outlet_id, name))

    async def put(self, name: str, value: str) -> None:
        await self._process.together(write, (self.outlet_id, name, value))
