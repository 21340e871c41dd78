"""Starts the practice town: its far sides and its pages, in one process, on this machine only."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.server.embed import Server

from dispatcher.practice.certificate import make_certificate
from dispatcher.practice.http_peer import HttpPeer, Setting
from dispatcher.practice.journal import Journal
from dispatcher.practice.listener import Listener
from dispatcher.practice.loopback import PortTaken, bind_loopback
from dispatcher.practice.mail_server import MailServer, Tls
from dispatcher.practice.mailbox import Mailbox, MailboxInUse
from dispatcher.practice.peers import PEERS
from dispatcher.practice.town.links import Links
from dispatcher.practice.town.site import NotHere, Site
from dispatcher.practice.web import Web

BUILT_ASSETS = Path(__file__).resolve().parents[1] / "assets" / "built"


class CannotStart(Exception):
    """Why, and what to do about it, in a sentence."""


class _WebServer(Server):
    """granian in our loop, on a socket that we bound: it would share a port that another program has."""

    def __init__(self, web: Web, bound: socket.socket) -> None:
        super().__init__(web, interface=Interfaces.ASGINL, websockets=False, log_enabled=False)
        self._bound = bound
        bound.listen()

    def _init_shared_socket(self) -> None:
        holder: Any = SocketHolder
        self._shd = holder(self._bound.fileno(), False, self.backlog)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m dispatcher.practice",
        description="The practice town: far sides of every kind on this machine, with faults on demand.",
        epilog="Example: python -m dispatcher.practice --data .omroeper/practice --smtp-port 0 --web-port 8725",
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder for what it keeps; the mail goes to mail/ in it"
    )
    parser.add_argument("--smtp-port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--web-port", type=int, default=0, help="0, the default, takes a free one")
    for name in PEERS:
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument(
        "--site",
        metavar="URL",
        help="the public site on this machine, such as http://localhost:8700: the town reads it as any resident does",
    )
    parser.add_argument(
        "--links", metavar="URL", help="how messages write the site's address, where that is not as --site says"
    )
    parser.add_argument("--assets", type=Path, default=BUILT_ASSETS, help="folder with the style sheet and fonts")
    parser.add_argument(
        "--no-store",
        action="store_true",
        help="for load tests: records what comes in, but neither keeps it nor looks up who sent it",
    )
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--auth", metavar="NAME:PASSWORD", help="senders must log in with this")
    return parser.parse_args(arguments)


def _bind(port: int, option: str) -> list[socket.socket]:
    try:
        return bind_loopback(port)
    except PortTaken:
        raise CannotStart(
            f"Port {port} is in use by another program. Stop that program, or choose another port with {option} "
            f"(0 takes a free one)."
        ) from None
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotStart(f"Port {port} cannot be used ({reason}). Choose another with {option}.") from None


def _make_peers(options: argparse.Namespace, home: str) -> list[HttpPeer]:
    """The far sides that speak HTTP, each on its port and with a folder of its own.

    Raises:
        CannotStart: a port is taken, or the folder cannot be written.
    """
    bound = {name: _bind(getattr(options, f"{name}_port"), f"--{name}-port") for name in PEERS}
    data: Path = options.data.absolute()
    assets: Path | None = options.assets
    try:
        return [
            peer(bound[name], Setting(data / name, assets, home, keep=not options.no_store))
            for name, peer in PEERS.items()
        ]
    except OSError as error:
        raise CannotStart(f"{data} cannot be written to ({error.strerror}). Choose another with --data.") from None


def _find_site(options: argparse.Namespace) -> Site | None:
    if not options.site:
        return None
    try:
        return Site(options.site, Links((options.links or options.site).rstrip("/")))
    except NotHere:
        raise CannotStart(
            f"--site {options.site} is not on this machine, and the practice town reads no other. "
            f"Give it as http://localhost:PORT, and with --links the address that messages use."
        ) from None


def _open_mailbox(folder: Path, *, keep: bool) -> tuple[Mailbox, Journal]:
    try:
        mailbox = Mailbox(folder, keep=keep)
        return mailbox, Journal(folder / "faults.jsonl")
    except MailboxInUse:
        raise CannotStart(
            f"Another practice town uses {folder}. Stop it, or choose another folder with --data."
        ) from None
    except OSError as error:
        raise CannotStart(f"{folder} cannot be written to ({error.strerror}). Choose another with --data.") from None


async def _serve(options: argparse.Namespace) -> None:
    folder: Path = options.data.absolute() / "mail"
    site = _find_site(options)
    smtp_sockets = _bind(options.smtp_port, "--smtp-port")
    web_sockets = _bind(options.web_port, "--web-port")
    mailbox, journal = _open_mailbox(folder, keep=not options.no_store)
    context, certificate = make_certificate(folder) if options.tls != "none" else (None, None)
    name, _, password = (options.auth or "").partition(":")
    server = MailServer(
        mailbox,
        journal,
        smtp_sockets,
        tls=cast(Tls, options.tls),
        ssl_context=context,
        credentials=(name, password) if options.auth else None,
        name_peers=not options.no_store,
    )
    web_port = web_sockets[0].getsockname()[1]
    peers = _make_peers(options, f"http://localhost:{web_port}")
    far_sides: list[Listener[Any]] = [server, *peers]
    for far_side in far_sides:
        await far_side.open()
    web = Web(server, options.assets, peers, site)
    web_servers = [_WebServer(web, bound) for bound in web_sockets]
    serving = [asyncio.create_task(web_server.serve()) for web_server in web_servers]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    started = {
        "smtp_port": server.port,
        "web_port": web_port,
        **{f"{peer.name}_port": peer.port for peer in peers},
        "record": str(folder / "record.jsonl"),
        **{f"{peer.name}_record": str(peer.record.path) for peer in peers},
        "certificate": str(certificate) if certificate else None,
        "pid": os.getpid(),
    }
    sys.stdout.write(json.dumps(started) + "\n")
    sys.stdout.flush()
    await stop.wait()
    for web_server in web_servers:
        web_server.stop()  # type: ignore[no-untyped-call] # granian leaves it untyped
    await asyncio.gather(*serving)
    for far_side in far_sides:
        far_side.close()
    journal.close()
    mailbox.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or Ctrl-C. 0: ended as asked; 2: could not start, said why on standard error."""
    options = _options(arguments)
    if os.environ.get("OMROEPER_PRACTICE", "1") != "1":
        sys.stderr.write(
            "The practice town does not run with production settings (OMROEPER_PRACTICE is not 1). "
            "Remove that setting on a machine that is for practice only.\n"
        )
        return 2
    try:
        asyncio.run(_serve(options))
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0
