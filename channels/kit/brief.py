"""A brief: title, summary and link, for whoever takes no more. It is made to fit without losing a fact."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from channels.contract import Limits, Text
from channels.kit.facts import missing
from channels.kit.shorten import measure, sentences, shorten


def fitted(text: Text, limits: Limits, render: Callable[[str, str, str], str]) -> str:
    """What ``render(title, summary, change)`` gives, with as much of the three as ``limits`` allow.

    Left out are, in this order: the end of the summary, its sentences without a fact, the title, the words on what
    changed. Every fact of title and summary stands in what is left, and nothing is added.

    Raises:
        ValueError: the facts alone do not fit. Says how much there is room for.
    """
    best = None
    for title, summary, change in _ways(text, limits, render):
        made = render(title, summary, change)
        size = measure(made, limits.unit, limits.url_length)
        best = size if best is None else min(best, size)
        if (limits.length is None or size <= limits.length) and not missing(text.facts, made):
            return made
    raise ValueError(
        f"title and summary with their facts take at least {best} of {limits.length} {limits.unit}: shorten the summary"
    )


def _ways(text: Text, limits: Limits, render: Callable[[str, str, str], str]) -> Iterator[tuple[str, str, str]]:
    for change in dict.fromkeys((text.change, "")):
        for title in dict.fromkeys((text.title, "")):
            yield title, text.summary, change
            if limits.length is None:
                continue
            room = limits.length - measure(render(title, "", change), limits.unit, limits.url_length) - 2
            if room > 0:
                yield title, shorten(text.summary, room, limits.unit, limits.url_length).text, change
            with_facts = [s for s in sentences(text.summary) if len(missing(text.facts, s)) < len(text.facts)]
            yield title, " ".join(with_facts), change
