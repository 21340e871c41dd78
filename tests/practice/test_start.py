"""The practice town starts on this machine only, never in production, and says in a sentence why it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dispatcher.practice import loopback
from tests.support.practice import Practice, finish, start
from tests.support.raw_smtp import RawSmtp


def _hosts() -> list[str]:
    bound = loopback.bind_loopback(0)
    for each in bound:
        each.close()
    return ["127.0.0.1", "::1"][: len(bound)]


HOSTS = _hosts()


def refused(arguments: list[str], **environment: str) -> tuple[int, str]:
    """How a start that fails ends: exit code and what it said."""
    process = start(arguments, environment)
    out, said = finish(process)
    assert out == ""
    return process.returncode, said


def test_it_does_not_start_with_production_settings(folder: Path) -> None:
    code, said = refused(["--data", str(folder)], OMROEPER_PRACTICE="0")

    assert code == 2
    assert "production" in said and len(said.splitlines()) == 1
    assert not folder.exists()


@pytest.mark.parametrize("option", ["--smtp-port", "--web-port", "--timeline-port"])
@pytest.mark.parametrize("host", HOSTS)
def test_a_port_that_is_taken_is_named_with_the_remedy(folder: Path, option: str, host: str) -> None:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as other:
        port = other.getsockname()[1]
        code, said = refused(["--data", str(folder), option, str(port)])

    assert code == 2
    assert str(port) in said and option in said and len(said.splitlines()) == 1


def test_a_port_that_no_one_may_have_is_named_with_the_remedy(folder: Path) -> None:
    code, said = refused(["--data", str(folder), "--smtp-port", "70000"])

    assert code == 2
    assert "70000" in said and "--smtp-port" in said and len(said.splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = refused(["--data", str(tmp_path / "file")])

    assert code == 2
    assert "--data" in said and len(said.splitlines()) == 1


def test_a_second_town_on_the_same_folder_is_told_so(practice: Practice) -> None:
    folder = practice.record.path.parents[1]
    code, said = refused(["--data", str(folder)])

    assert code == 2
    assert "Another practice town" in said and len(said.splitlines()) == 1


def test_it_listens_on_loopback_only_and_says_where(practice: Practice) -> None:
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for connection in psutil.Process(practice.pid).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr
    }

    assert {host for host, _ in listening} <= {"127.0.0.1", "::1"}
    assert {port for _, port in listening} == {practice.smtp_port, practice.said["web_port"], *practice.ports.values()}


def test_it_ends_cleanly_when_asked_even_with_senders_and_faults(folder: Path, key: str) -> None:
    with Practice(folder) as practice, RawSmtp(practice.smtp_port) as client:
        client.deliver(key)
        practice.switch({"kind": "silence", "moment": "mail"}, "refused")
        os.kill(practice.pid, signal.SIGTERM)
        assert practice.ended() == (0, "")
        assert client.rest() == b""
        assert [json.loads(line)["key"] for line in practice.record.path.read_bytes().splitlines()] == [key]


def test_it_starts_on_the_same_ports_at_once_after_it_ended(folder: Path, key: str) -> None:
    with Practice(folder) as practice, RawSmtp(practice.smtp_port) as client:
        client.deliver(key)
        ports = ["--smtp-port", str(practice.smtp_port), "--web-port", str(practice.said["web_port"])]
        practice.terminate()
        practice.ended()

    with Practice(folder, *ports) as practice:
        assert ports[1] == str(practice.smtp_port)


def test_it_uses_nothing_of_the_product() -> None:
    code = (
        "import sys, dispatcher.practice.run\n"
        "ours = ('dispatcher.practice', 'dispatcher')\n"
        "print([name for name in sys.modules if name.split('.')[0] in {'channels', 'django', 'celery', 'dispatcher'}"
        " and not name.startswith('dispatcher.practice') and name != 'dispatcher'])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
