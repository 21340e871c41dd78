"""Who works here: employees with the roles they have, and what was tried at the door."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from dispatcher.staff.roles import Actor, Role


def new_public_id() -> str:
    """A random id of 128 bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


class Employees(BaseUserManager["Employee"]):
    """Finds employees by e-mail address, however it is typed."""

    def get_by_natural_key(self, username: str | None) -> Employee:
        """The employee who signs in with ``username``; Django's authentication asks this.

        Raises:
            Employee.DoesNotExist: nobody does.
        """
        return self.get(email=normal_email(username or ""))


class Employee(AbstractBaseUser):
    """Someone who signs in. ``roles`` lists values of ``Role``; ``name`` may be empty, then the roles are the name.

    Whoever has left stays as a row that cannot sign in (``is_active``), so that what they did keeps its author.
    """

    public_id = models.CharField(max_length=32, unique=True, default=new_public_id)
    email = models.CharField(max_length=254, unique=True)
    name = models.CharField(max_length=80, default="")
    roles = models.JSONField(default=list)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Employees] = Employees()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        return self.public_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Stores the row, with the address in the one form in which it is looked up."""
        self.email = normal_email(self.email)
        super().save(*args, **kwargs)

    @property
    def actor(self) -> Actor:
        """This employee as one who does something, with the roles of this moment."""
        return Actor.of(self.public_id, self.roles)

    @classmethod
    def in_practice(cls, role: Role) -> Employee:
        """The example employee of the practice town with ``role``, made where there is none. Has no password."""
        employee, new = cls.objects.get_or_create(email=f"{role}@practice.invalid", defaults={"roles": [str(role)]})
        if new:
            employee.set_unusable_password()
            employee.save(update_fields=["password"])
        return employee


class RefusedSignIn(models.Model):
    """How many refusals one door saw in the window that began at ``since``. ``door``: an account or a network."""

    door = models.CharField(max_length=80)
    since = models.DateTimeField()
    refused = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["door", "since"], name="one_count_per_door_and_window")]

    def __str__(self) -> str:
        return f"{self.refused} at {self.door}"


def normal_email(typed: str) -> str:
    """An e-mail address as it is stored: without space around it, in small letters."""
    return typed.strip().lower()
