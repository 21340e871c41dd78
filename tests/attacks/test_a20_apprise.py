"""A20: what an address of Apprise can be made to do: nothing but post to a chat service, whatever it says."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import pytest
from apprise import Apprise as Library
from apprise import NotifyType

from channels.apprise import Apprise
from channels.apprise_direct import AppriseDirect
from channels.contract import Act, Outcome, OutletDown, Receipt, SettingsInvalid, Surroundings
from channels.kit.apprise_library import Line, PlugIn
from channels.kit.apprise_url import PRACTICE, SERVICES, UrlRefused, check_place, filled, service_of
from channels.kit.egress import Egress
from tests.support.bulletins import bulletin
from tests.support.webhook_far import webhook

TOKEN = "KanarieKanarieKanarieKan"
SLACK = f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}"
# Those of the matrix and some of the kind; each by name, whether or not this machine has what they need.
FORBIDDEN = """
    file exec include syslog rsyslog rsyslogs dbus glib kde qt gnome macosx windows blink1 growl mailto mailtos json
    jsons xml xmls form forms notifiarr apprise apprises config mqtt mqtts irc ircs smpp vapid mastodon toot matrix
    matrixs homeassistant mmost rocket nctalk ntfy gotify signal synology workflow email http https python notify
""".split()  # noqa: SIM905 - one list a reader can scan


def reach(values: Mapping[str, object], egress: Egress | None = None) -> Apprise:
    return Apprise(Apprise.read_settings(values), Surroundings(egress or Egress()))


@pytest.mark.parametrize("scheme", FORBIDDEN)
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_a20_a_scheme_that_is_not_on_the_list_is_refused_by_its_name(scheme: str, case: object) -> None:
    written = scheme.upper() if case is str.upper else scheme
    with pytest.raises(SettingsInvalid) as caught:
        reach({"url": f"{written}://{TOKEN}@host.example/{TOKEN}"})
    assert f"{scheme}://" in caught.value.problems["url"]
    assert TOKEN not in str(caught.value)


def test_a20_the_list_is_short_and_all_of_it_needs_tls() -> None:
    known = _schemes()
    assert len(known) > 200
    assert set(SERVICES) <= known
    refused = known - set(SERVICES)
    for scheme in refused:
        with pytest.raises(SettingsInvalid):
            reach({"url": f"{scheme}://a/b/c"})


def _names(said: str | tuple[str, ...] | None) -> set[str]:
    return {said} if isinstance(said, str) else set(said or ())


def _schemes() -> set[str]:
    found: set[str] = set()
    for service in Library().details()["schemas"]:
        for kind in ("protocols", "secure_protocols"):
            found |= set(service[kind] or ())
    return found


@pytest.mark.parametrize(
    "more",
    [
        *(
            "?attach=/etc/passwd",
            "?attach=file:///etc/passwd",
            "?config=http://evil.example/c.yml",
            "?include=file:///x",
        ),
        *(
            "?verify=no",
            "?redirect=yes",
            "?overflow=split",
            "?retry=9",
            "?wait=9",
            "?store=yes",
            "?template=/etc/passwd",
        ),
        *("?cto=900", "?rto=900", "?+X-Header=1", "?%2BX-Header=1", "?-get=1", "?:field=1", "?format=html", "?tag=all"),
        *(
            "?user=other",
            "?pass=x",
            "?port=25",
            "?image=yes",
            "?ATTACH=/etc/passwd",
            "?%61ttach=/etc/passwd",
            "?a;attach=x",
        ),
        *(
            "#fragment",
            " slack://second/b/c",
            ",slack://second/b/c",
            "\nslack://x",
            "\\evil",
            "/\u202e",
            "/" + "x" * 1_000,
        ),
    ],
)
def test_a20_an_address_takes_no_parameter_and_is_only_one(more: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        reach({"url": SLACK + more})
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "parameter", ["attach=/etc/passwd", "verify=no", "retry=3", "+X=1", ":title=x", "-q=1", "overflow=split"]
)
def test_a20_what_apprise_read_is_looked_at_again(parameter: str) -> None:
    """The check runs on the parsed result: here the text was never checked."""
    with pytest.raises(UrlRefused, match="takes no parameter"):
        PlugIn(f"json://127.0.0.1:9/{TOKEN}?{parameter}")


def test_a20_whatever_it_says_certificates_are_checked_and_nothing_is_followed_split_or_repeated() -> None:
    made = PlugIn(SLACK)._plug_in
    assert made.verify_certificate is True
    assert made.redirects is False
    assert made.overflow_mode.value == "upstream"
    assert (made.retry, made.request_rate_per_sec) == (0, 0.0)
    assert made.asset.plugin_paths == []
    assert not made.image_url(NotifyType.INFO), "no picture of anybody else's is sent along"


@pytest.mark.parametrize("url", ["json://127.0.0.1:{}/hook", "mmost://127.0.0.1:{}/" + TOKEN])
def test_a20_the_practice_forms_lead_to_the_practice_colleagues_only(url: str) -> None:
    there = Egress({("127.0.0.1", 8704)}, closed=True)
    check_place(url.format(8704), there)
    elsewhere = (
        (url.format(8704), Egress({("127.0.0.1", 8704)})),  # production, with an exception for a relay
        (url.format(8704), Egress()),
        (url.format(8705), there),
        (url.format(8704).replace("127.0.0.1", "localhost"), there),
        (url.format(8704).replace("127.0.0.1", "evil.example"), there),
        (url.format(8704).replace("127.0.0.1", "127.0.0.1@evil.example"), there),
        (url.format(8704).replace("127.0.0.1:8704", "evil.example:8704/127.0.0.1"), there),
    )
    for wrong, egress in elsewhere:
        with pytest.raises(SettingsInvalid, match="is not allowed"):
            reach({"url": wrong}, egress)
    assert set(PRACTICE) == {"json", "mmost"}


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        *(
            ("phone", each)
            for each in ("+31612345678/x", "0612345678", "+31 612345678", "+3161234567a", "+31612345678\n")
        ),
        *(
            ("phone", each)
            for each in ("", "+", "+0612345678", "+" + "1" * 16, "+٣١٦١٢٣٤٥٦٧٨", "+31612345678?attach=/etc/x")
        ),
        *(("threema", each) for each in ("ECHOECH", "echoecho", "ECHOECHO/", "ECHO CHO")),
        *(("name", each) for each in ("../admin", "a/b", "a?b", "a#b", "a%2Fb", "@all", ".hidden", "a" * 65, "naïef")),
    ],
)
def test_a20_an_address_that_is_not_of_its_kind_is_never_put_in(kind: str, address: str) -> None:
    with pytest.raises(UrlRefused):
        filled("signals://signal.example/+31600000000/{address}", address, kind)


def test_a20_what_is_put_in_is_percent_encoded() -> None:
    url = filled("signals://signal.example/+31600000000/{address}", "+31612345678", "phone")
    assert url.endswith("/%2B31612345678")


@pytest.mark.parametrize(
    "url",
    [
        *("{address}://host/x", "slack://{address}/b/c", "signals://u:{address}@host/+31600000000/x"),
        *(
            "signals://host/+31600000000/x?to={address}",
            "signals://host/{address}/{address}",
            "signals://host/+31600000000/x",
        ),
    ],
)
def test_a20_the_place_for_an_address_is_once_in_the_path(url: str) -> None:
    with pytest.raises(SettingsInvalid):
        AppriseDirect.read_settings({"url": url, "address": "phone"})


@pytest.mark.parametrize("host", ["127.0.0.1", "169.254.169.254", "10.0.0.1", "localhost", "[::1]", "2130706433"])
def test_a20_a_service_on_a_private_address_is_not_connected_to(host: str) -> None:
    async def run() -> OutletDown:
        with pytest.raises(OutletDown) as caught:
            made = reach({"url": f"mmosts://{host}:8443/{TOKEN}"})
            copy = made.compose(bulletin(), "nl", Act.ANNOUNCE, made.limits)
            await made.publish(copy, "key")
        return caught.value

    down = asyncio.run(run())
    assert TOKEN not in down.reason


def test_a20_the_policy_holds_for_the_connection_that_is_used_and_not_for_the_check_alone() -> None:
    """A name that leads elsewhere between the check and the message: the plug-in's own connection is refused."""

    async def run() -> tuple[bool, Line, int]:
        async with webhook() as far:
            line = Line(Egress())  # as if the check had been passed
            plug_in = PlugIn(f"json://127.0.0.1:{far.port}/{TOKEN}")
            said = await asyncio.to_thread(plug_in.send, "tekst", line)
            return said, line, len(far.taken)

    said, line, taken = asyncio.run(run())
    assert not said
    assert not line.connected
    assert "not a public address" in line.refused
    assert taken == 0


