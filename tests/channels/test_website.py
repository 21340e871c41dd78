"""The website: what stands in the folder after each act."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree, html

from channels.contract import Act, Copy, Outcome, OutletDown, Published, Reason, SeenState
from channels.kit.egress import Egress
from tests.support.bulletins import NL, SENDER, WHEN
from tests.support.site import BASE, CORRECTION, REASON, announcement, copy, public_files, put, website

ATOM = {"a": "http://www.w3.org/2005/Atom", "at": "http://purl.org/atompub/tombstones/1.0"}
NOW = datetime.now(UTC)


def banner(folder: Path, language: str = "nl") -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((folder / "banner.json").read_text())["languages"][language][
        "announcements"
    ]
    return found


def feed(folder: Path, language: str = "nl") -> etree._Element:
    return etree.fromstring((folder / language / "feed.atom").read_bytes(), etree.XMLParser(resolve_entities=False))


def listed(folder: Path, language: str = "nl") -> list[str]:
    page = html.parse(str(folder / language / "index.html"))
    return [str(link.get("href")) for link in page.iterfind(".//a[@class='list__title']")]


def test_an_announcement_stands_on_its_page_and_everywhere_that_leads_to_it(tmp_path: Path) -> None:
    site = website(tmp_path, titles={"nl": "Berichten van Losser"})
    receipts = asyncio.run(put(site, announcement()))
    assert [(receipt.remote_id, receipt.url) for receipt in receipts] == [
        ("nl/corona", f"{BASE}/nl/corona/"),
        ("en/corona", f"{BASE}/en/corona/"),
    ]
    page = html.parse(str(tmp_path / "nl/corona/index.html")).getroot()
    assert page.get("lang") == "nl"
    assert page.findtext(".//h1") == f"{NL.title} (1)"
    assert page.xpath("string(//meta[@name='omroeper-revision']/@content)") == "1"
    assert "zondag 15 maart 2026, 17.00 uur" in page.text_content()
    assert page.xpath("//span[@class='fact'][.='053 000 00 00']"), "a telephone number may break"
    assert page.xpath("string(//link[@rel='alternate'][@hreflang='en']/@href)") == f"{BASE}/en/corona/"
    assert listed(tmp_path) == ["/nl/corona/"]
    assert listed(tmp_path, "en") == ["/en/corona/"]
    assert (tmp_path / "index.html").read_bytes() == (tmp_path / "nl/index.html").read_bytes()
    assert [item["url"] for item in banner(tmp_path)] == [f"{BASE}/nl/corona/"]
    assert feed(tmp_path).xpath("string(a:entry/a:link/@href)", namespaces=ATOM) == f"{BASE}/nl/corona/"
    sitemap = (tmp_path / "sitemap.xml").read_text()
    assert f"<loc>{BASE}/nl/corona/</loc>" in sitemap
    assert f"<loc>{BASE}/en/corona/</loc>" in sitemap
    assert "Berichten van Losser" in (tmp_path / "404.html").read_text()
    assert "Disallow: /" in (tmp_path / "robots.txt").read_text(), "the practice town is not for search engines"


def test_a_practice_page_says_so_and_a_real_one_does_not(tmp_path: Path) -> None:
    practice, real = announcement(), announcement(sender=replace(SENDER, practice=False))
    site = website(tmp_path)
    assert "Voorbeeld, niet van de gemeente" in copy(site, practice).parts["page"]
    assert "Voorbeeld" not in copy(site, real).parts["page"]
    asyncio.run(put(site, real))
    assert "Voorbeeld" not in "".join(p.decode() for n, p in public_files(tmp_path).items() if n.endswith(".html"))
    assert f"Sitemap: {BASE}/sitemap.xml" in (tmp_path / "robots.txt").read_text()


def test_a_correction_takes_the_place_of_what_it_corrects(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path)
        first = await put(site, announcement())
        entry_before = feed(tmp_path).findtext("a:entry/a:id", namespaces=ATOM)
        second = copy(site, announcement(revision=2), "nl", Act.UPDATE)
        receipt = await site.amend(second, first[0].published(), "k2")
        assert (receipt.outcome, receipt.url) == (Outcome.ACCEPTED, first[0].url)
        assert feed(tmp_path).findtext("a:entry/a:id", namespaces=ATOM) == entry_before

    asyncio.run(run())
    page = html.parse(str(tmp_path / "nl/corona/index.html")).getroot()
    assert page.xpath("string(//meta[@name='omroeper-revision']/@content)") == "2"
    words = " ".join(page.text_content().split())
    assert f"Verbeterd op maandag 16 maart 2026, 17.00 uur. {CORRECTION['nl']}" in words
    assert "Versie 1, zondag 15 maart 2026, 17.00 uur Eerste bericht." in words
    assert f"Versie 2, maandag 16 maart 2026, 17.00 uur {CORRECTION['nl']}" in words
    assert [item["revision"] for item in banner(tmp_path)] == [2]


def test_an_older_revision_never_overwrites_a_newer_one(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path)
        await put(site, announcement(revision=3), Act.UPDATE)
        before = public_files(tmp_path)
        late = copy(site, announcement(revision=2), "nl", Act.UPDATE)
        receipt = await site.publish(late, "late")
        assert receipt.outcome is Outcome.ACCEPTED
        assert receipt.url == f"{BASE}/nl/corona/"
        assert "revision 3" in receipt.detail
        assert public_files(tmp_path) == before
        assert await site.look_up("late") is not None

    asyncio.run(run())


def test_a_withdrawn_announcement_says_so_and_is_found_nowhere_else(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path)
        await put(site, announcement("other"))
        receipts = await put(site, announcement())
        entry = feed(tmp_path).xpath("string(a:entry[a:link[contains(@href, 'corona')]]/a:id)", namespaces=ATOM)
        notice = copy(site, announcement(act=Act.WITHDRAW), "nl", Act.WITHDRAW)
        receipt = await site.withdraw(notice, receipts[0].published(), "k3")
        assert (receipt.outcome, receipt.url) == (Outcome.ACCEPTED, receipts[0].url)
        late = await site.publish(copy(site, announcement()), "late repeat of the first")
        assert "newer" in late.detail
        stone = feed(tmp_path).find("at:deleted-entry", ATOM)
        assert stone is not None
        assert stone.get("ref") == entry
        assert datetime.fromisoformat(str(stone.get("when"))) == WHEN + timedelta(days=1)
        assert REASON["nl"] in "".join(str(each) for each in stone.itertext())

    asyncio.run(run())
    page = html.parse(str(tmp_path / "nl/corona/index.html")).getroot()
    assert str(page.findtext(".//h1")).startswith("Ingetrokken: ")
    words = " ".join(page.text_content().split())
    assert f"Dit bericht geldt niet meer. {REASON['nl']}" in words
    assert page.xpath("//meta[@name='robots'][@content='noindex']")
    assert listed(tmp_path) == ["/nl/other/"]
    assert [item["url"] for item in banner(tmp_path)] == [f"{BASE}/nl/other/"]
    assert "/nl/corona/" not in (tmp_path / "sitemap.xml").read_text()
    assert "/en/corona/" in (tmp_path / "sitemap.xml").read_text(), "the English page still stands"


def test_a_repeat_under_the_same_key_changes_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path)
        first = copy(site, announcement())
        one = await site.publish(first, "k1")
        stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
        two = await site.publish(first, "k1")
        assert one == two
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == stamps
        assert await site.look_up("k1") == one
        assert await site.look_up("never used") is None

    asyncio.run(run())


def test_a_page_that_someone_changed_is_put_right_by_the_same_copy(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path)
        first = copy(site, announcement())
        await site.publish(first, "k1")
        page = tmp_path / "nl/corona/index.html"
        page.write_text(page.read_text().replace("053 000 00 00", "053 000 00 99"))
        await site.amend(first, Published("nl/corona", f"{BASE}/nl/corona/"), "k1")
        assert page.read_text() == first.parts["page"]

    asyncio.run(run())


def test_an_address_of_another_announcement_is_not_taken_over(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path)
        await put(site, announcement())
        before = public_files(tmp_path)
        receipt = await site.publish(copy(site, announcement(revision=9, announcement="another")), "k")
        assert (receipt.outcome, receipt.reason) == (Outcome.REJECTED, Reason.POLICY)
        assert public_files(tmp_path) == before

    asyncio.run(run())


def test_an_early_page_is_unlisted_and_leads_on_once_the_announcement_is_public(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path)
        receipts = await put(site, announcement(early=True), key="early")
        assert receipts[0].url == f"{BASE}/early/token-corona-nl/corona/"
        early = tmp_path / "early/token-corona-nl/corona/index.html"
        assert "noindex" in early.read_text()
        assert "application/ld+json" not in early.read_text()
        for name, content in public_files(tmp_path).items():
            assert name.startswith(("early/", "assets/")) or b"token-corona" not in content, name
        assert listed(tmp_path) == []
        assert banner(tmp_path) == []
        await put(site, announcement())
        assert html.parse(str(early)).xpath("string(//a[@id='moved']/@href)") == f"{BASE}/nl/corona/"
        assert "token-corona" not in (tmp_path / "nl/corona/index.html").read_text()
        # A repeat of the early copy that comes late does not bring the old page back.
        late = await site.publish(copy(site, announcement(early=True)), "early.nl")
        assert late.outcome is Outcome.ACCEPTED
        assert html.parse(str(early)).xpath("//a[@id='moved']")

    asyncio.run(run())


def test_what_has_expired_leaves_list_feed_and_banner_and_keeps_its_page(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path)
        end = NOW + timedelta(days=1)
        await put(site, announcement("short", expires_at=end))
        await put(site, announcement("long"))
        assert sorted(listed(tmp_path)) == ["/nl/long/", "/nl/short/"]
        until = {str(item["url"]): str(item["until"]) for item in banner(tmp_path)}
        assert datetime.fromisoformat(until[f"{BASE}/nl/short/"]) == end
        page = (tmp_path / "nl/short/index.html").read_bytes()
        await site.refresh(end)
        assert listed(tmp_path) == ["/nl/long/"]
        assert [item["url"] for item in banner(tmp_path)] == [f"{BASE}/nl/long/"]
        assert "short" not in (tmp_path / "nl/feed.atom").read_text()
        assert (tmp_path / "nl/short/index.html").read_bytes() == page

    asyncio.run(run())


def test_an_announcement_without_an_end_leaves_the_banner_and_stays_in_the_list(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path, banner_days=14)
        await put(site, announcement(expires_at=None, published_at=NOW))
        await site.refresh(NOW + timedelta(days=13))
        assert len(banner(tmp_path)) == 1
        await site.refresh(NOW + timedelta(days=14))
        assert banner(tmp_path) == []
        assert listed(tmp_path) == ["/nl/corona/"]

    asyncio.run(run())


def test_an_emergency_stands_first(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path, banner_length=1)
        await put(site, announcement("fire", kind="emergency", published_at=WHEN - timedelta(days=1)))
        await put(site, announcement("news", kind="news"))
        assert listed(tmp_path) == ["/nl/fire/", "/nl/news/"]
        assert [(item["emergency"], item["url"]) for item in banner(tmp_path)] == [(True, f"{BASE}/nl/fire/")]

    asyncio.run(run())


def test_an_empty_site_can_be_read_before_anything_is_published(tmp_path: Path) -> None:
    asyncio.run(website(tmp_path).refresh(NOW))
    assert "Er zijn nu geen berichten" in (tmp_path / "index.html").read_text()
    assert "There are no announcements now" in (tmp_path / "en/index.html").read_text()
    assert len(feed(tmp_path).findall("a:entry", ATOM)) == 0


@pytest.mark.parametrize("backwards", [False, True])
def test_a_rebuild_from_the_copies_gives_the_same_bytes(tmp_path: Path, backwards: bool) -> None:
    """Copies as the ledger holds them: each was accepted under its key, in any order."""

    async def run() -> None:
        acts = [
            (announcement("one"), Act.ANNOUNCE),
            (announcement("two", early=True), Act.ANNOUNCE),
            (announcement("two"), Act.ANNOUNCE),
            (announcement("one", revision=2), Act.UPDATE),
            (announcement("gone"), Act.ANNOUNCE),
            (announcement("gone", act=Act.WITHDRAW), Act.WITHDRAW),
        ]
        original, rebuilt = tmp_path / "original", tmp_path / "rebuilt"
        site = website(original)
        given: list[tuple[Copy, str]] = []
        for number, (bulletin, act) in enumerate(acts):
            for language in bulletin.texts:
                made = copy(site, bulletin, language, act)
                given.append((Copy.from_json(made.to_json()), f"k{number}{language}"))
                assert (await site.publish(*given[-1])).outcome is Outcome.ACCEPTED
        count = await website(rebuilt).rebuild(reversed(given) if backwards else given)
        assert count == 8
        assert public_files(rebuilt) == public_files(original)
        manifests = [(folder / ".omroeper/manifest.json").read_bytes() for folder in (original, rebuilt)]
        assert manifests[0] == manifests[1]

    asyncio.run(run())


def test_a_rebuild_puts_a_damaged_manifest_right(tmp_path: Path) -> None:
    async def run() -> None:
        site = website(tmp_path)
        first = copy(site, announcement())
        await site.publish(first, "k1")
        before = public_files(tmp_path)
        (tmp_path / ".omroeper/manifest.json").write_text("{")
        with pytest.raises(OutletDown) as caught:
            await site.publish(first, "k1")
        assert caught.value.needs_person
        assert public_files(tmp_path) == before
        await site.rebuild([(first, "k1")])
        assert public_files(tmp_path) == before
        assert await site.look_up("k1") is not None

    asyncio.run(run())


def test_a_site_below_a_path_leads_to_its_own_pages(tmp_path: Path) -> None:
    base = "https://losser.example/berichten"
    asyncio.run(put(website(tmp_path, base_url=base), announcement(base_url=base)))
    assert listed(tmp_path) == ["/berichten/nl/corona/"]
    page = (tmp_path / "nl/corona/index.html").read_text()
    assert 'href="/berichten/assets/omroeper-1.css"' in page
    assert banner(tmp_path)[0]["url"] == f"{base}/nl/corona/"


def test_the_site_carries_the_style_that_its_pages_name(tmp_path: Path) -> None:
    built = tmp_path / "built"
    built.mkdir()
    (built / "omroeper-1.css").write_text("body { color: black }")
    site = website(tmp_path / "site", assets=str(built))

    async def run() -> None:
        await put(site, announcement())
        style = tmp_path / "site/assets/omroeper-1.css"
        assert style.read_text() == "body { color: black }"
        (built / "omroeper-1.css").write_text("body { color: navy }")
        await site.refresh(NOW)
        assert style.read_text() == "body { color: navy }"
        assert [finding.what for finding in await site.check() if "style" in finding.what] == []
        (built / "omroeper-1.css").unlink()
        assert [finding.remedy for finding in await site.check() if "style" in finding.what] == ["Run: make assets"]

    asyncio.run(run())


def test_a_folder_with_a_site_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<h1>The town's own site</h1>")
    with pytest.raises(OutletDown, match="no manifest") as caught:
        asyncio.run(website(tmp_path).publish(copy(website(tmp_path), announcement()), "k1"))
    assert caught.value.needs_person
    assert public_files(tmp_path) == {"index.html": b"<h1>The town's own site</h1>"}


def test_what_cannot_be_reached_is_not_called_missing(tmp_path: Path) -> None:
    site = website(tmp_path, base_url="http://localhost:9")
    seen = asyncio.run(site.read_back(Published("nl/corona", "http://localhost:9/nl/corona/")))
    assert seen.state is SeenState.UNREACHABLE
    assert "localhost:9 is not a public address" in seen.detail
    allowed = website(tmp_path, base_url="http://localhost:9", egress=Egress({("localhost", 9)}))
    seen = asyncio.run(allowed.read_back(Published("nl/corona", "http://localhost:9/nl/corona/")))
    assert (seen.state, seen.detail) == (SeenState.UNREACHABLE, "localhost:9 cannot be reached")
