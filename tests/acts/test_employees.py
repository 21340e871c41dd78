"""Accounts of employees: what is refused, and what counts at once."""

from __future__ import annotations

import pytest
from django.test import Client

from dispatcher.acts import employees
from dispatcher.acts.employees import EmployeeRefused
from dispatcher.acts.models import AuditEntry
from dispatcher.staff.models import Employee
from dispatcher.staff.roles import Role
from tests.support.signed_in import PASSWORD, actor, enter

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("email", {"email": "geen adres"}),
        ("email", {"email": "THERE@practice.invalid"}),
        ("roles", {"roles": ["king"]}),
        ("roles", {"roles": []}),
        ("password", {"password": "kort"}),
        ("password", {"password": "password1234"}),
        ("password", {"email": "hoofdstraat-losser@practice.invalid", "password": "hoofdstraat-losser"}),
        ("name", {"name": "x" * 81}),
    ],
)
def test_what_is_not_right_is_refused_with_its_field(field: str, values: dict[str, object]) -> None:
    employees.add(email="there@practice.invalid", roles=["writer"], password=PASSWORD, by="cli:test")
    whole: dict[str, object] = {"email": "new@practice.invalid", "roles": ["writer"], "password": PASSWORD}
    with pytest.raises(EmployeeRefused) as refused:
        employees.add(**{**whole, **values}, by="cli:test")  # type: ignore[arg-type]
    assert refused.value.field == field
    assert Employee.objects.count() == 1


def test_a_new_password_and_an_ended_account_sign_out_at_once_and_the_audit_has_no_secret() -> None:
    person = employees.add(
        email="a@practice.invalid", roles=["writer"], password=PASSWORD, by=actor(Role.ADMINISTRATOR)
    )
    client = enter(Client(), person)
    assert client.get("/console/").status_code == 200
    employees.set_password(person, f"{PASSWORD}-nieuw", by="cli:test")
    assert client.get("/console/").status_code == 303
    enter(client, person)
    employees.set_roles(person, ["administrator"], by="cli:test")
    assert client.get("/console/write/").status_code == 403
    employees.end(person, by="cli:test")
    assert client.get("/console/").status_code == 303
    told = str(list(AuditEntry.objects.values()))
    assert PASSWORD not in told
    assert "a@practice.invalid" not in told
