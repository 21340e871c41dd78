"""Import and export of subscribers: recorded, with counts and never with rows."""

from __future__ import annotations

from typing import BinaryIO, TextIO

from dispatcher.acts.audit import record
from dispatcher.audience import transfer


def import_subscribers(file: BinaryIO, *, consent_source: str, by: str) -> transfer.Imported:
    """Adds the subscribers in a CSV file, all or none.

    Raises: as ``audience.transfer.import_csv``.
    """
    imported = transfer.import_csv(file, consent_source=consent_source)
    record(by, "import subscribers", "subscribers", rows=imported.rows, added=imported.added)
    return imported


def export_subscribers(out: TextIO, *, by: str) -> int:
    """Writes every subscriber as CSV and returns how many."""
    number = transfer.export_csv(out)
    record(by, "export subscribers", "subscribers", rows=number)
    return number
