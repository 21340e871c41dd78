"""Employees for tests, and browsers in which one is signed in."""

from __future__ import annotations

import time

from django.test import Client

from dispatcher.console import signed_in
from dispatcher.staff.models import Employee
from dispatcher.staff.roles import Actor, Role

PASSWORD = "vier-oude-fietsen-op-zolder"


def employee(*roles: Role, email: str = "", name: str = "", password: str | None = None) -> Employee:
    """Somebody with these roles; without a password, as hashing one takes a third of a second."""
    number = Employee.objects.count()
    made = Employee(
        email=email or f"employee-{number}@practice.invalid", name=name, roles=[str(role) for role in roles]
    )
    if password:
        made.set_password(password)
    else:
        made.set_unusable_password()
    made.save()
    return made


def actor(*roles: Role) -> Actor:
    """Somebody with these roles, as acts take them."""
    return employee(*roles).actor


def client_of(*roles: Role, strict: bool = False) -> Client:
    """A browser with somebody of these roles signed in. ``strict``: form tokens are checked, as outside tests."""
    return enter(Client(enforce_csrf_checks=strict), employee(*roles))


def enter(client: Client, person: Employee) -> Client:
    """Signs ``person`` in, without going by the sign-in page."""
    client.force_login(person, backend=signed_in.BACKEND)
    session = client.session
    session[signed_in.BEGAN] = session[signed_in.SEEN] = int(time.time())
    session.save()
    return client
