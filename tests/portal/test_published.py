"""The published site behind a real server: what readers get, how fresh it is, and what is refused."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from channels.contract import Act, Published, SeenState
from tests.support.site import announcement, copy, put, website
from tests.support.web import Edge, serving


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """A server on a site with one announcement."""
    folder = tmp_path_factory.mktemp("edge") / "site"
    built = folder.parent / "built"
    built.mkdir()
    (built / "omroeper-1.css").write_text("body { margin: 0 }")
    with serving(folder, EDGE_BODY_SECONDS="0.5") as running:
        asyncio.run(put(running.site, announcement(base_url=running.base_url)))
        yield running


def test_a_page_is_served_with_what_browsers_must_know(edge: Edge) -> None:
    answer = edge.ask("/nl/corona/")
    assert answer.status == 200
    assert answer.body == (edge.folder / "nl/corona/index.html").read_bytes()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "public, max-age=20, stale-if-error=86400"
    policy = answer.headers["content-security-policy"]
    for rule in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy, "no script runs on a page of the site"
    assert "set-cookie" not in answer.headers
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/en/", "text/html; charset=utf-8"),
        ("/nl/feed.atom", "application/atom+xml; charset=utf-8"),
        ("/banner.json", "application/json"),
        ("/banner.js", "text/javascript; charset=utf-8"),
        ("/sitemap.xml", "application/xml; charset=utf-8"),
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/assets/omroeper-1.css", "text/css; charset=utf-8"),
    ],
)
def test_each_file_has_its_type(edge: Edge, path: str, kind: str) -> None:
    answer = edge.ask(path)
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_only_the_banner_is_for_other_sites(edge: Edge) -> None:
    for path in ("/banner.json", "/banner.js"):
        assert edge.ask(path).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in edge.ask("/nl/corona/").headers


def test_what_a_reader_has_already_is_not_sent_again(edge: Edge) -> None:
    first = edge.ask("/nl/corona/")
    for tags in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = edge.ask("/nl/corona/", if_none_match=tags)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["cache-control"] == first.headers["cache-control"]
    assert edge.ask("/nl/corona/", if_modified_since=first.headers["last-modified"]).status == 304
    assert edge.ask("/nl/corona/", if_modified_since=formatdate(0, usegmt=True)).status == 200
    assert edge.ask("/nl/corona/", if_modified_since="yesterday").status == 200
    # A tag that differs decides, whatever the date says (RFC 9110 section 13.2.2).
    both = edge.ask("/nl/corona/", if_none_match='"x"', if_modified_since=first.headers["last-modified"])
    assert both.status == 200


def test_head_tells_the_same_without_the_body(edge: Edge) -> None:
    head, get = edge.ask("/nl/corona/", "HEAD"), edge.ask("/nl/corona/")
    assert (head.status, head.body) == (200, b"")
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


def test_a_browser_that_can_unpack_gets_it_packed(edge: Edge) -> None:
    plain = edge.ask("/nl/corona/")
    packed = edge.ask("/nl/corona/", accept_encoding="br, gzip;q=0.8")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in edge.ask("/nl/corona/", accept_encoding="gzip;q=0").headers


def test_an_address_without_its_slash_leads_on(edge: Edge) -> None:
    answer = edge.ask("/nl/corona")
    assert (answer.status, answer.headers["location"]) == (308, "/nl/corona/")


@pytest.mark.parametrize("path", ["/nl/nothing/", "/x", "/nl/corona/more/", "/index.html/", "/favicon.ico"])
def test_what_is_not_there_is_told_in_our_own_page(edge: Edge, path: str) -> None:
    answer = edge.ask(path)
    assert answer.status == 404
    assert b"Deze pagina is er niet" in answer.body
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert edge.ask(path, "HEAD").body == b""


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/.omroeper/manifest.json",
            "/nl/../.omroeper/manifest.json",
            "/%2eomroeper/manifest.json",
            "/../built/x.css",
        ),
        *(
            "/nl/..%2f..%2fsecret.txt",
            "/..%5csecret.txt",
            "/nl/%00",
            "//etc/passwd",
            "/%2e%2e/secret.txt",
            "/" + "x" * 5000,
        ),
        *("/linked/secret.txt", "/link.txt", "/assets/../../secret.txt"),
    ],
)
def test_nothing_outside_the_site_is_shown(edge: Edge, path: str) -> None:
    (edge.folder.parent / "secret.txt").write_text("secret")
    for link, target in ((edge.folder / "linked", edge.folder.parent), (edge.folder / "link.txt", "../secret.txt")):
        if not link.is_symlink():
            link.symlink_to(target)
    answer = edge.ask(path)
    assert answer.status in (400, 404)
    assert b"secret" not in answer.body
    assert b"entries" not in answer.body


def test_every_process_shows_a_change_at_once(edge: Edge) -> None:
    bulletin = announcement("fresh", base_url=edge.base_url)
    for revision in range(1, 6):
        acts = Act.UPDATE if revision > 1 else Act.ANNOUNCE
        later = announcement("fresh", revision=revision, base_url=edge.base_url)
        asyncio.run(put(edge.site, later, acts))
        wanted = f'<meta name="omroeper-revision" content="{revision}">'.encode()
        assert all(wanted in edge.ask("/nl/fresh/").body for _ in range(8)), "two processes, eight connections"
    assert bulletin.slug.encode() in edge.ask("/nl/").body


def test_a_page_that_is_taken_away_is_gone(edge: Edge) -> None:
    page = edge.folder / "nl/short.txt"
    page.write_text("here")
    assert edge.ask("/nl/short.txt").body == b"here"
    page.unlink()
    assert edge.ask("/nl/short.txt").status == 404


def test_an_early_page_stays_out_of_caches_and_search_engines(edge: Edge) -> None:
    asyncio.run(put(edge.site, announcement("soon", early=True, base_url=edge.base_url)))
    answer = edge.ask("/early/token-soon-nl/soon/")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_proof_reads_what_the_public_reads(edge: Edge) -> None:
    async def run() -> None:
        site = edge.site
        bulletin = announcement("proof", base_url=edge.base_url)
        made = copy(site, bulletin)
        receipt = await site.publish(made, "proof")
        assert (await site.read_back(receipt.published())).text == made.text
        page = edge.folder / "nl/proof/index.html"
        page.write_text(page.read_text().replace("053 000 00 00", "053 000 00 99"))
        seen = await site.read_back(receipt.published())
        assert seen.state is SeenState.FOUND
        assert seen.text == made.text.replace("053 000 00 00", "053 000 00 99")
        page.unlink()
        assert (await site.read_back(receipt.published())).state is SeenState.MISSING
        strange = await site.read_back(Published("", f"{edge.base_url}/banner.json"))
        assert (strange.state, strange.text) == (SeenState.FOUND, "")

    asyncio.run(run())


def test_the_proof_of_an_early_page_follows_it_to_the_public_one(edge: Edge) -> None:
    async def run() -> None:
        site = edge.site
        early = await site.publish(copy(site, announcement("later", early=True, base_url=edge.base_url)), "e")
        made = copy(site, announcement("later", base_url=edge.base_url))
        await site.publish(made, "p")
        assert (await site.read_back(early.published())).text == made.text

    asyncio.run(run())


def test_other_paths_and_their_bodies_reach_the_application(edge: Edge) -> None:
    assert edge.ask("/leave/abc/").body == b"/leave/abc/ 0"
    assert edge.ask("/leave/abc/", "POST", b"List-Unsubscribe=One-Click").body == b"/leave/abc/ 26"


def test_a_page_takes_no_other_method(edge: Edge) -> None:
    answer = edge.ask("/nl/corona/", "POST", b"x")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert edge.ask("/nowhere/", "DELETE").status == 404


def test_a_request_for_no_path_at_all_is_answered(edge: Edge) -> None:
    assert edge.raw(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")[9:10] == b"4"


def test_headers_that_are_too_large_are_refused(edge: Edge) -> None:
    assert edge.ask("/nl/corona/", x_padding="a" * 30_000).status == 200
    answer = edge.ask("/nl/corona/", x_padding="a" * 33_000)
    assert answer.status == 431
    assert edge.ask("/leave/x/", x_a="a" * 20_000, x_b="b" * 20_000).status == 431
    assert edge.ask("/leave/" + "x" * 40_000 + "/").status == 431


def test_a_body_that_is_announced_too_large_is_refused_unread(edge: Edge) -> None:
    sent = b"POST /leave/x/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n"
    assert edge.raw(sent).startswith(b"HTTP/1.1 413 ")
    assert edge.ask("/leave/x/", "POST", b"x" * 100_000).body == b"/leave/x/ 100000"
    assert edge.ask("/leave/x/", "POST", b"x" * 100_001).status == 413


def test_a_body_that_turns_out_too_large_is_refused(edge: Edge) -> None:
    sent = b"POST /leave/x/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n"
    assert edge.raw(sent, then=chunk * 2 + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("head", [b"Content-Length: 50\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_that_does_not_come_is_given_up(edge: Edge, head: bytes) -> None:
    answer = edge.raw(b"POST /leave/x/ HTTP/1.1\r\nHost: localhost\r\n" + head + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_drips_is_given_up_as_well(edge: Edge) -> None:
    with socket.create_connection(("127.0.0.1", edge.port), timeout=0.1) as line:
        line.sendall(b"POST /leave/x/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n")
        for _ in range(100):
            line.sendall(b"x")
            with contextlib.suppress(TimeoutError):  # no answer within a tenth of a second: another drop
                assert line.recv(65536).startswith(b"HTTP/1.1 408 ")
                return
    pytest.fail("ten seconds of drops were taken")


def test_a_site_below_a_path_over_tls(tmp_path: Path) -> None:
    (tmp_path / "built").mkdir()
    with serving(tmp_path / "site", EDGE_PREFIX="/berichten", EDGE_SECURE="1") as edge:
        asyncio.run(put(website(tmp_path / "site", base_url="https://losser.example/berichten"), announcement()))
        answer = edge.ask("/berichten/nl/corona/")
        assert answer.status == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert edge.ask("/berichten/nl/corona").headers["location"] == "/berichten/nl/corona/"
        assert edge.ask("/berichten/nothing/").status == 404


def test_the_web_process_is_put_together(tmp_path: Path) -> None:
    """The product's own application: limits, then the site, then Django."""
    (tmp_path / "data").mkdir()
    environment = {
        "OMROEPER_SITE": str(tmp_path / "site"),
        "OMROEPER_DATA": str(tmp_path / "data"),
        "OMROEPER_SWEEP_SECONDS": "3600",
        "OMROEPER_BASE_URL": "http://localhost:8700",
    }
    with serving(tmp_path / "site", "dispatcher.config.asgi:application", **environment) as edge:
        asyncio.run(put(edge.site, announcement(base_url=edge.base_url)))
        assert edge.ask("/nl/corona/").status == 200
        assert edge.ask("/nl/nothing/").status == 404
        assert edge.ask("/nl/corona/", x_padding="a" * 40_000).status == 431
        assert edge.raw(
            b"POST /leave/x/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n"
        ).startswith(b"HTTP/1.1 413 ")
