"""The one file that imports Apprise: an address that was allowed becomes a plug-in, and says yes or no.

Never in the web process: importing takes a second or two and some thirty megabytes, so that happens at first use, in a
worker. Plug-ins are imported one by one: the others, configuration files and plug-in folders are never loaded.
Apprise writes addresses, credentials and all, into its log; so do the libraries under it. Nothing of theirs is logged.

Run as a program it reads an address on standard input and says on standard output what Apprise makes of it, as JSON
with ``problem``, ``host`` and ``port``: for whoever must not import it.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import socket
import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from urllib3.util import connection

from channels.kit.apprise_url import PRACTICE, SERVICES, UrlRefused, check_queries, scheme_of
from channels.kit.egress import AddressNotAllowed, Egress

for _name in ("apprise", "urllib3", "requests"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)

CONNECT_SECONDS = 4.0
# Of a plug-in's address, what Apprise's own parser leaves beside the usual parts: headers and fields to add.
_EXTRAS = ("qsd+", "qsd-", "qsd:")


class Line:
    """The connections of one call to a plug-in: each goes where the policy allows, or is not made.

    ``connected`` tells afterwards whether there was any: where there was none, nothing left us. ``cut`` ends a call
    that takes too long, from another thread.
    """

    def __init__(self, egress: Egress) -> None:
        self.egress = egress
        self.connected = False
        self.refused = ""
        self._held: list[socket.socket] = []

    def connect(self, address: tuple[str, int], *arguments: Any, **options: Any) -> socket.socket:
        """As ``urllib3.util.connection.create_connection``, to an address that was resolved once and checked.

        Raises:
            OSError: no connection, or none is allowed.
        """
        host, port = address
        try:
            found = asyncio.run(self.egress.resolve(host, port))
        except AddressNotAllowed as error:
            self.refused = str(error)
            raise ConnectionRefusedError(self.refused) from None
        failure: OSError = ConnectionRefusedError(f"{host} has no address")
        for each in found:
            try:
                made = _create_connection((each, port), *arguments, **options)
            except OSError as error:
                failure = error
                continue
            self.connected = True
            self._held.append(made.dup())  # TLS takes the socket itself over
            return made
        raise failure

    def cut(self) -> None:
        for held in self._held:
            with suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._token = _line.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _line.reset(self._token)
        for held in self._held:
            held.close()


_line: contextvars.ContextVar[Line | None] = contextvars.ContextVar("line", default=None)
_create_connection = connection.create_connection


def _connect(address: tuple[str, int], *arguments: Any, **options: Any) -> socket.socket:
    line = _line.get()
    if line is None:
        raise ConnectionRefusedError("nothing connects outside a line")
    return line.connect(address, *arguments, **options)


connection.create_connection = _connect


class PlugIn:
    """What Apprise made of one address. ``host`` and ``port`` are where it connects first."""

    def __init__(self, url: str, seconds: float = CONNECT_SECONDS) -> None:
        """
        Raises:
            UrlRefused: Apprise cannot read the address, or reads more in it than the allow-list lets pass.
        """
        scheme = scheme_of(url)
        service = SERVICES.get(scheme) or PRACTICE.get(scheme)
        if service is None:
            raise UrlRefused(f"{scheme}:// is not allowed")
        module, _, name = service.plug_in.partition(":")
        made = getattr(import_module(f"apprise.plugins.{module}"), name)
        parsed = made.parse_url(url)
        if not parsed or parsed["schema"] != scheme:
            raise UrlRefused(f"Apprise cannot read the address after {scheme}://")
        check_queries([name for kind in ("qsd", *_EXTRAS) for name in parsed.get(kind) or {}], scheme)
        # Whatever the address says: certificates are checked, no redirect is followed, nothing is split or repeated.
        parsed |= {"verify": True, "redirect": False, "overflow": "upstream", "store": False, "retry": 0}
        parsed |= {"asset": _asset(), "cto": CONNECT_SECONDS, "rto": seconds}
        try:
            self._plug_in = made(**parsed)
        except TypeError:  # what Apprise raises for an address that lacks something; its message may quote it
            raise UrlRefused(f"the address after {scheme}:// is not complete") from None
        self._plug_in.request_rate_per_sec = 0.0  # the outlet's rate is in the ledger
        self.host, self.port = _place(scheme, self._plug_in)

    def send(self, text: str, line: Line) -> bool:
        """Whether the service said yes. Blocks; for a thread. Raises nothing: what breaks is a no."""
        from apprise.common import NotifyFormat, NotifyType  # noqa: PLC0415 - see the module

        with line:
            try:
                said = self._plug_in.notify(
                    body=text, title="", notify_type=NotifyType.INFO, body_format=NotifyFormat.TEXT
                )
            except Exception:  # a plug-in's own mistake, whose words may hold a credential
                return False
        return bool(said)


@cache
def _asset() -> Any:
    """How Apprise presents itself: without pictures of its own, files, plug-in folders or second tries."""
    from apprise import AppriseAsset  # noqa: PLC0415 - see the module
    from apprise.common import PersistentStoreMode  # noqa: PLC0415

    return AppriseAsset(
        app_id="Omroeper",
        app_desc="Omroeper",
        app_url="",
        image_url_mask="",
        image_url_logo="",
        image_path_mask="",
        plugin_paths=[],
        storage_mode=PersistentStoreMode.MEMORY,
        http_redirects=False,
        interpret_emojis=False,
        secure_logging=True,
        default_service_retry=0,
    )


def _place(scheme: str, plug_in: Any) -> tuple[str, int]:
    match scheme:
        case "slack":
            return ("hooks.slack.com" if plug_in.mode == "hook" else "slack.com"), 443
        case "zulip":
            return f"{plug_in.organization}.{plug_in.hostname}", 443
        case "stackfield":
            return "www.stackfield.com", 443
        case "ntfys" if plug_in.mode == "cloud":
            return str(urlsplit(plug_in.cloud_notify_url).hostname), 443
    fixed = urlsplit(getattr(plug_in, "notify_url", "") or "").hostname
    if fixed and "{" not in fixed:
        return fixed, 443
    return plug_in.host, plug_in.port or (443 if plug_in.secure else 80)


def main() -> None:
    """See the module."""
    try:
        plug_in = PlugIn(sys.stdin.read())
        said: dict[str, object] = {"problem": "", "host": plug_in.host, "port": plug_in.port}
    except UrlRefused as refused:
        said = {"problem": str(refused)}
    except Exception as error:  # whatever a plug-in may raise: its words may hold a credential
        said = {"problem": f"Apprise cannot read the address ({type(error).__name__})"}
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
