"""A18: addresses inside a network, in every place where an outlet's address can be given, however they are spelt."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from channels import registry
from channels.contract import Broadcast, OutletDown, Published, SeenState, SettingsInvalid, Surroundings
from channels.kit import hosts
from channels.kit.egress import Egress, address_class
from channels.kit.http import Http, NotSent
from dispatcher.acts import employees
from dispatcher.acts.models import AuditEntry
from dispatcher.dispatching.models import Outlet
from dispatcher.staff.roles import Role
from tests.support.logged import log_events
from tests.support.scene import Scene
from tests.support.scene_fixtures import practice_town, scene, site  # noqa: F401 - fixtures

# Loopback and other insides, in every spelling that some resolver reads.
INSIDE = [
    "127.0.0.1", "localhost", "LOCALHOST", "printer.localhost", "0", "2130706433", "0x7f.1", "017700000001", "127.1",
    "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[::127.0.0.1]", "[2002:7f00:1::]", "169.254.169.254",
    "[fd00::1]", "[fe80::1]", "100.64.0.1", "0.0.0.0", "10.1.2.3", "192.168.1.1", "172.16.0.1", "224.0.0.1",  # noqa: S104
    "127。0。0。1", "①②⑦.0.0.1", "127.0.0.1.", "%31%32%37.0.0.1",
]  # fmt: skip
OUTSIDE = ["smtp.losser.example", "8.8.8.8", "[2606:4700::1111]", "1and1.example", "0x.example"]
STRANGE = ["file:///etc/passwd", "unix:/run/redis.sock", "gopher://losser.example/", "ftp://losser.example/"]
TWO_READINGS = ["https://user@losser.example/", "https://127.0.0.1\\@losser.example/"]

KEY = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQ"
# Every setting that says where to connect to: channel, field, the other settings, how a host stands in it.
PLACES = [
    ("email", "host", {"sender": "berichten@losser.nl"}, "{}"),
    ("mastodon", "url", {"token": "t"}, "https://{}"),
    ("webpush", "extra_hosts", {"contact": "mailto:beheer@losser.nl", "vapid_key": KEY}, "{}:443"),
    ("apprise", "url", {}, "slack://{}/T/B/C"),
    ("byhand", "page_url", {"network": "other", "account": "Losser"}, "https://{}/losser"),
]
IDS = [place[0] for place in PLACES]


@pytest.fixture
def administrator(settings: Settings, db: None) -> Client:
    """Signed in with a password, under production's policy."""
    employees.add(email="beheer@losser.nl", roles=[Role.ADMINISTRATOR], password="een lang geheim woord", by="test")
    settings.PRACTICE = False
    settings.EGRESS_EXCEPTIONS = []
    client = Client(headers={"accept-language": "en"})
    signed = client.post("/console/sign-in/", {"email": "beheer@losser.nl", "password": "een lang geheim woord"})
    assert signed.status_code == 303
    return client


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A port on all loopback addresses and those that connected to it."""
    seen: list[str] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def take() -> None:
            while not ended.is_set():
                try:
                    connection, far = server.accept()
                except TimeoutError:
                    continue
                except OSError:
                    return
                seen.append(str(far))
                connection.close()

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield server.getsockname()[1], seen
        ended.set()
        thread.join(5)


def _save(client: Client, channel: str, values: dict[str, str]) -> Any:
    row = {"name": channel, "label": channel.capitalize(), "enabled": "1"}
    return client.post(
        f"/console/settings/new-outlet/{channel}/", row | {f"settings.{k}": v for k, v in values.items()}
    )


@pytest.mark.parametrize("host", INSIDE)
def test_a18_a_spelling_of_an_inner_address_is_recognised(host: str) -> None:
    assert hosts.literal(host) is not None
    assert hosts.problems({"host": host}, Egress()) != {}
    assert hosts.problems({"url": f"https://{host}/"}, Egress()) != {}


@pytest.mark.parametrize("host", OUTSIDE)
def test_a18_a_name_or_a_public_address_is_not_taken_for_one(host: str) -> None:
    assert hosts.problems({"host": host}, Egress()) == {}
    assert hosts.problems({"url": f"https://{host}/"}, Egress()) == {}


@pytest.mark.parametrize(("channel", "field", "others", "form"), PLACES, ids=IDS)
def test_a18_saving_such_an_address_is_422_and_stores_nothing(
    administrator: Client, channel: str, field: str, others: dict[str, str], form: str
) -> None:
    for host in INSIDE:
        answer = _save(administrator, channel, {**others, field: form.format(host)})
        assert answer.status_code == 422, host
        assert f'id="e-settings.{field}"' in answer.content.decode(), host
    assert not Outlet.objects.exists()
    assert not AuditEntry.objects.filter(act="add outlet").exists()


@pytest.mark.parametrize("address", [*STRANGE, *TWO_READINGS])
@pytest.mark.parametrize(
    ("channel", "field", "others"), [(c, f, o) for c, f, o, _ in PLACES if f != "host"], ids=IDS[1:]
)
def test_a18_saving_another_scheme_or_a_doubtful_address_is_422(
    administrator: Client, channel: str, field: str, others: dict[str, str], address: str
) -> None:
    answer = _save(administrator, channel, {**others, field: address})
    assert answer.status_code == 422
    assert f'id="e-settings.{field}"' in answer.content.decode()
    assert not Outlet.objects.exists()


def test_a18_an_exception_is_for_one_host_and_port_and_stands_in_the_audit(
    administrator: Client, settings: Settings, tmp_path: Any
) -> None:
    settings.DATA = tmp_path
    said = {"base_url": "https://nieuws.losser.nl", "egress": "10.1.2.3:25", "trusted_proxies": ""}
    assert administrator.post("/console/settings/address/", said).status_code == 303
    assert AuditEntry.objects.get(act="set address").details["egress"] == "10.1.2.3:25"
    settings.EGRESS_EXCEPTIONS = [("10.1.2.3", 25)]  # as the processes have it once they start again
    values = {"host": "10.1.2.3", "sender": "berichten@losser.nl"}
    assert _save(administrator, "email", {**values, "port": "587"}).status_code == 422
    assert _save(administrator, "email", {**values, "port": "25", "security": "none"}).status_code == 303


def _connect(channel: str, values: dict[str, Any]) -> None:
    """Opens the outlet as a worker does and has it connect, which has to fail.

    Raises:
        OutletDown, SettingsInvalid: it did not even begin.
    """
    kind = registry.channel(channel)
    made = kind(kind.read_settings(values), Surroundings(egress=Egress()))

    async def run() -> None:
        async with made:
            findings = await made.check()
        assert any(finding.level == "fault" for finding in findings), findings

    asyncio.run(run())


@pytest.mark.parametrize("host", [host for host in INSIDE if "%" not in host])
@pytest.mark.parametrize("channel", ["email", "mastodon"])
def test_a18_nothing_is_connected_to_where_saving_was_passed_by(
    listener: tuple[int, list[str]], channel: str, host: str
) -> None:
    port, seen = listener
    values: dict[str, Any] = (
        {"host": host.strip("[]"), "port": port, "security": "none", "sender": "berichten@losser.nl"}
        if channel == "email"
        else {"url": f"https://{host}:{port}", "token": "t"}
    )
    with suppress(SettingsInvalid, OutletDown):  # a form that the channel itself does not take for a host
        _connect(channel, values)
    assert seen == []


@pytest.mark.parametrize("host", [host for host in INSIDE if "%" not in host])
def test_a18_the_public_page_of_a_hand_task_is_not_read_from_inside(listener: tuple[int, list[str]], host: str) -> None:
    port, seen = listener
    kind = registry.channel("byhand")
    settings = kind.read_settings({"network": "other", "account": "Losser"})
    made = kind(settings, Surroundings(egress=Egress()))
    assert isinstance(made, Broadcast)

    async def look() -> SeenState:
        async with made:
            return (await made.read_back(Published("", f"http://{host}:{port}/post"))).state

    assert asyncio.run(look()) is SeenState.UNREACHABLE
    assert seen == []


def test_a18_a_name_that_leads_inside_waits_for_a_person_and_the_log_says_what_kind_of_address(
    scene: Scene,  # noqa: F811
    settings: Settings,
    listener: tuple[int, list[str]],
) -> None:
    port, seen = listener
    mail = scene.email(values={"host": "localhost", "port": port})
    scene.people(3)
    dispatch = scene.planned()
    settings.PRACTICE = False
    settings.EGRESS_EXCEPTIONS = []
    with log_events() as lines:
        scene.work()
    mail.refresh_from_db()
    assert (mail.circuit, mail.needs_person) == ("open", True)
    assert dispatch.batches.filter(outlet=mail, due_at__isnull=False).exists(), "nothing is lost"
    assert seen == []
    refused = [line for line in lines if line.get("event") == "egress.refused"]
    assert refused
    assert {(line["outlet"], line["address"]) for line in refused} == {("email", "loopback")}
    assert "localhost" not in str(refused), "neither host nor address"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"), ("::ffff:127.0.0.1", "loopback"), ("64:ff9b::7f00:1", "loopback"),
        ("2002:7f00:1::", "loopback"), ("169.254.169.254", "link-local"), ("10.0.0.1", "private"),
        ("fd00::1", "private"), ("0.0.0.0", "unspecified"), ("224.0.0.1", "multicast"), ("100.64.0.1", "not public"),  # noqa: S104
    ],
)  # fmt: skip
def test_a18_kinds_of_addresses(address: str, kind: str) -> None:
    assert address_class(address) == kind


@pytest.mark.parametrize("url", [*STRANGE, *TWO_READINGS])
def test_a18_the_client_opens_no_other_scheme_and_nothing_doubtful(url: str) -> None:
    async def run() -> None:
        async with Http(Egress()) as http:
            with pytest.raises(NotSent) as refused:
                await http.send("GET", url)
        assert not refused.value.allowed

    asyncio.run(run())
