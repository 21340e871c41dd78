"""Small helps for the ledger's SQL."""

from __future__ import annotations

from typing import Any

from django.db.backends.utils import CursorWrapper


def rows_as_dicts(cursor: CursorWrapper) -> list[dict[str, Any]]:
    """The rows of the last query, each as a dictionary by column name."""
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
