"""F27: the mail server's name or certificate is wrong: nothing leaves, nothing is lost, and mending it lets all go.

Names are asked of the machine's resolver; here it gives the answers that a broken name server makes it give.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from dispatcher.acts import outlets
from dispatcher.dispatching.models import Outlet
from dispatcher.dispatching.secretbox import seal
from tests.support.practice import Practice
from tests.support.scene import Scene, check_counters, later, states

NAME = "mail.town.example"
Answer = Callable[[], str]


class Resolver:
    """The machine's resolver, with an answer of ours for one name. ``asked`` is how often that name was looked up."""

    def __init__(self) -> None:
        self.answer: Answer = lambda: "127.0.0.1"
        self.asked = 0
        self._real = socket.getaddrinfo

    def __call__(self, host: Any, *rest: Any, **more: Any) -> Any:
        if host != NAME:
            return self._real(host, *rest, **more)
        self.asked += 1
        return self._real(self.answer(), *rest, **more)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    return made


@pytest.fixture
def named(scene: Scene, settings: Settings) -> Outlet:
    """A mail outlet whose server is known by name."""
    settings.EGRESS_EXCEPTIONS = [*settings.EGRESS_EXCEPTIONS, (NAME, scene.practice.smtp_port)]
    return scene.email(values={"host": NAME, "opening_seconds": 0.5})


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[Practice]:
    with Practice(tmp_path / "secure", "--tls", "starttls") as practice:
        yield practice


def fails(code: int) -> Answer:
    def answer() -> str:
        raise socket.gaierror(code, socket.gaierror(code).strerror or f"resolver says {code}")

    return answer


def test_f27_a_name_that_gives_no_address_stops_the_outlet_until_it_does(
    scene: Scene, named: Outlet, resolver: Resolver
) -> None:
    scene.people(3)
    dispatch = scene.planned()
    silent = threading.Event()
    answers: dict[str, Answer] = {
        "NXDOMAIN": fails(socket.EAI_NONAME),
        "SERVFAIL": fails(socket.EAI_AGAIN),
        "no answer": lambda: str(silent.wait(30)),
    }
    try:
        for what, answer in answers.items():
            resolver.answer = answer
            scene.work()
            named.refresh_from_db()
            assert named.circuit == "open", what
            assert not named.needs_person, f"{what}: it may mend itself"
            assert NAME in named.circuit_reason, named.circuit_reason
            assert states(dispatch) == {"due": 3}, what
            check_counters()
            later(3600)
    finally:
        silent.set()
    resolver.answer = lambda: "127.0.0.1"
    scene.work()
    assert states(dispatch) == {"accepted": 3}
    assert set(scene.received().values()) == {1}


def test_f27_an_address_that_changes_halfway_is_followed_by_new_connections_only(
    scene: Scene, named: Outlet, resolver: Resolver
) -> None:
    people = scene.people(6)
    scene.practice.switch({"kind": "answer", "moment": "mail", "code": 421, "close": True, "after": 3, "times": 1})
    moved = iter(["127.0.0.1", *["127.0.0.9"] * 20])
    resolver.answer = lambda: next(moved)
    Outlet.objects.filter(pk=named.pk).update(
        settings=seal(
            {"host": NAME, "port": scene.practice.smtp_port, "security": "none", "connections": 1}
            | {"sender": "berichten@practice.invalid"}
        )
    )
    dispatch = scene.planned()
    scene.work()
    assert states(dispatch) == {"accepted": 3, "due": 3}, "what was open went on; the new address is dead"
    check_counters()
    resolver.answer = lambda: "127.0.0.1"
    later(3600)
    scene.work()
    assert states(dispatch) == {"accepted": 6}
    assert scene.received() == dict.fromkeys((person.value for person in people), 1)


def test_f27_a_certificate_of_an_unknown_issuer_lets_nothing_out(
    scene: Scene, secure: Practice, settings: Settings
) -> None:
    settings.EGRESS_EXCEPTIONS = [*settings.EGRESS_EXCEPTIONS, ("localhost", secure.smtp_port)]
    values = {"host": "localhost", "port": secure.smtp_port, "security": "starttls", "sender": "a@practice.invalid"}
    mail = scene.email(values=values)
    scene.people(3)
    dispatch = scene.planned()
    scene.work()
    mail.refresh_from_db()
    assert mail.circuit == "open"
    assert "certificate" in mail.circuit_reason
    assert states(dispatch) == {"due": 3}
    assert secure.record.count() == 0
    Outlet.objects.filter(pk=mail.pk).update(settings=seal({**values, "ca_file": secure.said["certificate"]}))
    outlets.resume(mail, by="admin")
    later(60)
    scene.work()
    assert states(dispatch) == {"accepted": 3}
    assert secure.record.count() == 3


def test_f27_starttls_that_is_withdrawn_lets_nothing_out_in_the_clear(
    scene: Scene, secure: Practice, settings: Settings
) -> None:
    settings.EGRESS_EXCEPTIONS = [*settings.EGRESS_EXCEPTIONS, ("localhost", secure.smtp_port)]
    secure.switch("no-starttls")
    values = {"host": "localhost", "port": secure.smtp_port, "security": "starttls", "sender": "a@practice.invalid"}
    mail = scene.email(values={**values, "ca_file": secure.said["certificate"]})
    scene.people(3)
    dispatch = scene.planned()
    scene.work()
    mail.refresh_from_db()
    assert "STARTTLS" in mail.circuit_reason
    assert states(dispatch) == {"due": 3}
    assert secure.record.count() == 0
    secure.clear()
    later(3600)
    scene.work()
    assert states(dispatch) == {"accepted": 3}
