"""Sites for tests: the website channel on a folder, and announcements to put there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from channels.contract import Act, Bulletin, Change, Copy, Image, Outcome, Receipt, Surroundings
from channels.kit.egress import Egress
from channels.website import Website
from tests.support.bulletins import EN, NL, SENDER, WHEN

BASE = "https://losser.example"
LATER = datetime(2100, 1, 1, tzinfo=UTC)
CORRECTION = {"nl": "De balie is toch open op zaterdag.", "en": "The desk is open on Saturday after all."}
REASON = {"nl": "De datum klopte niet.", "en": "The date was wrong."}


def website(folder: Path, *, base_url: str = BASE, egress: Egress | None = None, **more: object) -> Website:
    """The channel on ``folder``, in Dutch and English."""
    values = {"folder": str(folder), "base_url": base_url, "languages": ["nl", "en"], **more}
    return Website(Website.read_settings(values), Surroundings(egress or Egress()))


def announcement(
    slug: str = "corona",
    *,
    revision: int = 1,
    act: Act = Act.ANNOUNCE,
    early: bool = False,
    base_url: str = BASE,
    **more: object,
) -> Bulletin:
    """A revision of an announcement in Dutch and English; each slug is an announcement of its own."""
    said = REASON if act is Act.WITHDRAW else CORRECTION if revision > 1 else {"nl": "", "en": ""}
    texts = {}
    for text in (NL, EN):
        place = f"early/token-{slug}-{text.language}" if early else text.language
        texts[text.language] = replace(
            text,
            url=f"{base_url}/{place}/{slug}/",
            change=said[text.language],
            title=f"{text.title} ({revision})",
            image=Image(f"{base_url}/assets/bell.svg", "Een bel"),
        )
    history = [Change(revision=1, at=_at(1), act=Act.ANNOUNCE, note={})]
    history += [Change(revision=n, at=_at(n), act=Act.UPDATE, note=CORRECTION) for n in range(2, revision + 1)]
    if act is Act.WITHDRAW:
        history.append(Change(revision=revision, at=_at(revision + 1), act=act, note=REASON))
    values = {
        "announcement": f"announcement-{slug}",
        "slug": slug,
        "revision": revision,
        "kind": "service-change",
        "texts": texts,
        "sender": SENDER,
        "published_at": WHEN,
        "updated_at": history[-1].at,
        "expires_at": LATER,
        "topics": {"nl": ("Balie en hulp",), "en": ("Desk and help",)},
        "history": tuple(history),
        "early": early,
    }
    return Bulletin(**(values | more))  # type: ignore[arg-type]


def copy(site: Website, bulletin: Bulletin, language: str = "nl", act: Act = Act.ANNOUNCE) -> Copy:
    return site.compose(bulletin, language, act, site.limits)


async def put(site: Website, bulletin: Bulletin, act: Act = Act.ANNOUNCE, *, key: str = "") -> list[Receipt]:
    """Publishes the bulletin in every language; each receipt is an acceptance."""
    receipts = []
    for language in bulletin.texts:
        made = copy(site, bulletin, language, act)
        receipts.append(await site.publish(made, f"{key or f'{bulletin.slug}.{bulletin.revision}.{act}'}.{language}"))
    assert [receipt.outcome for receipt in receipts] == [Outcome.ACCEPTED] * len(receipts)
    return receipts


def public_files(folder: Path) -> dict[str, bytes]:
    """What readers could be shown: every file by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".omroeper" not in path.parts
    }


def _at(revision: int) -> datetime:
    return WHEN + timedelta(days=revision - 1)
