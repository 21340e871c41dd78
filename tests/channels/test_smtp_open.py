"""Opening a connection: TLS, log-in, and the ways in which a server, or someone before it, is not to be trusted."""

from __future__ import annotations

import asyncio
import base64
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from channels.contract import Level
from tests.support.mailing import Mailing, channel_to, mail, people
from tests.support.smtp_far import (
    EXTENSIONS,
    SECURE_EXTENSIONS,
    TRICKLE,
    Script,
    SmtpFarSide,
    as_usual,
    at,
    far_side,
)
from tests.support.tls import authority, server_context

PASSWORD = "kanarie-wachtwoord"


def secure_run(
    folder: Path,
    script: Script = as_usual,
    *,
    tls: ssl.SSLContext | None = None,
    extensions: tuple[str, ...] = SECURE_EXTENSIONS,
    implicit: bool = False,
    **settings: object,
) -> tuple[Mailing, SmtpFarSide]:
    """A mailing to three people over TLS with a log-in."""
    ca_file, usual = authority(folder)

    async def run() -> tuple[Mailing, SmtpFarSide]:
        async with far_side(script, extensions=extensions, tls=tls or usual, implicit=implicit) as far:
            values = {
                **{"host": "localhost", "security": "tls" if implicit else "starttls", "ca_file": ca_file},
                **{"username": "omroeper", "password": PASSWORD, "connections": 2},
                **settings,
            }
            async with channel_to(far, **values) as channel:
                return await mail(channel, people(3)), far

    return asyncio.run(run())


def assert_nothing_sent(mailing: Mailing, far: SmtpFarSide, *, needs_person: bool = False) -> None:
    assert mailing.down is not None
    assert mailing.down.needs_person == needs_person
    assert set(mailing.outcomes()) == {"deferred"}
    assert not [line for s in far.sessions for line in s.said if line.startswith(("MAIL", "RCPT", "DATA"))]
    assert PASSWORD not in repr(mailing)


@pytest.mark.parametrize("implicit", [False, True])
def test_mail_goes_over_tls_after_a_log_in(implicit: bool, tmp_path: Path) -> None:
    mailing, far = secure_run(tmp_path, implicit=implicit)
    assert mailing.outcomes() == ["accepted"] * 3
    assert all(session.secure for session in far.sessions if session.messages)
    said = far.sessions[0].said
    expected = "EHLO AUTH MAIL" if implicit else "EHLO STARTTLS EHLO AUTH MAIL"
    assert " ".join(line.split()[0] for line in said).startswith(expected)
    plain = next(line for line in said if line.startswith("AUTH")).split()[2]
    assert base64.b64decode(plain) == f"\0omroeper\0{PASSWORD}".encode()


def test_auth_login_where_plain_is_not_offered(tmp_path: Path) -> None:
    mailing, far = secure_run(tmp_path, extensions=(*EXTENSIONS, "STARTTLS", "AUTH LOGIN CRAM-MD5"))
    assert mailing.outcomes() == ["accepted"] * 3
    said = far.sessions[0].said
    start = said.index("AUTH LOGIN")
    assert [base64.b64decode(line).decode() for line in said[start + 1 : start + 3]] == ["omroeper", PASSWORD]


def test_no_way_to_log_in_needs_a_person(tmp_path: Path) -> None:
    mailing, far = secure_run(tmp_path, extensions=(*EXTENSIONS, "STARTTLS", "AUTH CRAM-MD5"))
    assert_nothing_sent(mailing, far, needs_person=True)


def test_a_wrong_password_is_tried_once_and_needs_a_person(tmp_path: Path) -> None:
    echo = base64.b64encode(f"\0omroeper\0{PASSWORD}".encode()).decode()
    script = at("AUTH", f"535 5.7.8 wrong: {PASSWORD} {echo}")
    mailing, far = secure_run(tmp_path, script, connections=8)
    assert_nothing_sent(mailing, far, needs_person=True)
    assert far.connections == 1, "eight tries at once would lock the account"
    assert mailing.down is not None
    assert "***" in mailing.down.reason
    assert echo not in mailing.down.reason


def test_a_log_in_that_cannot_be_checked_just_now_needs_nobody(tmp_path: Path) -> None:
    mailing, far = secure_run(tmp_path, at("AUTH", "454 4.7.0 try later"))
    assert_nothing_sent(mailing, far)


def test_f27_starttls_that_is_not_offered_stops_everything(tmp_path: Path) -> None:
    mailing, far = secure_run(tmp_path, extensions=(*EXTENSIONS, "AUTH PLAIN"))
    assert_nothing_sent(mailing, far)
    assert "STARTTLS" in (mailing.down.reason if mailing.down else "")
    assert not [line for s in far.sessions for line in s.said if line.startswith("AUTH")]


