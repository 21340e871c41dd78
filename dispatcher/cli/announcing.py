"""``announce``, ``preview``, ``update``, ``withdraw``, ``stop``: what staff do to an announcement."""

from __future__ import annotations

import getpass
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispatcher.cli.installation import attach, known_failures
from dispatcher.cli.output import AsJson, console, errors, give_up, say, show, table

if TYPE_CHECKING:
    from dispatcher.announcements.files import AnnouncementSource
    from dispatcher.announcements.models import Announcement
    from dispatcher.dispatching.models import Dispatch

File = Annotated[
    Path, typer.Argument(help="An announcement file: front matter and Markdown. '-' reads standard input.")
]
Which = Annotated[
    str, typer.Argument(metavar="ANNOUNCEMENT", help="Its slug or public id; 'omroeper follow' lists them.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Show progress until everything is settled and proven.")]


def add_to(app: typer.Typer) -> None:
    """Registers the verbs."""
    app.command(epilog="Example: omroeper announce examples/corona.md --wait")(announce)
    app.command(epilog="Example: omroeper preview examples/corona.md --outlet email --language en")(preview)
    app.command(epilog="Example: omroeper update gemeentehuis-op-afspraak examples/corona-update.md")(update)
    app.command(epilog='Example: omroeper withdraw gemeentehuis-op-afspraak --reason nl="Dit klopt niet meer."')(
        withdraw
    )
    app.command(epilog="Example: omroeper stop gemeentehuis-op-afspraak")(stop)


def actor() -> str:
    """Who acts, for the record: the account at the terminal."""
    try:
        return f"cli:{getpass.getuser()}"[:64]
    except (KeyError, OSError):
        return "cli"


