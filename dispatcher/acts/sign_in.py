"""Sign in and out: who stands at the door, and whether they may try."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest

from dispatcher.acts.audit import record
from dispatcher.staff import door
from dispatcher.staff.models import Employee
from dispatcher.staff.roles import Role

log = structlog.get_logger("omroeper.acts")


class TooManyTries(Exception):
    """Too many wrong passwords for this account or from this network: nobody may try for ``wait`` seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"Too many wrong passwords. Try again in {wait} seconds.")
        self.wait = wait


def sign_in(request: HttpRequest, *, email: str, password: str, network: str) -> Employee | None:
    """The employee with that address and password; None for every other pair, whatever is wrong with it.

    Takes as long for an unknown address as for a wrong password.

    Raises:
        TooManyTries: before the password is looked at.
    """
    wait = door.seconds_to_wait(email, network)
    if wait:
        log.info("sign-in.limited", network=network)
        raise TooManyTries(wait)
    employee = authenticate(request, username=email, password=password)
    if not isinstance(employee, Employee):
        door.count(email, network)
        log.info("sign-in.refused", network=network)
        return None
    record(employee.actor.name, "sign in", f"employee {employee.public_id}")
    return employee


def sign_in_for_practice(role: Role) -> Employee:
    """The example employee with ``role``, without a password. In the practice town only.

    Raises:
        RuntimeError: this is not the practice town.
    """
    if not settings.PRACTICE:
        raise RuntimeError("only the practice town lets people in without a password")
    employee = Employee.in_practice(role)
    record(employee.actor.name, "sign in", f"employee {employee.public_id}", practice=True)
    return employee


def sign_out(employee: Employee) -> None:
    """Writes down that the employee left."""
    record(employee.actor.name, "sign out", f"employee {employee.public_id}")
