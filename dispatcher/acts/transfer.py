"""Import and export of subscribers: recorded, with counts and never with rows.

Both raise ``rights.NotAllowed`` for someone of another role.
"""

from __future__ import annotations

from typing import BinaryIO, TextIO

from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.audience import transfer


def import_subscribers(file: BinaryIO, *, consent_source: str, by: By) -> transfer.Imported:
    """Adds the subscribers in a CSV file, all or none.

    Raises: as ``audience.transfer.import_csv``.
    """
    author = need(by, Right.IMPORT_SUBSCRIBERS, "subscribers")
    imported = transfer.import_csv(file, consent_source=consent_source)
    record(author, "import subscribers", "subscribers", rows=imported.rows, added=imported.added)
    return imported


def export_subscribers(out: TextIO, *, by: By) -> int:
    """Writes every subscriber as CSV and returns how many."""
    author = need(by, Right.EXPORT_SUBSCRIBERS, "subscribers")
    number = transfer.export_csv(out)
    record(author, "export subscribers", "subscribers", rows=number)
    return number
