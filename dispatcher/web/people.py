"""What pages call whoever did something: the ledger and the audit know employees by their public ids."""

from __future__ import annotations

from dispatcher.staff.models import Employee
from dispatcher.staff.roles import AS_AUTHOR


def person(author: str) -> Employee | str:
    """The employee that ``author`` names, where there still is one; else the name itself (``cli:…``)."""
    if not author.startswith(AS_AUTHOR):
        return author
    return Employee.objects.filter(public_id=author.removeprefix(AS_AUTHOR)).first() or ""
