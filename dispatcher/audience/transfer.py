"""Subscribers in and out as CSV. An import is all or nothing; an export is safe to open in a spreadsheet.

Columns: ``address`` (needed), ``channel`` (default ``email``), ``group`` (``resident``), ``language`` (the town's),
``district`` (empty: the whole town), ``topics`` (slugs with semicolons between them), ``consent_source`` (default: the
one given), ``state`` (only ``active`` rows come in).
"""

from __future__ import annotations

import csv
import secrets
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, BinaryIO, TextIO

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from dispatcher.announcements.cleaning import clean
from dispatcher.audience.csvfile import RowFault, check_bounds, guarded
from dispatcher.audience.entries import COLUMNS, Entry, EntryReader
from dispatcher.audience.models import Address, AddressState, Subscriber

CHUNK = 1_000
# A staged row is pending and says of which import it is. What a killed import left is cleared by a later one.
_STAGED = "import "
_LEFTOVER_AFTER = timedelta(hours=1)


class ConsentMissing(ValueError):
    """An import says where the consent of these people can be found, in at most 200 characters."""

    def __init__(self) -> None:
        super().__init__("Say where the consent can be found (--consent-source), in at most 200 characters.")


class ImportRefused(Exception):
    """Rows of the file are not right, so nothing was stored. ``faults`` holds all of them in the order of the rows."""

    def __init__(self, faults: list[RowFault]) -> None:
        wrong = len({fault.row for fault in faults})
        super().__init__(f"{wrong:,} row{'s are' if wrong > 1 else ' is'} not right. Nothing was stored.")
        self.faults = tuple(faults)


@dataclass
class Imported:
    """What came of the rows: ``rows`` is the sum of the others.

    ``known`` were there already and stay as they are; ``left`` had unsubscribed or do not exist, and stay so;
    ``inactive`` say in the file that they are not active.
    """

    rows: int = 0
    added: int = 0
    known: int = 0
    left: int = 0
    inactive: int = 0


def import_csv(file: BinaryIO, *, consent_source: str) -> Imported:
    """Adds the subscribers in a seekable file. Addresses that are there already are not changed.

    First every row is looked at. Then rows are stored a thousand at a time, as pending, so that no transaction is
    long; at last one statement makes all of them active. Whatever goes wrong before that, none of them hears anything
    and they are removed again.

    Raises:
        ConsentMissing: ``consent_source`` is empty or too long.
        dispatcher.audience.csvfile.FileTooLarge: more than 50 MiB or 500,000 rows; nothing was stored.
        ImportRefused: with every row that is not right; nothing was stored.
    """
    consent_source = clean(consent_source).text
    if not 0 < len(consent_source) <= 200:
        raise ConsentMissing
    check_bounds(file)
    reader = EntryReader(consent_source)
    for _ in reader.entries(file):
        pass
    if reader.faults:
        raise ImportRefused(reader.faults)
    _discard(Address.objects.filter(state_reason__startswith=_STAGED, state_at__lt=timezone.now() - _LEFTOVER_AFTER))
    mark = f"{_STAGED}{secrets.token_hex(16)}"
    result = Imported()
    try:
        entries = EntryReader(consent_source).entries(file)
        while chunk := list(islice(entries, CHUNK)):
            _stage(chunk, mark, result)
        staged = Address.objects.filter(state=AddressState.PENDING, state_reason=mark)
        staged.update(state=AddressState.ACTIVE, state_reason="import", state_at=timezone.now())
    except BaseException:
        _discard(Address.objects.filter(state_reason=mark))
        raise
    _measure()
    return result


def export_csv(out: TextIO) -> int:
    """Writes every address with its subscriber's choices to ``out``, and returns how many.

    Every cell is quoted, and one that a spreadsheet would run as a formula begins with an apostrophe, which an import
    takes off again.
    """
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    number = last = 0
    while page := _page(last):
        last = page[-1][0]
        number += len(page)
        for _, *cells in page:
            writer.writerow([guarded(cell) for cell in cells])
    return number


def _page(after: int) -> list[tuple[Any, ...]]:
    """The next addresses in the order of their primary keys, which come first; then the columns of the file."""
    found = Address.objects.filter(pk__gt=after).order_by("pk")
    rows = list(
        found.values_list(
            "pk",
            "value",
            "channel",
            "subscriber__group",
            "subscriber__language",
            "subscriber__district__slug",
            "subscriber_id",
            "consent_source",
            "state",
        )[:CHUNK]
    )
    topics: dict[int, list[str]] = {}
    chosen = Subscriber.topics.through.objects.filter(subscriber_id__in={row[6] for row in rows})
    for subscriber, slug in chosen.order_by("topic__slug").values_list("subscriber_id", "topic__slug"):
        topics.setdefault(subscriber, []).append(slug)
    return [(*row[:5], row[5] or "", ";".join(topics.get(row[6], ())), *row[7:]) for row in rows]


def _stage(chunk: list[Entry], mark: str, result: Imported) -> None:
    """Stores a chunk as pending. What is there already, also since a moment ago, is left as it is."""
    result.rows += len(chunk)
    active = [entry for entry in chunk if entry.active]
    result.inactive += len(chunk) - len(active)
    while True:
        try:
            with transaction.atomic():
                known = _known_states(active)
                new = [entry for entry in active if (entry.channel, entry.address) not in known]
                _insert(new, mark)
            break
        except IntegrityError:  # someone subscribed between our look and our insert: look again
            continue
    result.added += len(new)
    left = sum(state in (AddressState.LEFT, AddressState.SUPPRESSED) for state in known.values())
    result.left += left
    result.known += len(known) - left


def _known_states(entries: list[Entry]) -> dict[tuple[str, str], str]:
    channels: dict[str, list[str]] = {}
    for entry in entries:
        channels.setdefault(entry.channel, []).append(entry.address)
    return {
        (channel, value): state
        for channel, values in channels.items()
        for value, state in Address.objects.filter(channel=channel, value__in=values).values_list("value", "state")
    }


def _insert(entries: list[Entry], mark: str) -> None:
    subscribers = Subscriber.objects.bulk_create(
        Subscriber(group=entry.group, language=entry.language, district_id=entry.district) for entry in entries
    )
    chosen = Subscriber.topics.through
    pairs = list(zip(subscribers, entries, strict=True))
    Address.objects.bulk_create(
        Address(
            subscriber=subscriber,
            channel=entry.channel,
            value=entry.address,
            state=AddressState.PENDING,
            state_reason=mark,
            consent_source=entry.consent_source,
        )
        for subscriber, entry in pairs
    )
    chosen.objects.bulk_create(
        chosen(subscriber_id=subscriber.pk, topic_id=topic) for subscriber, entry in pairs for topic in entry.topics
    )


def _measure() -> None:
    """Tells the database how many there are of which kind: only then does it find colleagues by their group."""
    with connection.cursor() as cursor:
        for model in (Subscriber, Address, Subscriber.topics.through):
            cursor.execute(f"ANALYZE {model._meta.db_table}")


def _discard(staged: QuerySet[Address]) -> None:
    """Removes staged addresses with their subscribers, in short transactions."""
    while ids := list(staged.filter(state=AddressState.PENDING).values_list("subscriber_id", flat=True)[:CHUNK]):
        Subscriber.objects.filter(pk__in=ids).delete()
