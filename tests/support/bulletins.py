"""Bulletins for tests: the corona update of Losser, and any that a writer may think of."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from channels.contract import Act, Bulletin, Change, Fact, FactKind, Image, Link, Sender, Text

WHEN = datetime(2026, 3, 15, 16, 0, tzinfo=UTC)
SENDER = Sender(
    name={"nl": "Gemeente Losser", "en": "Municipality of Losser"}, base_url="https://losser.example", practice=True
)

NL = Text(
    language="nl",
    title="Gemeentehuis alleen open op afspraak door corona",
    summary="Vanaf maandag 16 maart komt u alleen op afspraak naar het gemeentehuis. Bel 053 000 00 00.",
    body_html="<h2>Wat verandert er?</h2>\n<ul>\n<li>De balie helpt u alleen op afspraak.</li>\n"
    "<li>Bijeenkomsten gaan niet door tot en met maandag 6 april.</li>\n</ul>\n<p>Kom tussen 8.30 en 17.00 uur.</p>\n",
    body_text="Wat verandert er?\n\n- De balie helpt u alleen op afspraak.\n"
    "- Bijeenkomsten gaan niet door tot en met maandag 6 april.\n\nKom tussen 8.30 en 17.00 uur.",
    url="https://losser.example/nl/berichten/corona",
    links=(Link("Hulp voor ondernemers", "https://losser.example/ondernemers-corona"),),
    image=Image("https://losser.example/balie.jpg", "De balie van het gemeentehuis"),
    contact="Bel 053 000 00 00",
    facts=(Fact(FactKind.DATE, "maandag 16 maart"), Fact(FactKind.PHONE, "053 000 00 00")),
    body_facts=(
        Fact(FactKind.DATE, "maandag 6 april"),
        Fact(FactKind.TIME, "8.30"),
        Fact(FactKind.TIME, "17.00 uur"),
        Fact(FactKind.NEGATION, "niet"),
    ),
)
EN = Text(
    language="en",
    title="Town hall open by appointment only because of corona",
    summary="From Monday 16 March you visit the town hall by appointment only. Call 053 000 00 00.",
    body_html="<p>Meetings are not held until Monday 6 April.</p>\n",
    body_text="Meetings are not held until Monday 6 April.",
    url="https://losser.example/en/announcements/corona",
    facts=(Fact(FactKind.DATE, "Monday 16 March"), Fact(FactKind.PHONE, "053 000 00 00")),
    body_facts=(Fact(FactKind.DATE, "Monday 6 April"), Fact(FactKind.NEGATION, "not")),
)


def bulletin(*texts: Text, revision: int = 1, sender: Sender = SENDER) -> Bulletin:
    """A bulletin of ``texts``, else of the corona update in Dutch and English."""
    return Bulletin(
        announcement="0f5a9d2c7b8e4d61a3c0b9e8f7d6c5b4",
        slug="corona",
        revision=revision,
        kind="service-change",
        texts={text.language: text for text in texts or (NL, EN)},
        sender=sender,
        published_at=WHEN,
        updated_at=WHEN,
        history=(Change(revision=1, at=WHEN, act=Act.ANNOUNCE, note={}),),
    )


_LINES = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs")),
    min_size=1,
    max_size=24,
)
_WORDS = st.lists(_LINES, min_size=1, max_size=12).map(" ".join)


@st.composite
def texts(draw: st.DrawFn, language: str = "nl") -> Text:
    """A text in any script, with facts that do stand in it."""
    title, summary = draw(_WORDS), draw(_WORDS)
    paragraphs = draw(st.lists(_WORDS, max_size=4))
    day, phone = draw(st.integers(1, 28)), draw(st.sampled_from(["053 000 00 00", "0900-0000"]))
    hour = f"{draw(st.integers(8, 20))}.30 uur"
    return Text(
        language=language,
        title=title,
        summary=f"{summary} {day} maart, bel {phone}.",
        body_html="".join(f"<p>{_escaped(paragraph)}</p>\n" for paragraph in [*paragraphs, f"Kom om {hour}."]),
        body_text="\n\n".join([*paragraphs, f"Kom om {hour}."]),
        url="https://losser.example/nl/berichten/iets",
        change=draw(st.one_of(st.just(""), _WORDS)),
        facts=(Fact(FactKind.DATE, f"{day} maart"), Fact(FactKind.PHONE, phone)),
        body_facts=(Fact(FactKind.TIME, hour),),
    )


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
