"""Practice and production never share a data set: what belongs to the example town is not sent from production.

A check of Django's that ``migrate`` runs before anything else, so before every start, embedded or in containers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

PRACTICE_DOMAIN = "practice.invalid"

REMEDY = (
    "Run 'omroeper setup': it starts production on an empty data set and leaves the practice town where it is. "
    "With DATABASE_URL, name another, empty database."
)
# What only the practice town has, in tables that older installations have too.
_TRACES = (
    ("audience_address", f"SELECT count(*) FROM audience_address WHERE value LIKE '%%@{PRACTICE_DOMAIN}'", "addresses"),
    ("staff_employee", f"SELECT count(*) FROM staff_employee WHERE email LIKE '%%@{PRACTICE_DOMAIN}'", "employees"),
    ("town_town", "SELECT count(*) FROM town_town WHERE practice", "mark"),
)


def practice_left(alias: str = "default") -> dict[str, int]:
    """What of the practice town is in the database: how many ``addresses``, ``employees``, and its ``mark``."""
    connection = connections[alias]
    found = {}
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        for table, statement, name in _TRACES:
            if table in there:
                cursor.execute(statement, [])
                if count := int(cursor.fetchone()[0]):
                    found[name] = count
    return found


@register(Tags.database)
def check_data_set(
    app_configs: Sequence[AppConfig] | None = None,  # noqa: ARG001 - Django's signature
    databases: Sequence[str] | None = None,
    **_: Any,
) -> list[CheckMessage]:
    """An error where production stands on the practice town's data set."""
    if settings.PRACTICE or not databases:
        return []
    found = practice_left()
    if not found:
        return []
    what = ", ".join(f"{count} {name}" for name, count in found.items())
    return [Error(f"This data set is the practice town's ({what}).", hint=REMEDY, id="omroeper.E001")]
