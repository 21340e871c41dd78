"""``staff``: who may sign in, and as what."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dispatcher.cli.announcing import actor
from dispatcher.cli.installation import attach, known_failures
from dispatcher.cli.output import AsJson, give_up, say, show, table

if TYPE_CHECKING:
    from dispatcher.staff.models import Employee

app = typer.Typer(help="Employees who sign in, and their roles.", no_args_is_help=True, rich_markup_mode="rich")
Email = Annotated[str, typer.Argument(help="The address with which they sign in.")]
Roles = Annotated[
    list[str], typer.Option("--role", help="writer, adviser, duty-officer or administrator; repeat for more.")
]


@app.command("list", epilog="Example: omroeper staff list")
def list_staff(as_json: AsJson = False) -> None:
    """Show everyone who can sign in, and who no longer can."""
    attach()
    from dispatcher.staff.models import Employee

    rows = [
        {
            "email": employee.email,
            "name": employee.name,
            "roles": employee.roles,
            "active": employee.is_active,
            "last_signed_in": employee.last_login,
        }
        for employee in Employee.objects.order_by("email")
    ]
    if as_json:
        show(rows)
        return
    table(
        "Employees",
        ["e-mail", "name", "roles", "can sign in", "last signed in"],
        [
            [r["email"], r["name"], ", ".join(r["roles"]), "yes" if r["active"] else "no", _moment(r["last_signed_in"])]
            for r in rows
        ],
        empty="There are no employees yet. Add one: omroeper staff add you@example.org --role administrator",
    )


@app.command(epilog='Example: omroeper staff add anna@example.org --name "Anna" --role writer')
def add(
    email: Email,
    role: Roles,
    name: Annotated[str, typer.Option(help="How pages call them; without a name by their role.")] = "",
    as_json: AsJson = False,
) -> None:
    """Add an employee. Asks for a password, or reads one line of standard input."""
    attach()
    from dispatcher.acts.employees import EmployeeRefused
    from dispatcher.acts.employees import add as employ

    try:
        with known_failures():
            employee = employ(email=email, name=name, roles=role, password=_password(), by=actor())
    except EmployeeRefused as wrong:
        give_up(f"{wrong.field}: {wrong}", code=2)
    _done(employee, f"{employee.email} can sign in as {', '.join(employee.roles)}.", as_json=as_json)


@app.command(epilog="Example: omroeper staff roles anna@example.org --role writer --role adviser")
def roles(email: Email, role: Roles, as_json: AsJson = False) -> None:
    """Give an employee these roles, and no others. It counts from their next page on."""
    employee = _find(email)
    from dispatcher.acts.employees import EmployeeRefused, set_roles

    try:
        with known_failures():
            set_roles(employee, role, by=actor())
    except EmployeeRefused as wrong:
        give_up(f"{wrong.field}: {wrong}", code=2)
    _done(employee, f"{employee.email} is now {', '.join(employee.roles)}.", as_json=as_json)


@app.command(epilog="Example: omroeper staff password anna@example.org")
def password(email: Email, as_json: AsJson = False) -> None:
    """Set a new password and sign them out everywhere. Asks for it, or reads one line of standard input."""
    employee = _find(email)
    from dispatcher.acts.employees import EmployeeRefused, set_password

    try:
        with known_failures():
            set_password(employee, _password(), by=actor())
    except EmployeeRefused as wrong:
        give_up(f"{wrong.field}: {wrong}", code=2)
    _done(employee, f"{employee.email} has a new password.", as_json=as_json)


@app.command(epilog="Example: omroeper staff end anna@example.org")
def end(email: Email, as_json: AsJson = False) -> None:
    """End an account: they cannot sign in any more. What they did keeps their name."""
    employee = _find(email)
    from dispatcher.acts.employees import end as end_account

    with known_failures():
        end_account(employee, by=actor())
    _done(employee, f"{employee.email} cannot sign in any more.", as_json=as_json)


def _password() -> str:
    """Never an argument: those stand in the shell's history and in the list of processes."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password (12 characters or more)", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


def _find(email: str) -> Employee:
    attach()
    from dispatcher.staff.models import Employee

    try:
        return Employee.objects.get_by_natural_key(email)
    except Employee.DoesNotExist:
        give_up(f"There is no employee '{email}'. 'omroeper staff list' shows them.", code=2)


def _moment(when: object) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else "never"


def _done(employee: Employee, sentence: str, *, as_json: bool) -> None:
    say(sentence, as_json=as_json)
    if as_json:
        show({"email": employee.email, "roles": employee.roles, "active": employee.is_active})
