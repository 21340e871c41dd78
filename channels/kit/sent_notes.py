"""What a channel notes in the vault before it sends, so that a post can be found again whose answer never came."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace

from channels.contract import Vault


@dataclass(frozen=True, slots=True)
class Note:
    """``texts`` are the posts that were to be made under ``key``, ``at`` (seconds since the epoch) the first attempt.

    ``ids``, in the order of the texts, and ``url`` are known as far as the far side has answered.
    """

    key: str
    texts: tuple[str, ...]
    at: float
    ids: tuple[str, ...] = ()
    url: str = ""

    @property
    def complete(self) -> bool:
        return len(self.ids) == len(self.texts)

    @property
    def age(self) -> float:
        return time.time() - self.at

    def answered(self, ids: tuple[str, ...], url: str) -> Note:
        return replace(self, ids=ids, url=url)


class Memory(Vault):
    """A vault for a channel that was given none: as long as the process, for itself alone."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self._values.get(name)

    async def put(self, name: str, value: str) -> None:
        self._values[name] = value


class Notes:
    """The notes of one outlet, by delivery key; and which key last posted about a page."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def begin(self, key: str, texts: tuple[str, ...], page: str) -> Note:
        """The note of ``key``: made now, unless there is one of an earlier attempt."""
        note = await self.get(key)
        if note is None or note.texts != texts:
            note = Note(key, texts, time.time())
            await self._vault.put(_name("page", page), key)
            await self.keep(note)
        return note

    async def keep(self, note: Note) -> None:
        await self._vault.put(_name("sent", note.key), json.dumps(asdict(note)))

    async def get(self, key: str) -> Note | None:
        value = await self._vault.get(_name("sent", key))
        if value is None:
            return None
        values = json.loads(value)
        return Note(**values | {"texts": tuple(values["texts"]), "ids": tuple(values["ids"])})

    async def about(self, page: str) -> Note | None:
        """The note of the latest key that posted about ``page``."""
        key = await self._vault.get(_name("page", page))
        return None if key is None else await self.get(key)


def _name(kind: str, value: str) -> str:
    return f"{kind}:{hashlib.sha256(value.encode()).hexdigest()[:40]}"
