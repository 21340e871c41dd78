"""Rows of an import as entries that can be stored, or as what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import BinaryIO

from django.conf import settings
from django.conf.locale import LANG_INFO

from dispatcher.announcements.models import Group
from dispatcher.audience import addresses
from dispatcher.audience.csvfile import Row, RowFault, rows
from dispatcher.audience.models import AddressState, District, Topic

COLUMNS = ("address", "channel", "group", "language", "district", "topics", "consent_source", "state")
# Beyond so many faults a guess at what was meant helps nobody and costs time.
_GUESSES = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that can be stored: the address in its normal form, district and topics as primary keys."""

    address: str
    channel: str
    group: str
    language: str
    district: int | None
    topics: tuple[int, ...]
    consent_source: str
    active: bool


class EntryReader:
    """Turns the rows of one file into entries; ``faults`` collects what is wrong, as it goes."""

    def __init__(self, consent_source: str) -> None:
        self.consent_source = consent_source
        self.faults: list[RowFault] = []
        self.languages = tuple(dict.fromkeys([*dict(settings.LANGUAGES), *LANG_INFO]))
        self.topics = dict(Topic.objects.values_list("slug", "pk"))
        self.districts: dict[str, int] = {}
        for slug, name, pk in District.objects.values_list("slug", "name", "pk"):
            self.districts |= {slug: pk, name.lower(): pk}

    def entries(self, file: BinaryIO) -> Iterator[Entry]:
        """The good rows of ``file``."""
        lines = rows(file)
        header = next(lines, RowFault(1, "header", "The file is empty.", f"Begin with a row: {','.join(COLUMNS)}."))
        places = self._places(header)
        if places is None:
            return
        seen: dict[tuple[str, str], int] = {}
        for row in lines:
            if isinstance(row, RowFault):
                self.faults.append(row)
                continue
            before = len(self.faults)
            entry = self._entry(row, places)
            first = seen.setdefault((entry.channel, entry.address), row.number)
            if entry.address and first != row.number:
                self._fault(row, "address", f"It stands in row {first} too.", "Keep one of them.")
            if len(self.faults) == before:
                yield entry

    def _places(self, header: Row | RowFault) -> dict[str, int] | None:
        if isinstance(header, RowFault):
            self.faults.append(header)
            return None
        names = [name.strip().lower() for name in header.cells]
        for name in names:
            if name not in COLUMNS or names.count(name) > 1:
                what = "This column stands there twice." if name in COLUMNS else "This column is not known."
                self._fault(header, name[:40] or "header", what, self._nearest(name, COLUMNS))
        if "address" not in names:
            self._fault(header, "address", "This column is missing.", f"The columns are: {', '.join(COLUMNS)}.")
        return None if self.faults else {name: place for place, name in enumerate(names)}

    def _entry(self, row: Row, places: dict[str, int]) -> Entry:
        if len(row.cells) != len(places):
            what = f"It has {len(row.cells)} cells and the header has {len(places)}."
            self._fault(row, "row", what, "Put quotes around a cell that holds a separator.")
        cells = {name: row.cells[place] if place < len(row.cells) else "" for name, place in places.items()}
        channel = cells.get("channel") or "email"
        return Entry(
            address=self._address(row, channel, cells["address"]),
            channel=channel,
            group=self._known(row, "group", cells.get("group") or Group.RESIDENT.value, Group.values),
            language=self._known(row, "language", cells.get("language") or settings.LANGUAGE_CODE, self.languages),
            district=self._district(row, cells.get("district", "")),
            topics=self._topics(row, cells.get("topics", "")),
            consent_source=self._short(row, "consent_source", cells.get("consent_source") or self.consent_source, 200),
            active=self._known(row, "state", cells.get("state") or "active", AddressState.values) == "active",
        )

    def _address(self, row: Row, channel: str, value: str) -> str:
        if channel == "email":
            try:
                return addresses.normal_form(value)
            except addresses.AddressInvalid:
                remedy = "Write one address, such as name@example.org."
                self._fault(row, "address", "It is no e-mail address.", remedy)
                return ""
        self._short(row, "channel", channel, 20)
        if not value or not value.isprintable():
            self._fault(row, "address", "It is empty, or holds characters that cannot be read.", "Fill it in again.")
        return self._short(row, "address", value, 1000)

    def _district(self, row: Row, value: str) -> int | None:
        if not value:
            return None
        if value.lower() not in self.districts:
            self._fault(row, "district", "It is not one of this town's.", self._nearest(value, self.districts))
        return self.districts.get(value.lower())

    def _topics(self, row: Row, value: str) -> tuple[int, ...]:
        wanted = [slug.strip().lower() for slug in value.split(";") if slug.strip()]
        for slug in wanted:
            if slug not in self.topics:
                self._fault(row, "topics", "One of them is not one of this town's.", self._nearest(slug, self.topics))
        return tuple(sorted({self.topics[slug] for slug in wanted if slug in self.topics}))

    def _known(self, row: Row, column: str, value: str, choices: Iterable[str]) -> str:
        if value.lower() not in choices:
            self._fault(row, column, "It is not one of the choices.", self._nearest(value, choices))
        return value.lower()

    def _short(self, row: Row, column: str, value: str, limit: int) -> str:
        if len(value) > limit:
            self._fault(row, column, f"It is longer than {limit} characters.", "Shorten it.")
        return value

    def _fault(self, row: Row, column: str, what: str, remedy: str) -> None:
        self.faults.append(RowFault(row.number, column, what, remedy))

    def _nearest(self, word: str, known: Iterable[str]) -> str:
        return _remedy(word.lower()[:40] if len(self.faults) < _GUESSES else "", tuple(known))


@lru_cache(maxsize=4096)
def _remedy(word: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(word, known, n=1) if word else []
    return f"Did you mean '{close[0]}'?" if close else f"Known are: {', '.join(islice(known, 12))}."
