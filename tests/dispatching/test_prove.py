"""Proof: what the public sees against what was meant."""

from __future__ import annotations

from pathlib import Path

from django.utils.timezone import now

from dispatcher.dispatching import prove
from dispatcher.dispatching.models import Delivery, Proof
from tests.support.scene import Scene, SiteServer


def _read(delivery: Delivery) -> Proof:
    Proof.objects.filter(delivery=delivery).update(due_at=now())
    prove.prove(delivery.pk)
    return Proof.objects.get(delivery=delivery)


def _page(scene: Scene) -> tuple[Delivery, Path]:
    scene.website()
    announcement = scene.announced()
    scene.work()
    return Delivery.objects.get(target="nl"), scene.folder / "nl" / announcement.slug / "index.html"


def test_same(scene: Scene) -> None:
    delivery, _ = _page(scene)
    proof = _read(delivery)
    assert proof.result == "same"
    assert proof.due_at is not None, "it is live: it is read again"


def test_tampered_with(scene: Scene) -> None:
    delivery, page = _page(scene)
    page.write_text(page.read_text().replace("053", "054"))
    proof = _read(delivery)
    assert proof.result == "differs"
    assert "054 000 00 00" in proof.seen.replace("\u00a0", " ")


def test_gone_from_the_folder(scene: Scene) -> None:
    delivery, page = _page(scene)
    page.unlink()
    page.parent.rmdir()
    assert _read(delivery).result == "missing"


def test_nobody_answers(scene: Scene, site: SiteServer) -> None:
    delivery, _ = _page(scene)
    site.stop()
    proof = _read(delivery)
    assert proof.result == "unreachable"
    assert proof.detail
    assert proof.due_at is not None, "it is tried again"


def test_a_corrected_copy_is_read_in_place_of_the_first(scene: Scene) -> None:
    scene.website()
    announcement = scene.announced()
    scene.work()
    first = Delivery.objects.get(target="nl")
    scene.corrected(announcement)
    scene.work()
    second = Delivery.objects.get(target="nl", dispatch__act="update")
    assert _read(second).result == "same"
    assert _read(first).due_at is None, "the older copy is read no more"


def test_a_withdrawn_page_says_so_and_is_proven(scene: Scene) -> None:
    scene.website()
    announcement = scene.announced()
    scene.work()
    scene.withdrawn(announcement)
    scene.work()
    notice = Delivery.objects.get(target="nl", dispatch__act="withdraw")
    assert _read(notice).result == "same"
    assert "Het klopt niet." in Proof.objects.get(delivery=notice).seen
