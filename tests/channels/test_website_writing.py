"""Writing the site: whole files only, one writer at a time, nothing outside the folder, nothing lost when killed."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import multiprocessing
import os
import resource
import signal
from dataclasses import replace
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

import pytest

from channels.contract import Act, Copy, Outcome, OutletDown, Reason, Receipt
from channels.kit.files import PRIVATE, PathRefused, held
from channels.website import Website
from tests.support.bulletins import NL
from tests.support.site import announcement, copy, public_files, put, website

FORK = multiprocessing.get_context("fork")


def large(revision: int) -> Copy:
    """A page of a megabyte, all of which tells its revision."""
    body = f"<p>{f'revisie {revision} ' * 80_000}</p>"
    bulletin = announcement(revision=revision)
    bulletin = replace(bulletin, texts={"nl": replace(bulletin.texts["nl"], body_html=body)})
    return copy(website(Path("/unused")), bulletin, "nl", Act.UPDATE if revision > 1 else Act.ANNOUNCE)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def ended_well(process: multiprocessing.process.BaseProcess) -> None:
    process.join(60)
    assert process.exitcode == 0


def test_a_reader_never_sees_half_a_page(tmp_path: Path) -> None:
    copies = [large(1), large(2)]
    wanted = {made.parts["page"].encode() for made in copies}
    site = website(tmp_path)
    asyncio.run(site.publish(copies[0], "k0"))
    stop, seen = FORK.Event(), FORK.Queue()

    def read() -> None:
        page, lists, different = tmp_path / "nl/corona/index.html", tmp_path / "nl/index.html", set()
        count = 0
        while not stop.is_set():
            content = page.read_bytes()
            assert content in wanted, f"half a page of {len(content)} octets"
            assert lists.read_bytes().endswith(b"</html>\n")
            json.loads((tmp_path / "banner.json").read_bytes())
            different.add(len(content))
            count += 1
        seen.put((count, len(different)))

    reader = FORK.Process(target=read)
    reader.start()

    async def write() -> None:
        for turn in range(30):
            # Withdrawing and announcing anew would need new revisions; the folder's own layer knows no revisions.
            with held(tmp_path, 5) as folder:
                folder.replace({"nl/corona/index.html": copies[turn % 2].parts["page"].encode()})

    asyncio.run(write())
    stop.set()
    count, different = seen.get(timeout=30)
    ended_well(reader)
    assert count > 0
    assert different == len({len(page) for page in wanted})


def test_two_processes_that_publish_at_once_lose_nothing(tmp_path: Path) -> None:
    together: Barrier = FORK.Barrier(2)

    def publish(name: str) -> None:
        async def run() -> None:
            site = website(tmp_path)
            for number in range(15):
                await put(site, announcement(f"{name}-{number}"))

        together.wait()
        asyncio.run(run())

    writers = [FORK.Process(target=publish, args=(name,)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        ended_well(writer)
    slugs = {f"{name}-{number}" for name in ("a", "b") for number in range(15)}
    entries = json.loads((tmp_path / PRIVATE / "manifest.json").read_text())["entries"]
    assert set(entries) == {f"{language}/{slug}" for language in ("nl", "en") for slug in slugs}
    for language in ("nl", "en"):
        page = (tmp_path / language / "index.html").read_text()
        assert [slug for slug in slugs if f"/{language}/{slug}/" not in page] == []
        assert all((tmp_path / language / slug / "index.html").is_file() for slug in slugs)


def test_two_processes_with_different_revisions_leave_the_newest(tmp_path: Path) -> None:
    together: Barrier = FORK.Barrier(2)

    def publish(revisions: range) -> None:
        async def run() -> None:
            site = website(tmp_path)
            for revision in revisions:
                await put(site, announcement(revision=revision), Act.UPDATE)

        together.wait()
        asyncio.run(run())

    writers = [FORK.Process(target=publish, args=(r,)) for r in (range(20, 1, -2), range(1, 20, 2))]
    for writer in writers:
        writer.start()
    for writer in writers:
        ended_well(writer)
    newest = copy(website(tmp_path), announcement(revision=20), "nl", Act.UPDATE)
    assert (tmp_path / "nl/corona/index.html").read_text() == newest.parts["page"]


def _hold(folder: Path, held_now: Event, let_go: Event) -> None:
    with held(folder, 1):
        held_now.set()
        let_go.wait(30)


def test_a_writer_waits_for_another_process_and_then_goes_on(tmp_path: Path) -> None:
    held_now, let_go = FORK.Event(), FORK.Event()
    other = FORK.Process(target=_hold, args=(tmp_path, held_now, let_go))
    other.start()
    assert held_now.wait(30)

    async def run() -> Receipt:
        site = website(tmp_path, wait=30)
        waiting = asyncio.create_task(site.publish(copy(site, announcement()), "k1"))
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done, "it wrote while another held the folder"
        assert not (tmp_path / "nl").exists()
        let_go.set()
        return await waiting

    assert asyncio.run(run()).outcome is Outcome.ACCEPTED
    ended_well(other)


def test_a_writer_that_waited_long_enough_says_so(tmp_path: Path) -> None:
    with held(tmp_path, 1):
        site = website(tmp_path, wait=0.05)
        with pytest.raises(OutletDown, match="in use") as caught:
            asyncio.run(site.publish(copy(site, announcement()), "k1"))
    assert not caught.value.needs_person
    assert caught.value.retry_after == 5
    assert asyncio.run(site.publish(copy(site, announcement()), "k1")).outcome is Outcome.ACCEPTED


def test_the_lock_of_a_killed_writer_is_free(tmp_path: Path) -> None:
    held_now, let_go = FORK.Event(), FORK.Event()
    other = FORK.Process(target=_hold, args=(tmp_path, held_now, let_go))
    other.start()
    assert held_now.wait(30)
    assert other.pid is not None
    os.kill(other.pid, signal.SIGKILL)
    other.join(30)
    with held(tmp_path, 1) as folder:
        folder.replace({"a.txt": b"a"})
    assert (tmp_path / "a.txt").read_bytes() == b"a"


def test_no_room_changes_nothing_and_is_tried_again(tmp_path: Path) -> None:
    site = website(tmp_path)
    asyncio.run(site.publish(large(1), "k1"))
    before = public_files(tmp_path)
    second = large(2)
    answers = FORK.Queue()

    def cramped() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
        answers.put(asyncio.run(site.publish(second, "k2")))

    writer = FORK.Process(target=cramped)
    writer.start()
    receipt = answers.get(timeout=30)
    ended_well(writer)
    assert (receipt.outcome, receipt.reason) == (Outcome.DEFERRED, Reason.STORAGE)
    assert "no room" in receipt.detail
    assert public_files(tmp_path) == before
    assert names(tmp_path / PRIVATE) == ["lock", "manifest.json"], "something was left behind"
    assert asyncio.run(site.look_up("k2")) is None
    assert asyncio.run(site.publish(second, "k2")).outcome is Outcome.ACCEPTED


def test_where_one_file_has_no_room_none_changes(tmp_path: Path) -> None:
    with held(tmp_path, 1) as folder:
        folder.replace({"a.txt": b"before", "b.txt": b"before"})

    def cramped() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with held(tmp_path, 1) as folder, pytest.raises(OSError, match=os.strerror(errno.EFBIG)):
            folder.replace({"a.txt": b"after", "b.txt": b"after" * 1000})

    writer = FORK.Process(target=cramped)
    writer.start()
    ended_well(writer)
    assert public_files(tmp_path) == {"a.txt": b"before", "b.txt": b"before"}


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EIO, errno.ENOSPC])
def test_a_folder_that_cannot_be_written_takes_the_outlet_down(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = website(tmp_path)
    made = copy(site, announcement())

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)  # the first thing that touches the disk
    with pytest.raises(OutletDown, match=os.strerror(number)) as caught:
        asyncio.run(site.publish(made, "k1"))
    assert caught.value.needs_person is (number != errno.ENOSPC)


def _publish_and_die(site: Website, made: Copy, renames: int) -> None:
    """Publishes, and is killed right before the file that would be the next one takes its place."""
    real, left = os.rename, renames

    def counting(*arguments: object, **more: object) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        real(*arguments, **more)  # type: ignore[arg-type]

    os.rename = counting
    asyncio.run(site.publish(made, "k2"))


def test_killed_at_any_moment_the_repeat_makes_it_whole(tmp_path: Path) -> None:
    reference = website(tmp_path / "reference")
    acts = [(announcement(), Act.ANNOUNCE), (announcement(revision=2), Act.UPDATE)]
    copies = [copy(reference, bulletin, "nl", act) for bulletin, act in acts]
    for number, made in enumerate(copies, start=1):
        asyncio.run(reference.publish(made, f"k{number}"))
    wanted = public_files(tmp_path / "reference")
    killed = 0
    for renames in range(20):
        folder = tmp_path / f"killed-{renames}"
        site = website(folder)
        asyncio.run(site.publish(copies[0], "k1"))
        before = public_files(folder)
        writer = FORK.Process(target=_publish_and_die, args=(site, copies[1], renames))
        writer.start()
        writer.join(30)
        known = asyncio.run(site.look_up("k2"))
        for path, content in public_files(folder).items():
            assert content in (before[path], wanted[path]), f"{path} is neither old nor new"
        if writer.exitcode == 0:
            assert known is not None
            break
        killed += 1
        # The manifest comes last: what it knows is on the site.
        assert known is None or public_files(folder) == wanted
        assert asyncio.run(site.publish(copies[1], "k2")).outcome is Outcome.ACCEPTED
        assert public_files(folder) == wanted
        assert names(folder / PRIVATE) == ["lock", "manifest.json"]
    assert killed > 5, "the killing did not reach the moments between the files"


@pytest.mark.parametrize("place", ["nl", "nl/corona", "nl/corona/index.html", "nl/index.html", "banner.json"])
def test_a_planted_symbolic_link_is_refused(tmp_path: Path, place: str) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "index.html").write_text("not ours")
    asyncio.run(website(site).refresh(announcement().published_at))
    planted = site / place
    planted.parent.mkdir(parents=True, exist_ok=True)
    if planted.is_dir():
        for file in planted.iterdir():
            file.unlink()
        planted.rmdir()
    planted.unlink(missing_ok=True)
    planted.symlink_to(elsewhere / "index.html" if "." in place else elsewhere)
    receipt = asyncio.run(website(site).publish(copy(website(site), announcement()), "k1"))
    assert (receipt.outcome, receipt.reason) == (Outcome.REJECTED, Reason.POLICY)
    assert "path refused" in receipt.detail
    assert public_files(elsewhere) == {"index.html": b"not ours"}
    assert planted.is_symlink()


@pytest.mark.parametrize("place", [PRIVATE, f"{PRIVATE}/lock", f"{PRIVATE}/manifest.json"])
def test_a_symbolic_link_in_what_is_ours_takes_the_outlet_down(tmp_path: Path, place: str) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("not ours")
    planted = site / place
    planted.parent.mkdir(parents=True)
    planted.symlink_to(elsewhere if place == PRIVATE else elsewhere / "file")
    with pytest.raises(OutletDown) as caught:
        asyncio.run(website(site).publish(copy(website(site), announcement()), "k1"))
    assert caught.value.needs_person
    assert public_files(elsewhere) == {"file": b"not ours"}


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a//b", "a/../b", ".", "", "a/", ".hidden", "a\0b", "a\\b", "x" * 300, "ä", f"a/{PRIVATE}/b"]
)
def test_no_path_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "site").mkdir()
    with held(tmp_path / "site", 1) as folder, pytest.raises(PathRefused):
        folder.replace({path: b"outside"})
    assert sorted(each.name for each in tmp_path.rglob("*")) == [PRIVATE, "lock", "site"]


def test_a_web_server_of_another_user_can_read_the_pages_and_not_what_is_ours(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        asyncio.run(put(website(tmp_path / "site"), announcement()))
    finally:
        os.umask(before)
    modes = {str(p.relative_to(tmp_path / "site")): p.stat().st_mode & 0o777 for p in (tmp_path / "site").rglob("*")}
    assert modes["nl"] == modes["nl/corona"] == 0o755
    assert modes["nl/corona/index.html"] == modes["banner.json"] == 0o644
    assert modes[PRIVATE] == 0o700


def test_what_a_dead_writer_left_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / PRIVATE).mkdir(mode=0o700)
    (tmp_path / PRIVATE / "next-7").write_text("half a pa")
    asyncio.run(put(website(tmp_path), announcement()))
    assert names(tmp_path / PRIVATE) == ["lock", "manifest.json"]
    assert NL.summary in (tmp_path / "nl/corona/index.html").read_text().replace('<span class="fact">', "").replace(
        "</span>", ""
    )