def test_a20_a_redirect_is_not_followed() -> None:
    async def run() -> tuple[Receipt, list[str]]:
        async with webhook("302") as far:
            egress = Egress({("127.0.0.1", far.port)}, closed=True)
            made = reach({"url": f"json://127.0.0.1:{far.port}/hook"}, egress)
            receipt = await made.publish(made.compose(bulletin(), "nl", Act.ANNOUNCE, made.limits), "key")
            return receipt, [path for path, _ in far.taken]

    receipt, paths = asyncio.run(run())
    assert receipt.outcome is Outcome.UNKNOWN
    assert paths == ["/hook"]


def test_a20_only_the_scheme_is_logged_of_what_was_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SettingsInvalid):
        reach({"url": f"json://127.0.0.1:8704/{TOKEN}"})
    assert "outlet.refused json" in caplog.text
    assert TOKEN not in caplog.text


WEB = """
import asyncio, sys
import dispatcher.config.asgi
from django.urls import get_resolver
get_resolver().url_patterns
from channels.apprise import Apprise
from channels.contract import Act, Surroundings
from channels.kit.egress import Egress
from tests.support.bulletins import bulletin
settings = Apprise.read_settings({"url": "slack://T1JJ3T3L2/A1BRTD4JD/KanarieKanarieKanarieKan"})
made = Apprise(settings, Surroundings(Egress(closed=True)))
made.compose(bulletin(), "nl", Act.ANNOUNCE, made.limits)
findings = asyncio.run(made.check())
print([finding.what for finding in findings])
print(sorted({"apprise", "requests", "urllib3"} & set(sys.modules)))
"""


def test_a20_the_web_process_saves_previews_and_checks_without_loading_apprise(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WEB],
        cwd=Path(__file__).parents[2],
        env={"PATH": "", "OMROEPER_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "dispatcher.config.settings"}
        | {"OMROEPER_SECRET_KEY": "x" * 50, "PYTHONPATH": "."},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    findings, loaded = done.stdout.splitlines()
    assert "hooks.slack.com:443 is not of the practice town" in findings, "it was read, by a process of its own"
    assert loaded == "[]"


@pytest.mark.parametrize("scheme", sorted(SERVICES))
def test_a20_each_service_on_the_list_is_one_that_this_apprise_has(scheme: str) -> None:
    service = service_of(f"{scheme}://a/b/c", personal=False)
    assert service == SERVICES[scheme]
    module, _, name = service.plug_in.partition(":")
    plug_in = getattr(import_module(f"apprise.plugins.{module}"), name)
    assert scheme in _names(plug_in.protocol) | _names(plug_in.secure_protocol)