def test_starttls_that_is_refused_stops_everything(tmp_path: Path) -> None:
    mailing, far = secure_run(tmp_path, at("STARTTLS", "454 4.7.0 not available"))
    assert_nothing_sent(mailing, far)


@pytest.mark.parametrize("injected", ["250-injected\r\n250 AUTH LOGIN", "250-AUTH LOGIN", "250-x\r\n250-AUTH LOGIN"])
def test_f27_clear_text_injected_before_the_handshake_is_dropped_and_the_connection_with_it(
    injected: str, tmp_path: Path
) -> None:
    """CVE-2011-0411: whatever stands behind the 220 was not said by the server we are about to trust."""
    mailing, far = secure_run(tmp_path, at("STARTTLS", f"220 2.0.0 ready\r\n{injected}"))
    assert_nothing_sent(mailing, far)
    assert not [line for s in far.sessions for line in s.said if line.startswith("AUTH")]


def test_f27_a_certificate_for_another_name_is_refused(tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "other.pem")
    tls = server_context(ca.issue_cert("other.example"))
    mailing, far = secure_run(tmp_path, tls=tls, ca_file=str(tmp_path / "other.pem"))
    assert_nothing_sent(mailing, far)
    assert "localhost" in (mailing.down.reason if mailing.down else "")


def test_f27_a_certificate_that_has_expired_is_refused_and_said_so(tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "own.pem")
    old = datetime.now(UTC) - timedelta(days=1)
    tls = server_context(ca.issue_cert("localhost", not_after=old))
    for implicit in (False, True):
        mailing, far = secure_run(tmp_path, tls=tls, ca_file=str(tmp_path / "own.pem"), implicit=implicit)
        assert_nothing_sent(mailing, far)
        assert "expired" in (mailing.down.reason if mailing.down else "")


def test_f27_an_unknown_issuer_is_refused(tmp_path: Path) -> None:
    mailing, far = secure_run(tmp_path, ca_file="")
    assert_nothing_sent(mailing, far)


def test_tls_to_a_port_without_it_fails_within_the_limit(tmp_path: Path) -> None:
    ca_file, _ = authority(tmp_path)

    async def run() -> None:
        async with far_side() as far:
            channel = channel_to(far, host="localhost", security="tls", ca_file=ca_file, opening_seconds=5)
            async with channel:
                mailing = await mail(channel, people(1))
                assert_nothing_sent(mailing, far)

    asyncio.run(run())


@pytest.mark.parametrize("moment", ["connect", "EHLO", "STARTTLS", "AUTH"])
def test_a_trickle_while_opening_meets_the_overall_limit(moment: str, tmp_path: Path) -> None:
    mailing, far = secure_run(tmp_path, at(moment, TRICKLE), opening_seconds=0.6)
    assert_nothing_sent(mailing, far)
    assert "within 0.6 s" in (mailing.down.reason if mailing.down else "")


def test_a_server_from_before_ehlo_is_spoken_to_as_such() -> None:
    async def run() -> None:
        script = at("EHLO", "502 5.5.1 what is that")
        async with far_side(script) as far, channel_to(far, connections=1, hello="omroeper.losser.example") as channel:
            assert (await mail(channel, people(3))).outcomes() == ["accepted"] * 3
            assert far.sessions[0].said[:2] == ["EHLO omroeper.losser.example", "HELO omroeper.losser.example"]

    asyncio.run(run())


def test_check_tells_what_the_server_offers_and_sends_nothing(tmp_path: Path) -> None:
    ca_file, tls = authority(tmp_path)

    async def run() -> None:
        async with far_side(extensions=SECURE_EXTENSIONS, tls=tls) as far:
            settings = {"host": "localhost", "security": "starttls", "ca_file": ca_file}
            async with channel_to(far, **settings, username="omroeper", password=PASSWORD) as channel:
                findings = await channel.check()
            assert {f.level for f in findings} == {Level.FINE}
            told = " ".join(f.what for f in findings)
            assert "PIPELINING" in told
            assert "10240000" in told
            said = [line.split()[0] for line in far.sessions[0].said]
            assert " ".join(said) == "EHLO STARTTLS EHLO AUTH NOOP QUIT"
        async with far_side(extensions=()) as far, channel_to(far) as channel:
            warnings = [f for f in await channel.check() if f.level is Level.WARNING]
            assert ["PIPELINING" in w.what for w in warnings] == [True, False, False]
            assert any("clear text" in w.what for w in warnings)
        async with far_side(at("connect", "554 5.7.1 go away")) as far, channel_to(far) as channel:
            (finding,) = await channel.check()
            assert finding.level is Level.FAULT
            assert "go away" in finding.what
            assert finding.remedy

    asyncio.run(run())
