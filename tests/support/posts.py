"""What must hold between the ledger's public posts and what the practice town's timeline recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.support.recorder import Recorder
from tests.support.stricken import Stricken

POSTS = """
    SELECT d.state, d.target, d.remote_id, p.key AS dispatch, p.act, o.id AS outlet FROM dispatching_delivery d
    JOIN dispatching_dispatch p ON p.id = d.dispatch_id JOIN dispatching_outlet o ON o.id = d.outlet_id
    WHERE o.name = 'mastodon'
"""
LANGUAGES = ("en", "nl")


def timeline_of(stricken: Stricken) -> Recorder:
    return stricken.town.recorder_of("timeline")


def posted(stricken: Stricken) -> Counter[str]:
    """How often a post was made under each key; a repeat that the timeline knew is none."""
    return Counter(line.key for line in timeline_of(stricken).lines() if line.what == "post")


def check_posts(stricken: Stricken, languages: Sequence[str] = LANGUAGES) -> None:
    """I2 and I3 for the timeline: one post for each language, each under its delivery's key, whatever went wrong."""
    rows = stricken.town.rows(POSTS)
    assert sorted(row["target"] for row in rows) == list(languages)
    assert {row["state"] for row in rows} == {"accepted"}, rows
    assert posted(stricken) == {f"{row['dispatch']}.{row['outlet']}.{row['target']}": 1 for row in rows}
    taken = {line.key: line.more["id"] for line in timeline_of(stricken).lines() if line.what == "post"}
    for row in rows:
        assert row["remote_id"] == taken[f"{row['dispatch']}.{row['outlet']}.{row['target']}"]


def doubts(stricken: Stricken) -> int:
    """How often an answer of the timeline stayed out."""
    return int(
        stricken.one(
            """SELECT count(*) FROM dispatching_pastreceipt r JOIN dispatching_delivery d ON d.id = r.delivery_id
            JOIN dispatching_outlet o ON o.id = d.outlet_id WHERE o.name = 'mastodon' AND r.outcome = 'unknown'"""
        )
    )
