"""A35: no slug, language or early address leads a page out of the site's folder, or over another page."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from channels.contract import Copy, Outcome, Reason
from tests.support.bulletins import NL
from tests.support.site import BASE, announcement, copy, put, website

NAMES = (
    *(
        "..",
        ".",
        "../..",
        "../../etc/x",
        "%2e%2e",
        "..%2f",
        "..\\",
        "..\\..\\x",
        "/etc/passwd",
        "C:\\x",
        "a/b",
        "a/../b",
    ),
    *(
        "a\0b",
        "\0",
        "",
        " ",
        "a b",
        "x" * 81,
        "x" * 300,
        "Corona",
        "corona.",
        ".omroeper",
        "corona\n",
        "-\r\n",
        "\u202ecorona",
    ),
    *("con:", "ä", "corona/", "/corona", "~", "a..b", "index.html", "*", "\uff0e\uff0e", "corona\u0000.html"),
)


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["slug", "language", "early"])
def test_no_name_makes_an_address_outside_the_site(tmp_path: Path, field: str, name: str) -> None:
    """Neither when a page is composed, nor when a stored copy says so."""
    if field == "early" and name == "x" * 81:
        name = "x" * 201  # a token may be longer than a slug
    site = website(tmp_path / "site")
    asyncio.run(put(site, announcement()))
    before = everything(tmp_path)
    honest = copy(site, announcement("honest", early=field == "early"))
    text = NL
    if field == "early":
        text = replace(NL, url=f"{BASE}/early/{name}/honest/")
    if field == "language":
        text = replace(NL, language=name)
    slug = name if field == "slug" else "honest"
    bulletin = announcement(slug, early=field == "early", texts={text.language: text})
    with pytest.raises(ValueError, match="cannot be the address"):
        site.compose(bulletin, text.language, honest.act, site.limits)
    entry = json.loads(honest.parts["entry"])
    forged = {
        "slug": entry | {"slug": name, "path": f"nl/{name}"},
        "language": entry | {"language": name, "path": f"{name}/honest"},
        "early": entry | {"path": f"early/{name}/honest"},
    }[field]
    receipt = asyncio.run(site.publish(_with(honest, forged), "k"))
    assert (receipt.outcome, receipt.reason) == (Outcome.REJECTED, Reason.POLICY)
    assert "path refused" in receipt.detail
    assert everything(tmp_path) == before


@pytest.mark.parametrize("path", ["en/corona", "corona", "early/x/corona", "nl/corona/x", "../nl/corona", "nl//corona"])
def test_a_copy_is_only_put_where_its_slug_and_language_say(tmp_path: Path, path: str) -> None:
    site = website(tmp_path / "site")
    made = copy(site, announcement())
    asyncio.run(site.refresh(announcement().published_at))
    before = everything(tmp_path)
    receipt = asyncio.run(site.publish(_with(made, json.loads(made.parts["entry"]) | {"path": path}), "k"))
    assert receipt.outcome is Outcome.REJECTED
    assert everything(tmp_path) == before


def test_a_slug_like_one_of_our_own_files_harms_none_of_them(tmp_path: Path) -> None:
    site = website(tmp_path)
    for slug in ("index", "feed", "assets", "early", "banner", "nl", "404", "-", "omroeper"):
        asyncio.run(put(site, announcement(slug)))
    assert "list__title" in (tmp_path / "nl/index.html").read_text()
    assert json.loads((tmp_path / "banner.json").read_text())["version"] == 1
    assert len(json.loads((tmp_path / ".omroeper/manifest.json").read_text())["entries"]) == 18


def _with(made: Copy, entry: dict[str, object]) -> Copy:
    return replace(made, parts={**made.parts, "entry": json.dumps(entry)})