def announce(
    file: File,
    wait: Wait = False,
    draft: Annotated[bool, typer.Option("--submit-only", help="Hand in for review; do not send.")] = False,
    key: Annotated[
        str | None, typer.Option(help="Request key: the same key announces once. Default: the file's content.")
    ] = None,
    grace: Annotated[
        float | None, typer.Option(help="Seconds in which it can be stopped. Default: the town's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Submit an announcement and send it: to every outlet, saying the same."""
    attach()
    source, digest = _read(file, as_json=as_json)
    from dispatcher.acts.approve import approve
    from dispatcher.acts.submit import submit

    with known_failures():
        announcement, new = submit(source, by=actor(), request_key=(key or digest)[:64])
        dispatch = announcement.dispatches.order_by("pk").first()
        if not draft and dispatch is None:
            dispatch = approve(announcement, by=actor(), grace=grace)
    if not new:
        say("This was announced before: nothing was sent again.", as_json=as_json)
    if dispatch is None:
        say(f"Handed in for review: {announcement.slug}", as_json=as_json)
        if as_json:
            show({"announcement": announcement.slug, "state": announcement.state, "new": new, "dispatch": None})
        return
    _tell(announcement, dispatch, wait=wait, as_json=as_json, new=new)


def preview(
    file: File,
    outlet: Annotated[str | None, typer.Option(help="Only this outlet.")] = None,
    language: Annotated[str | None, typer.Option(help="Only this language.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show each outlet's copy as its reader will read it. Stores and sends nothing."""
    attach()
    source, _ = _read(file, as_json=as_json)
    from dispatcher.acts.preview import preview as compose

    previews = [
        shown for shown in compose(source) if outlet in {None, shown.outlet} and language in {None, shown.language}
    ]
    if not previews:
        give_up("No outlet carries that. 'omroeper outlets' lists them.", code=2)
    if as_json:
        show([vars(shown) for shown in previews])
        return
    for shown in previews:
        console.rule(f"{shown.outlet} · {shown.language}" + (" · shortened" if shown.shortened else ""))
        console.print(shown.text, markup=False, highlight=False)


def update(
    which: Which,
    file: File,
    wait: Wait = False,
    grace: Annotated[float | None, typer.Option()] = None,
    as_json: AsJson = False,
) -> None:
    """Correct an announcement on every outlet that carried it."""
    attach()
    announcement = find(which)
    source, _ = _read(file, as_json=as_json)
    from dispatcher.acts.correct import correct

    with known_failures():
        dispatch = correct(announcement, source, by=actor(), grace=grace)
    _tell(announcement, dispatch, wait=wait, as_json=as_json)


def withdraw(
    which: Which,
    reason: Annotated[
        list[str] | None, typer.Option(help="Why, for readers, by language: nl=… (repeat for each language).")
    ] = None,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw an announcement from every outlet that carried it; it stops at once where it is still going out."""
    attach()
    announcement = find(which)
    from dispatcher.acts.withdraw import withdraw as take_back

    with known_failures():
        dispatch = take_back(announcement, by=actor(), reason=_by_language(reason or []))
    _tell(announcement, dispatch, wait=wait, as_json=as_json)


def stop(which: Which, as_json: AsJson = False) -> None:
    """Stop what was approved, while its grace lasts: nothing has left then."""
    attach()
    announcement = find(which)
    from dispatcher.acts.stop import stop as hold

    dispatch = announcement.dispatches.order_by("-pk").first()
    if dispatch is None:
        give_up(f"{announcement.slug} was never sent.")
    with known_failures():
        hold(dispatch, by=actor())
    say(f"Stopped. Nothing of {announcement.slug} was sent.", as_json=as_json)
    if as_json:
        show({"announcement": announcement.slug, "stopped": True})


def find(which: str) -> Announcement:
    """The announcement with that slug or public id, or a sentence and exit code 2."""
    from django.db.models import Q

    from dispatcher.announcements.models import Announcement

    found = Announcement.objects.filter(Q(slug=which) | Q(public_id=which)).first()
    if found is None:
        known = ", ".join(Announcement.objects.order_by("-pk").values_list("slug", flat=True)[:5])
        give_up(f"There is no announcement '{which}'. The newest are: {known or 'none yet'}.", code=2)
    return found


def _read(file: Path, *, as_json: bool) -> tuple[AnnouncementSource, str]:
    """The announcement in a file and its digest; all that is wrong with it, and exit code 2, where it is not good."""
    import sys

    from django.utils.timezone import now

    from dispatcher.announcements import files

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        give_up(f"{file} cannot be read: {why}.", code=2)
    try:
        source = files.read(text, now())
        problems = list(files.check_against_town(source))
    except files.FileErrors as wrong:
        problems = list(wrong.errors)
    if problems:
        if as_json:
            show({"errors": [{"line": p.line, "field": p.field, "what": p.what, "remedy": p.remedy} for p in problems]})
        for p in problems:
            errors.print(f"{file}:{p.line}: {p.field}: {p.what} {p.remedy}", style="red", markup=False, soft_wrap=True)
        errors.print(f"{len(problems)} to mend. Nothing was stored or sent.", style="bold")
        raise typer.Exit(2)
    for note in source.notes:
        say(f"Note: {note}", as_json=as_json)
    return source, hashlib.sha256(text.encode()).hexdigest()


def _by_language(pairs: list[str]) -> dict[str, str]:
    reasons = {}
    for pair in pairs:
        language, equals, text = pair.partition("=")
        if not equals or not text.strip():
            give_up(f'--reason "{pair}" names no language. Example: --reason nl="Dit klopt niet meer."', code=2)
        reasons[language.strip()] = text.strip()
    return reasons


def _tell(announcement: Announcement, dispatch: Dispatch, *, wait: bool, as_json: bool, **more: Any) -> None:
    from django.conf import settings

    from dispatcher.cli.following import as_document, watch

    if not as_json:
        table(
            announcement.slug,
            ["act", "starts", "follow it"],
            [
                [
                    dispatch.act,
                    f"{dispatch.start_at:%H:%M:%S} UTC",
                    f"{settings.BASE_URL}/console/follow/{dispatch.key}/",
                ]
            ],
            empty="",
        )
    code = watch([dispatch], quiet=as_json) if wait else 0
    if as_json:
        show({"announcement": announcement.slug, **more, "dispatch": as_document(dispatch)})
    raise typer.Exit(code)
