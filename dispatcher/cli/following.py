"""``follow``: how dispatches stand, live. ``prove``: read the public copies back now."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dispatcher.cli.installation import attach
from dispatcher.cli.output import AsJson, console, give_up, show, table

if TYPE_CHECKING:
    from dispatcher.dispatching.models import Dispatch
    from dispatcher.dispatching.progress import OutletProgress, Progress

WAITS = {
    "page": "waits for the page",
    "paused": "paused",
    "down": "outlet down",
    "time": "later",
    "person": "waits for a person",
    "queue": "waits in the queue",
    "": "",
}


def add_to(app: typer.Typer) -> None:
    """Registers the verbs."""
    app.command(epilog="Example: omroeper follow gemeentehuis-op-afspraak")(follow)
    app.command(epilog="Example: omroeper prove")(prove)


def follow(
    which: Annotated[
        str | None, typer.Argument(metavar="[ANNOUNCEMENT]", help="Its slug; without, all of them.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Show how it stands now and end.")] = False,
    as_json: AsJson = False,
) -> None:
    """Follow an announcement's newest dispatch until it is settled; without a name, list the announcements."""
    attach()
    if which is None:
        _list(as_json=as_json)
        return
    from dispatcher.cli.announcing import find

    announcement = find(which)
    dispatches = list(announcement.dispatches.order_by("pk"))
    if not dispatches:
        give_up(f"{announcement.slug} was not sent yet.")
    if as_json or once:
        if as_json:
            show(
                {
                    "announcement": announcement.slug,
                    "state": announcement.state,
                    "dispatches": [as_document(dispatch) for dispatch in dispatches],
                }
            )
        else:
            console.print(drawn(dispatches[-1:], {}))
        return
    raise typer.Exit(watch(dispatches[-1:]))


def prove(as_json: AsJson = False) -> None:
    """Read every live public copy back now and say whether it is the same."""
    attach()
    from dispatcher.acts.prove import prove_all

    proofs = prove_all()
    if as_json:
        show(proofs)
    else:
        table(
            "Public copies",
            ["announcement", "outlet", "language", "result", "detail"],
            [[p["announcement"], p["outlet"], p["target"], p["result"], p["detail"]] for p in proofs],
            empty="No public copy is live.",
        )
    raise typer.Exit(0 if all(p["result"] == "same" for p in proofs) else 1)


def _list(*, as_json: bool) -> None:
    from dispatcher.announcements.models import Announcement

    rows = [
        {
            "announcement": a.slug,
            "state": a.state,
            "kind": a.kind,
            "revisions": a.revisions.count(),
            "dispatches": a.dispatches.count(),
        }
        for a in Announcement.objects.order_by("-pk")[:50]
    ]
    if as_json:
        show(rows)
        return
    table(
        "Announcements",
        ["announcement", "state", "kind", "#revisions", "#dispatches"],
        [list(row.values()) for row in rows],
        empty="Nothing was announced yet. Begin with: omroeper announce examples/corona.md",
    )


def as_document(dispatch: Dispatch) -> dict[str, Any]:
    """A dispatch's progress as JSON types."""
    from dispatcher.dispatching.progress import progress

    state = progress(dispatch)
    return {
        "key": dispatch.key,
        "act": dispatch.act,
        "planned": state.total("planned"),
        "settled": state.settled,
        "by_hand": state.total("by_hand"),
        "proven": state.proven,
        "ended": dispatch.ended_why or None,
        "outlets": [
            {
                **{
                    name: getattr(outlet, name)
                    for name in (
                        "name",
                        "channel",
                        "planned",
                        "accepted",
                        "rejected",
                        "gone",
                        "unknown",
                        "skipped",
                        "sending",
                        "repeats",
                        "by_hand",
                        "due",
                        "waits_for",
                        "why",
                        "next_at",
                        "proofs",
                        "reasons",
                        "skips",
                    )
                },
            }
            for outlet in state.outlets
        ],
    }


def watch(
    dispatches: Sequence[Dispatch],
    *,
    quiet: bool = False,
    deadline: float | None = None,
    ended: threading.Event | None = None,
) -> int:
    """Shows progress until everything is settled and proven. Returns 0, or 1 where something failed or is unknown."""
    from dispatcher.dispatching.progress import progress

    rates: dict[tuple[int, str], _Rate] = {}
    end = time.monotonic() + deadline if deadline else None
    with Live(console=console, refresh_per_second=4, transient=False, auto_refresh=False) as live:
        while True:
            states = [progress(dispatch) for dispatch in dispatches]
            if not quiet:
                live.update(_group(states, rates), refresh=True)
            if all(state.settled and _proofs_in(state) for state in states):
                return _code(states)
            if end is not None and time.monotonic() > end:
                return 1
            if (ended or threading.Event()).wait(0.5):
                return 1


