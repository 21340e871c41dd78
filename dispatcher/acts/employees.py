"""What administrators do about employees: add one, change roles, set a password, end an account."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.audience.addresses import AddressInvalid, normal_form
from dispatcher.staff.models import Employee
from dispatcher.staff.roles import Role


class EmployeeRefused(Exception):
    """``field`` (email, roles, password, name) is not right: the sentence says why and what to do."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def add(*, email: str, roles: Sequence[str], password: str, by: By, name: str = "") -> Employee:
    """A new employee who can sign in at once.

    Raises:
        NotAllowed: only administrators manage staff.
        EmployeeRefused: the address is no address or taken, a role does not exist, or the password is too easy.
    """
    author = need(by, Right.MANAGE_STAFF, "employees")
    employee = Employee(email=_checked_email(email), name=_checked_name(name), roles=_checked_roles(roles))
    employee.set_password(_checked_password(password, employee))
    try:
        with transaction.atomic():
            employee.save()
            record(author, "add employee", f"employee {employee.public_id}", roles=employee.roles)
    except IntegrityError:
        raise EmployeeRefused("email", "There is an employee with this address already.") from None
    return employee


def set_roles(employee: Employee, roles: Sequence[str], *, by: By) -> None:
    """From the employee's next page on these roles count, and no others.

    Raises: as ``add``.
    """
    author = need(by, Right.MANAGE_STAFF, f"employee {employee.public_id}")
    employee.roles = _checked_roles(roles)
    with transaction.atomic():
        employee.save(update_fields=["roles"])
        record(author, "set roles", f"employee {employee.public_id}", roles=employee.roles)


def set_password(employee: Employee, password: str, *, by: By) -> None:
    """A new password; whoever was signed in with the old one is signed out.

    Raises: as ``add``.
    """
    author = need(by, Right.MANAGE_STAFF, f"employee {employee.public_id}")
    employee.set_password(_checked_password(password, employee))
    with transaction.atomic():
        employee.save(update_fields=["password"])
        record(author, "set password", f"employee {employee.public_id}")


def end(employee: Employee, *, by: By) -> None:
    """The employee cannot sign in any more and is signed out. What they did keeps its author.

    Raises:
        NotAllowed: only administrators manage staff.
    """
    author = need(by, Right.MANAGE_STAFF, f"employee {employee.public_id}")
    employee.is_active = False
    with transaction.atomic():
        employee.save(update_fields=["is_active"])
        record(author, "end employee", f"employee {employee.public_id}")


def _checked_email(typed: str) -> str:
    try:
        return normal_form(typed)
    except AddressInvalid as wrong:
        raise EmployeeRefused("email", str(wrong)) from None


def _checked_name(typed: str) -> str:
    if len(typed) > 80:
        raise EmployeeRefused("name", f"The name is {len(typed)} characters long. Shorten it to 80.")
    return typed.strip()


def _checked_roles(roles: Sequence[str]) -> list[str]:
    known = [str(role) for role in Role]
    wrong = [role for role in roles if role not in known]
    if wrong or not roles:
        what = f"'{wrong[0]}' is not a role." if wrong else "There is no role."
        raise EmployeeRefused("roles", f"{what} Choose one or more of: {', '.join(known)}.")
    return [role for role in known if role in roles]


def _checked_password(typed: str, employee: Employee) -> str:
    try:
        validate_password(typed, employee)
    except ValidationError as wrong:
        raise EmployeeRefused("password", " ".join(wrong.messages)) from None
    return typed
