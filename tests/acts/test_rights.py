"""Who may do what: every act by every role, four eyes, and what a refusal leaves behind."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from dispatcher.acts import employees, outlets, rights
from dispatcher.acts.approve import approve
from dispatcher.acts.correct import NotOutYet, correct
from dispatcher.acts.models import AuditEntry
from dispatcher.acts.rights import RIGHTS, FourEyes, NotAllowed, Right
from dispatcher.acts.stop import stop
from dispatcher.acts.submit import submit
from dispatcher.acts.transfer import export_subscribers, import_subscribers
from dispatcher.acts.withdraw import withdraw
from dispatcher.announcements.models import Announcement, State
from dispatcher.dispatching.models import Dispatch, Outlet
from dispatcher.staff.roles import Actor, Role
from tests.support.logged import log_events
from tests.support.residents import every_row
from tests.support.scene import source
from tests.support.signed_in import PASSWORD, actor

pytestmark = pytest.mark.django_db


def _waiting(**more: Any) -> Announcement:
    return submit(source(**more), by="someone else")[0]


def _outlet() -> Outlet:
    return Outlet.objects.create(name="email", label="E-mail", channel="email", settings="")


ACTS: dict[Right, Callable[[Actor], object]] = {
    Right.SUBMIT: lambda by: submit(source(), by=by),
    Right.APPROVE: lambda by: approve(_waiting(), by=by),
    Right.APPROVE_EMERGENCY: lambda by: approve(_waiting(kind="emergency"), by=by),
    Right.STOP: lambda by: stop(approve(_waiting(), by="someone else", grace=60), by=by),
    Right.CORRECT: lambda by: correct(_waiting(), source("tweede"), by=by),
    Right.WITHDRAW: lambda by: withdraw(approve(_waiting(), by="x").announcement, by=by, reason={}),  # type: ignore[arg-type]
    Right.PAUSE: lambda by: outlets.pause(_outlet(), by=by),
    Right.RESUME: lambda by: outlets.resume(_outlet(), by=by),
    Right.TRY_AGAIN: lambda by: outlets.try_again(_outlet(), by=by),
    Right.SETTLE: lambda by: outlets.settle_unknown(_outlet(), by=by, how="resend"),
    Right.MANAGE_STAFF: lambda by: employees.add(
        email="new@practice.invalid", roles=["writer"], password=PASSWORD, by=by
    ),
    Right.IMPORT_SUBSCRIBERS: lambda by: import_subscribers(
        io.BytesIO(b"address,channel,group,language,district,topics\n"), consent_source="A form", by=by
    ),
    Right.EXPORT_SUBSCRIBERS: lambda by: export_subscribers(io.StringIO(), by=by),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("right", ACTS)
def test_a26_an_act_asks_the_table(right: Right, role: Role) -> None:
    by = actor(role)
    if role in RIGHTS[right]:
        try:
            ACTS[right](by)
        except NotOutYet:
            assert right is Right.CORRECT, "past the question who may"
        return
    with log_events() as lines, pytest.raises(NotAllowed) as refused:
        ACTS[right](by)
    assert refused.value.roles == sorted(RIGHTS[right])
    assert all(str(known) in str(refused.value) for known in RIGHTS[right])
    entry = AuditEntry.objects.get(act="refused")
    assert (entry.actor, entry.details["right"]) == (by.name, str(right))
    told = next(line for line in lines if line["event"] == "permission.refused")
    assert (told["actor"], told["right"], told["subject"]) == (by.name, str(right), entry.subject)


def test_every_right_has_someone() -> None:
    assert set(RIGHTS) == set(Right)
    assert all(RIGHTS.values())


def test_whoever_sits_at_the_machine_may_do_everything() -> None:
    assert all(rights.may("cli:beheer", right) for right in Right)


def test_nobody_without_a_role_may_do_anything() -> None:
    assert not any(rights.may(actor(), right) for right in Right)


def test_a_refusal_changes_nothing_else() -> None:
    waiting, by = _waiting(), actor(Role.WRITER)
    before = every_row()
    with pytest.raises(NotAllowed):
        approve(waiting, by=by)
    after = every_row()
    assert len(after.pop("acts.AuditEntry")) == len(before.pop("acts.AuditEntry")) + 1
    assert after == before


def test_a26_nobody_approves_what_they_wrote() -> None:
    by = actor(Role.ADVISER, Role.WRITER)
    announcement, _ = submit(source(), by=by)
    with pytest.raises(FourEyes) as refused:
        approve(announcement, by=by)
    assert "Someone else who is adviser" in str(refused.value)
    assert not Dispatch.objects.exists()
    announcement.refresh_from_db()
    assert announcement.state == State.IN_REVIEW
    assert AuditEntry.objects.get(act="refused").details["why"] == "FourEyes"
    approve(announcement, by=actor(Role.ADVISER))


def test_a_duty_officer_sends_an_emergency_alone_and_the_audit_says_so() -> None:
    by = actor(Role.DUTY_OFFICER)
    announcement, _ = submit(source(kind="emergency"), by=by)
    approve(announcement, by=by)
    assert AuditEntry.objects.get(act="approve").details["alone"] is True
    other, _ = submit(source("andere", kind="emergency"), by=actor(Role.WRITER))
    approve(other, by=by)
    assert "alone" not in AuditEntry.objects.filter(act="approve").latest("pk").details


def test_an_adviser_does_not_send_an_emergency_alone() -> None:
    by = actor(Role.ADVISER)
    announcement, _ = submit(source(kind="emergency"), by=by)
    with pytest.raises(FourEyes) as refused:
        approve(announcement, by=by)
    assert "adviser or duty-officer" in str(refused.value)
