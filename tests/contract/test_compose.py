"""``compose``: pure, keeps the facts, keeps to the limits, and is the message."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.contract import Act, Common, Copy, Surroundings, Text, Unit
from channels.kit.egress import Egress
from channels.kit.facts import missing
from channels.kit.shorten import measure
from channels.registry import channel
from tests.contract.cases import CASES
from tests.support.bulletins import EN, NL, bulletin, texts

ACTS = (Act.ANNOUNCE, Act.UPDATE, Act.WITHDRAW)
SLOT_LINE = re.compile(r"[\x20-\x7e]*")


def opened(name: str) -> Common:
    found = channel(name)
    return found(found.read_settings(CASES[name].settings), Surroundings(Egress()))


def composed(name: str, text: Text, act: Act) -> Copy:
    found = opened(name)
    return found.compose(bulletin(text), text.language, act, found.limits)


@pytest.mark.parametrize("name", CASES)
@given(text=texts(), act=st.sampled_from(ACTS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_equal_in_gives_equal_out_and_copies_survive_storing(name: str, text: Text, act: Act) -> None:
    first, second = composed(name, text, act), composed(name, text, act)
    assert first == second
    assert first.digest == second.digest
    assert Copy.from_json(first.to_json()) == first
    assert first.act is act
    assert first.language == text.language


@pytest.mark.parametrize("name", CASES)
@given(text=texts(), act=st.sampled_from(ACTS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_facts_of_title_and_summary_stand_in_every_part(name: str, text: Text, act: Act) -> None:
    copy = composed(name, text, act)
    for seen in CASES[name].readable(copy):
        assert missing(text.facts, seen) == ()
        assert text.url in seen or not missing(text.body_facts, seen), "the link stands in for facts of the body"


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("act", ACTS)
def test_the_example_keeps_its_facts(name: str, act: Act, capsys: pytest.CaptureFixture[str]) -> None:
    lines = []
    for text in (NL, EN):
        copy = composed(name, text, act)
        for seen in CASES[name].readable(copy):
            assert missing(text.facts, seen) == ()
            kept = 1 - len(missing(text.body_facts, seen)) / len(text.body_facts)
            lines.append(f"{name} {act} {text.language}: {kept:.0%} of the body's facts kept")
    with capsys.disabled():  # the share is meant to be read, whatever comes of the test
        print("\n" + "\n".join(dict.fromkeys(lines)))  # noqa: T201


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("act", [Act.UPDATE, Act.WITHDRAW])
def test_what_changed_is_said_before_the_text(name: str, act: Act) -> None:
    change = "De balie is toch open op zaterdag 21 maart."
    text = replace(NL, change=change)
    for seen in CASES[name].readable(composed(name, text, act)):
        assert change in seen
        assert seen.index(change) < seen.rindex(NL.summary)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("act", ACTS)
def test_practice_copies_say_that_they_are_an_example(name: str, act: Act) -> None:
    for text, line in ((NL, "Voorbeeld, niet van de gemeente"), (EN, "Example, not from the municipality")):
        for seen in CASES[name].readable(composed(name, text, act)):
            assert line in seen


@pytest.mark.parametrize("name", CASES)
def test_limits_are_kept_in_the_channels_own_unit(name: str) -> None:
    found = opened(name)
    limits = found.limits
    if limits.length is None:
        assert limits.unit is Unit.NONE
        return
    sentence = "De weg is dicht tot en met vrijdag 20 maart, en dat is vervelend voor ons allemaal 👩‍👩‍👧. "
    many = sentence * (limits.length // len(sentence) + 10)
    text = replace(NL, body_text=many, body_html=f"<p>{many}</p>")
    for act in ACTS:
        copy = found.compose(bulletin(text), "nl", act, limits)
        assert copy.shortened
        assert copy.text
        part = copy.parts.get("html", copy.text)
        assert measure(part, limits.unit, limits.url_length) <= limits.length
        for seen in CASES[name].readable(copy):
            assert missing(text.facts, seen) == ()
            assert text.url in seen


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("act", ACTS)
def test_slots_stand_alone_on_lines_of_ascii(name: str, act: Act) -> None:
    copy = composed(name, NL, act)
    for part in (copy.text, *copy.parts.values()):
        for slot in copy.slots:
            for line in part.splitlines():
                if f"{{{{{slot}}}}}" in line:
                    assert line == f"{{{{{slot}}}}}"
                    assert SLOT_LINE.fullmatch(line)
    assert set(re.findall(r"\{\{(\w+)\}\}", copy.text)) == set(copy.slots)


@pytest.mark.parametrize("name", CASES)
def test_a_language_that_is_not_there_gets_the_one_it_was_written_in(name: str) -> None:
    found = opened(name)
    assert found.compose(bulletin(NL), "pl", Act.ANNOUNCE, found.limits) == composed(name, NL, Act.ANNOUNCE)
