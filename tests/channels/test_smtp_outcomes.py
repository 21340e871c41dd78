"""The table of outcomes: total, cautious, and the one that the docs show."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Outcome, Reason
from channels.kit.smtp_outcomes import Moment, Silence, Stops, enhanced_of, judge, outcomes_as_markdown

DOCS = Path(__file__).parents[2] / "docs" / "channels" / "email.md"
ENHANCED = st.one_of(
    st.just(""), st.builds("{}.{}.{}".format, st.sampled_from("245"), st.integers(0, 9), st.integers(0, 99))
)


@given(moment=st.sampled_from(Moment), code=st.integers(200, 599), enhanced=ENHANCED)
def test_no_answer_is_ever_turned_into_comfort_or_doubt(moment: Moment, code: int, enhanced: str) -> None:
    verdict = judge(moment, str(code), enhanced_of(str(code), enhanced))
    if verdict.outcome is Outcome.ACCEPTED:
        assert moment is Moment.DOT
        assert code < 300
    if 400 <= code < 500:
        assert verdict.outcome is Outcome.DEFERRED
    if verdict.outcome in (Outcome.REJECTED, Outcome.GONE):
        assert code >= 500
    if verdict.outcome is Outcome.UNKNOWN:
        assert moment is Moment.DOT
        assert 300 <= code < 400
    if verdict.stops is Stops.PERSON:
        assert verdict.outcome is Outcome.DEFERRED, "due again once a person has mended it"


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("silence", [Silence.CLOSED, Silence.TIMEOUT, Silence.GARBAGE])
def test_without_an_answer_only_the_dot_matters(moment: Moment, silence: Silence) -> None:
    expected = Outcome.UNKNOWN if moment is Moment.DOT else Outcome.DEFERRED
    assert judge(moment, silence).outcome is expected
    assert judge(moment, silence).stops is Stops.CONNECTION


@pytest.mark.parametrize(
    ("code", "text", "enhanced"),
    [
        ("550", "5.1.1 no such user", "5.1.1"),
        ("550", "5.1.1", "5.1.1"),
        ("450", "5.1.1 codes disagree", ""),
        ("421", "5.7.32 as one large provider does", ""),
        ("550", "User unknown 5.1.1", ""),
        ("550", "5.1.1.1 no code", ""),
        ("550", "", ""),
    ],
)
def test_an_enhanced_code_counts_only_in_its_place_and_class(code: str, text: str, enhanced: str) -> None:
    assert enhanced_of(code, text) == enhanced


def test_some_rows_that_people_rely_on() -> None:
    assert judge(Moment.RCPT, "550", "5.1.1").outcome is Outcome.GONE
    assert judge(Moment.RCPT, "550", "5.7.1").stops is Stops.PERSON
    assert judge(Moment.RCPT, "451", "4.7.1").reason is Reason.GREYLISTED
    assert judge(Moment.DOT, "421", "4.7.28").reason is Reason.THROTTLED
    assert judge(Moment.DOT, "550", "5.4.5").retry_after == 86_400


def test_the_docs_show_the_table_of_the_code() -> None:
    assert outcomes_as_markdown() in DOCS.read_text()