def _proofs_in(state: Progress) -> bool:
    """Every accepted public copy was read back at least once, and the reading is not to be repeated at once."""
    from dispatcher.dispatching.progress import unproven

    return not unproven(state.dispatch)


def _code(states: Sequence[Progress]) -> int:
    failed = any(state.total("rejected") + state.total("gone") + state.total("unknown") for state in states)
    return 1 if failed or not all(state.proven for state in states) else 0


class _Rate:
    """How many a second, over what was seen so far."""

    def __init__(self, done: int) -> None:
        self.started, self.first, self.done, self.rate = time.monotonic(), done, done, 0.0

    def see(self, done: int) -> float:
        if done != self.done:
            self.rate = (done - self.first) / max(time.monotonic() - self.started, 0.5)
            self.done = done
        return self.rate


def drawn(dispatches: Sequence[Dispatch], rates: dict[tuple[int, str], _Rate]) -> Group:
    """The tables of how dispatches stand."""
    from dispatcher.dispatching.progress import progress

    return _group([progress(dispatch) for dispatch in dispatches], rates)


def _group(states: Sequence[Progress], rates: dict[tuple[int, str], _Rate]) -> Group:
    return Group(*(_table(state, rates) for state in states))


def _table(state: Progress, rates: dict[tuple[int, str], _Rate]) -> Table:
    dispatch = state.dispatch
    announcement = dispatch.announcement
    head = f"{dispatch.act}: {announcement.slug if announcement else dispatch.notice.get('kind', '')}"
    if dispatch.planned_at is None:
        head += " (being prepared)"
    elif dispatch.ended_why:
        head += f" ({dispatch.ended_why})"
    lines = [(outlet, rates.setdefault((dispatch.pk, outlet.name), _Rate(outlet.accepted))) for outlet in state.outlets]
    seen = [(outlet, rate.see(outlet.accepted)) for outlet, rate in lines]
    fast = any(rate and not outlet.settled for outlet, rate in seen)
    skips = any(outlet.skipped for outlet, _ in seen)
    drawing = Table(title=head, title_justify="left", header_style="bold", expand=False)
    drawing.add_column("outlet", min_width=20)
    # What is the same for all is left out: the table has to fit a terminal of eighty columns.
    names = ["accepted", *["per second"] * fast, "failed", "not sure", *["skipped"] * skips]
    for name in names:
        drawing.add_column(name, justify="right", no_wrap=True)
    drawing.add_column("read back", no_wrap=True)
    for outlet, rate in seen:
        failed = outlet.rejected + outlet.gone
        cells = {
            "accepted": Text(f"{outlet.accepted} of {outlet.planned}", style="green" if outlet.settled else ""),
            "per second": Text(f"{rate:.0f}" if rate and not outlet.settled else ""),
            "failed": Text(str(failed), style="red" if failed else "dim"),
            "not sure": Text(str(outlet.unknown), style="yellow" if outlet.unknown else "dim"),
            "skipped": Text(str(outlet.skipped or "")),
        }
        drawing.add_row(_named(outlet), *(cells[name] for name in names), _read_back(outlet))
    return drawing


def _named(outlet: OutletProgress) -> Text:
    why = _why(outlet)
    return Text(outlet.label) + Text(f"\n{why}" if why else "", style="dim")


def _read_back(outlet: OutletProgress) -> str:
    from dispatcher.dispatching.outlets import is_direct

    if outlet.proofs:
        return ", ".join(f"{count}× {result}" for result, count in outlet.proofs.items())
    return "private" if is_direct(outlet.channel) else "–"


def _why(outlet: OutletProgress) -> str:
    parts = [f"{count}× {reason}" for reason, count in (outlet.reasons | outlet.skips).items() if reason != "by-hand"]
    if outlet.waits_for == "person":
        parts.insert(0, f"{outlet.by_hand} to post by hand: omroeper hand list")
    elif outlet.waits_for:
        parts.insert(0, WAITS[outlet.waits_for] + (f": {outlet.why}" if outlet.why else ""))
    return "; ".join(parts)[:120]
