"""STARTTLS, TLS from the start, and logging in, with Python's own client."""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.practice import Practice
from tests.support.raw_smtp import RawSmtp, message

SENDER = "berichten@practice.invalid"
RESIDENT = "resident-0001@practice.invalid"


@pytest.fixture(scope="module")
def _secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    folder = tmp_path_factory.mktemp("secure")
    with Practice(folder, "--tls", "starttls", "--auth", "omroeper:geheim:woord") as practice:
        yield practice


@pytest.fixture
def secure(_secure: Practice) -> Iterator[Practice]:
    _secure.clear()
    yield _secure


def trusting(practice: Practice) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=practice.said["certificate"])


def test_a_client_that_trusts_the_certificate_secures_the_line_and_logs_in(secure: Practice, key: str) -> None:
    with smtplib.SMTP("localhost", secure.smtp_port) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        client.starttls(context=trusting(secure))
        client.ehlo()
        assert not client.has_extn("starttls")
        client.login("omroeper", "geheim:woord")
        client.sendmail(SENDER, [RESIDENT], message(key))

    assert secure.record.has(key)


@pytest.mark.parametrize("mechanism", ["plain", "login"])
@pytest.mark.parametrize("at_once", [True, False])
def test_both_ways_of_logging_in_work(secure: Practice, mechanism: str, at_once: bool) -> None:
    with smtplib.SMTP("localhost", secure.smtp_port) as client:
        client.starttls(context=trusting(secure))
        client.ehlo()
        client.user, client.password = "omroeper", "geheim:woord"
        answer = client.auth(mechanism, getattr(client, f"auth_{mechanism}"), initial_response_ok=at_once)

    assert answer[0] == 235


def test_a_wrong_password_opens_nothing(secure: Practice) -> None:
    with smtplib.SMTP("localhost", secure.smtp_port) as client:
        client.starttls(context=trusting(secure))
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            client.login("omroeper", "verkeerd")
        with pytest.raises(smtplib.SMTPSenderRefused) as rejected:
            client.sendmail(SENDER, [RESIDENT], message("never"))

    assert (refused.value.smtp_code, rejected.value.smtp_code) == (535, 530)


def test_nobody_logs_in_or_sends_in_the_clear(secure: Practice) -> None:
    with RawSmtp(secure.smtp_port) as client:
        word = base64.b64encode(b"\0omroeper\0geheim:woord").decode()
        assert client.ask(f"AUTH PLAIN {word}").startswith(b"538 5.7.11")
        assert client.ask(f"MAIL FROM:<{SENDER}>").startswith(b"530 5.7.0")


def test_a_client_that_does_not_know_the_certificate_stays_away(secure: Practice, key: str) -> None:
    with smtplib.SMTP("localhost", secure.smtp_port) as client, pytest.raises(ssl.SSLCertVerificationError):
        client.starttls(context=ssl.create_default_context())

    with RawSmtp(secure.smtp_port) as other:
        assert other.ask("NOOP").startswith(b"250")


def test_what_was_said_before_the_line_was_secure_does_not_count_afterwards(secure: Practice, key: str) -> None:
    with RawSmtp(secure.smtp_port) as client:
        client.say(b"STARTTLS\r\nMAIL FROM:<injected@b.invalid>\r\n")
        assert client.reply().startswith(b"220")
        secured = trusting(secure).wrap_socket(client.socket, server_hostname="localhost")
        secured.sendall(b"EHLO x\r\nRCPT TO:<a@b.invalid>\r\nQUIT\r\n")
        heard = b""
        while data := secured.recv(4096):
            heard += data

    assert heard.startswith(b"250-practice.invalid")
    assert b"503 5.5.1 Say MAIL FROM first" in heard
    assert b"250 2.1.0" not in heard


def test_starttls_can_be_withdrawn(secure: Practice) -> None:
    secure.switch("no-starttls")

    with RawSmtp(secure.smtp_port) as client:
        assert b"STARTTLS" not in client.ask("EHLO x")
        assert client.ask("STARTTLS").startswith(b"502")


def test_a_secured_line_meets_faults_too(secure: Practice, key: str) -> None:
    secure.switch("cut-taken")

    with smtplib.SMTP("localhost", secure.smtp_port) as client:
        client.starttls(context=trusting(secure))
        client.login("omroeper", "geheim:woord")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.sendmail(SENDER, [RESIDENT], message(key))

    assert secure.record.has(key)


def test_tls_can_be_there_from_the_start(tmp_path: Path, key: str) -> None:
    with Practice(tmp_path, "--tls", "implicit") as practice:
        with smtplib.SMTP_SSL("localhost", practice.smtp_port, context=trusting(practice)) as client:
            client.sendmail(SENDER, [RESIDENT], message(key))
        assert practice.record.has(key)
    assert (tmp_path / "mail" / "key.pem").stat().st_mode & 0o077 == 0
