"""What the two Apprise channels share: their settings, the message, and sending it with what is certain about it."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Annotated

from pydantic import Field, SecretStr

from channels.contract import (
    Act,
    Bulletin,
    ChannelSettings,
    Copy,
    Finding,
    Level,
    Limits,
    OutletDown,
    SettingsInvalid,
    Unit,
)
from channels.kit.apprise_url import UrlRefused, check_place, scheme_of, service_of
from channels.kit.brief import fitted
from channels.kit.egress import AddressNotAllowed, Egress
from channels.kit.templates import render

LEAVE = "leave_url"
LEAVE_ROOM = 160  # characters that the link to leave takes once it is filled, at most
LONGEST = 35_000  # of all services: Slack's
CONNECT_SECONDS = 5.0
CHECK_SECONDS = 20.0

_log = logging.getLogger("omroeper.apprise")


class AppriseSettings(ChannelSettings):
    """``url`` is the service's address as Apprise writes it: it holds the credentials, so it is secret.

    ``seconds`` is how long the service may take to answer.
    """

    url: SecretStr
    seconds: Annotated[float, Field(ge=0.2, le=10)] = 8.0


def checked(url: SecretStr, *, personal: bool) -> SecretStr:
    """``url`` where the allow-list has its service, for a validator.

    Raises:
        ValueError: with what to do about it; names the scheme and nothing after it.
    """
    service_of(url.get_secret_value(), personal=personal)
    return url


def limits_of(url: str, *, personal: bool) -> Limits:
    """How long a message on the service may be."""
    length = service_of(url, personal=personal).length
    return Limits(length=length - LEAVE_ROOM if personal else length, unit=Unit.CHARACTERS)


def require_place(name: str, url: str, egress: Egress) -> None:
    """Refuses the practice town's schemes wherever the practice town is not.

    Raises:
        SettingsInvalid: naming the scheme.
    """
    try:
        check_place(url, egress)
    except UrlRefused as refused:
        _log.warning("outlet.refused %s", scheme_of(url))
        raise SettingsInvalid(name, {"url": str(refused)}) from None


def compose(bulletin: Bulletin, language: str, act: Act, limits: Limits, *, personal: bool) -> Copy:
    """Title, summary and link; a correction or withdrawal names what it is about. See ``Common.compose``.

    Raises:
        ValueError: the facts of title and summary do not fit.
    """
    text = bulletin.text_for(language)

    def message(title: str, summary: str, change: str) -> str:
        return render(
            "apprise/message.txt",
            act=act.value,
            language=text.language,
            practice=bulletin.sender.practice,
            was=_untemplated(text.title),
            title=_untemplated(title),
            summary=_untemplated(summary),
            change=_untemplated(change),
            url=text.url,
            personal=personal,
        ).strip()

    return Copy(
        language=text.language,
        act=act,
        text=fitted(text, limits, message),
        parts={},
        links=(text.url,),
        slots=(LEAVE,) if personal else (),
        shortened=bool(text.body_text.strip()),
    )


def _untemplated(text: str) -> str:
    """What staff wrote is never a slot."""
    return text.replace("{{", "{ {")


class Sender:
    """Sends messages through one policy. Says yes or no, or that nothing left us."""

    def __init__(self, egress: Egress, seconds: float) -> None:
        self.egress = egress
        self.seconds = seconds

    async def reach(self, url: str) -> None:
        """Whether the service of ``url`` can be connected to, before anything is sent.

        Raises:
            OutletDown: it cannot; ``needs_person`` where waiting does not help.
        """
        from channels.kit.apprise_library import PlugIn  # noqa: PLC0415 - it imports Apprise

        try:
            plug_in = await asyncio.to_thread(PlugIn, url, self.seconds)
        except UrlRefused as refused:
            raise OutletDown(str(refused), needs_person=True) from None
        await connect(self.egress, plug_in.host, plug_in.port)

    async def send(self, url: str, text: str) -> bool:
        """The service's yes or no.

        Raises:
            OutletDown: there was no connection, so nothing left us.
            TimeoutError: it took too long. The message may have been taken.
        """
        from channels.kit.apprise_library import Line, PlugIn  # noqa: PLC0415 - it imports Apprise

        line = Line(self.egress)
        try:
            plug_in = await asyncio.to_thread(PlugIn, url, self.seconds)
            async with asyncio.timeout(self.seconds + CONNECT_SECONDS):
                said = await asyncio.to_thread(plug_in.send, text, line)
        except UrlRefused as refused:
            raise OutletDown(str(refused), needs_person=True) from None
        except TimeoutError:
            line.cut()
            raise
        if not said and not line.connected:
            raise OutletDown(line.refused or f"{plug_in.host} cannot be reached", needs_person=bool(line.refused))
        return said


async def connect(egress: Egress, host: str, port: int) -> None:
    """Opens a connection where the policy allows, and closes it.

    Raises:
        OutletDown: it cannot be opened.
    """
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            for_sure = await egress.resolve(host, port)
            _, writer = await asyncio.open_connection(for_sure[0], port)
        writer.close()
    except AddressNotAllowed as refused:
        raise OutletDown(str(refused), needs_person=True) from None
    except (OSError, UnicodeError, TimeoutError, IndexError):
        raise OutletDown(f"{host}:{port} cannot be reached") from None


async def check(egress: Egress, url: str) -> list[Finding]:
    """What Apprise makes of the address, and whether its service can be reached. Sends nothing to anyone.

    Apprise runs in a process of its own: whoever asks may be the web process.
    """
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "channels.kit.apprise_library", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            said = json.loads((await program.communicate(url.encode()))[0] or b"{}")
    except TimeoutError:
        program.kill()
        await program.wait()
        return [Finding(Level.WARNING, "Apprise did not say in time what it makes of the address.", "Check again.")]
    if said.get("problem") or "host" not in said:
        what = str(said.get("problem") or "Apprise could not be started")
        return [Finding(Level.FAULT, f"{what}.", "Correct the setting url; docs/channels/apprise.md has examples.")]
    try:
        await connect(egress, said["host"], said["port"])
    except OutletDown as down:
        return [Finding(Level.FAULT, f"{down.reason}.", "Check the address, and whether this machine may connect.")]
    return [
        Finding(Level.FINE, f"{said['host']}:{said['port']} answers."),
        Finding(Level.WARNING, "Whether it accepts our credentials shows at the first message.", "Send a drill."),
    ]
