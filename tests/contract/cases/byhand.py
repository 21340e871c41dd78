"""By hand in the contract suite: a network's pages on a socket, and the person who posts there."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from markupsafe import escape

from channels.contract import Copy, Outcome, Published, Reason
from channels.kit.egress import Egress
from tests.contract.case import BroadcastCase, Expected, FarSide

SETTINGS: Mapping[str, object] = {"network": "facebook", "account": "Gemeente Losser"}
POST = "/losser/posts/corona"
AROUND = "<html><head><title>Losser</title></head><body><nav>Menu</nav>{}<footer>12 likes</footer></body></html>"


@dataclass(frozen=True)
class Network:
    """``posts`` by path, as HTML."""

    settings: Mapping[str, object]
    egress: Egress
    url: str
    posts: dict[str, str]


@asynccontextmanager
async def network(folder: Path, fault: str = "") -> AsyncIterator[Network]:
    """A network that shows its posts to strangers, with its own page around them."""
    posts: dict[str, str] = {}

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            post = posts.get(self.path)
            body = AROUND.format(post or "Nothing here").encode()
            self.send_response(404 if post is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return None

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://localhost:{server.server_port}"
        posts["/losser"] = "Gemeente Losser"
        settings = {**SETTINGS, "page_url": f"{url}/losser"}
        try:
            yield Network(settings, Egress({("localhost", server.server_port)}), url, posts)
        finally:
            server.shutdown()


def person(far: FarSide, copy: Copy, previous: Published | None) -> Published:
    """Pastes the text, line by line, and copies the address; a correction is made in the post itself."""
    assert isinstance(far, Network)
    far.posts[POST] = "".join(f"<p>{escape(line)}</p>" for line in copy.text.split("\n\n"))
    assert previous is None or previous.url == far.url + POST
    return Published("", far.url + POST)


CASE = BroadcastCase(
    name="byhand",
    settings=SETTINGS,
    wrong=(
        ({}, frozenset({"network", "account"})),
        (
            {"network": "hyves", "account": "", "page_url": "losser", "length": 5, "unit": "ells"},
            frozenset({"network", "account", "page_url", "length", "unit"}),
        ),
        ({**SETTINGS, "page_url": "https://user:geheim@facebook.example/losser"}, frozenset({"page_url"})),
    ),
    secrets=("geheim",),
    # Nothing leaves us, whatever the network does: a person says what came of it.
    moments={"whatever the network does": Expected(Outcome.DEFERRED, Reason.BY_HAND)},
    far_side=network,
    person=person,
)
