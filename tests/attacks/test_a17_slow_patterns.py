"""A17, slow patterns: whatever staff type within the limits, the work is bounded; beyond them it is refused.

The inputs run in a child whose processor time the kernel limits anew before each: a pattern that backtracks without
end kills it, however fast or busy the machine is.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dispatcher.announcements.text import BODY_LIMIT, BRACKET_LIMIT, TextRefused, body_html, plain_text

ROOT = Path(__file__).parents[2]
SECONDS = 4  # of processor time, for HTML, plain text, cleaning and facts together, on a slow machine
MEMORY = 100_000  # kilobytes more than at the start

CHILD = """
import json, resource, sys
import django
django.setup()
from dispatcher.announcements.cleaning import clean
from dispatcher.announcements.comparing import differences
from dispatcher.announcements.facts import facts
from dispatcher.announcements.source import TextSource
from dispatcher.announcements.text import TextRefused, body_html, plain_text

clean("a"), facts("16 maart", "nl"), facts("16 March", "en"), body_html("a", "nl")
limit = int(sys.argv[1])
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for name, text in json.load(sys.stdin):
    used = resource.getrusage(resource.RUSAGE_SELF)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + limit, -1))
    print("begin", name, flush=True)
    cleaned = clean(text, lines=True).text
    try:
        body_html(cleaned, "nl")
        plain_text(cleaned)
    except TextRefused:
        print("refused", name, flush=True)
    differences({"nl": text, "en": text})
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
    print("end", name, grown, flush=True)
    resource.setrlimit(resource.RLIMIT_CPU, (-1, -1))
"""

PATTERNS = [
    "[",
    "![",
    "*a ",
    "**a _b ",
    "*_",
    "a**b",
    "`",
    "`a``",
    "\\\\",
    "&",
    "&#",
    "<",
    "<a ",
    "<!--",
    "[a](",
    "[a](<b",
    '[a](b "',
    "[a]",
    "[[](",
    "]",
    "(",
    "> ",
    ">",
    "- ",
    "> - ",
    "1. a\n",
    "a\n=\n",
    "a\n",
    "* ",
    "|",
    "|a",
    "~~a",
    "://",
    "http:",
    "https://xn--",
    "https://a.nl ",
    "https://a.nl/(",
    "(https://a.nl",
    'https://a.nl/"',
    "https://a.nl@",
    "www.",
    "www.a@",
    "a.",
    "a@",
    "@",
    "a@b.nl,",
    "mailto:",
    "1",
    "1 ",
    "1.",
    "1,",
    "1-1-",
    "0",
    "053 537 74 44,",
    "+31 ",
    "9 tot ",
    "9.30-",
    "16 en ",
    "16, ",
    "16 maart ",
    "maandag ",
    "maandag 16 ",
    "€",
    "€ 1",
    "1 miljoen ",
    "7581 ",
    "7581 AA ",
    "Aa ",
    "A'",
    "A-",
    "Van ",
    "Van der ",
    "Astraat ",
    "Astraat 1",
    "Postbus ",
    "niet ",
    "\u200d",
    "a\u0300",
    "\u202e",
    " ",
    "\t",
    "\n",
    "  \n",
    "a",
    "é",
    "🙂\u200d",
]

# Patterns that end in something else: where a search has to give up what it had.
ENDED = ["*a ", "`", "> ", "(", "https://a.nl/(", "a.", "1 ", "16, ", "Aa ", " "]


def run(inputs: list[tuple[str, str]]) -> dict[str, int]:
    """Runs the child; by name of the input, how much its memory had grown."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(SECONDS)],
        input=json.dumps(inputs), capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    lines = child.stdout.splitlines()
    assert child.returncode == 0, f"stopped in {lines[-1:]!r}: {child.stderr[-500:]}"
    return {name: int(grown) for name, grown in (line[4:].rsplit(" ", 1) for line in lines if line.startswith("end "))}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "dispatcher.config.settings")


def test_a17_no_repeated_pattern_takes_long_or_much() -> None:
    inputs = [(ascii(pattern), (pattern * BODY_LIMIT)[:BODY_LIMIT]) for pattern in PATTERNS]
    inputs += [(f"{pattern!a} then x", (pattern * BODY_LIMIT)[: BODY_LIMIT - 1] + "x") for pattern in ENDED]
    inputs += [("brackets and more", ("![" * BRACKET_LIMIT + "*a " * BODY_LIMIT)[:BODY_LIMIT])]
    grown = run(inputs)
    assert len(grown) == len(inputs)
    assert max(grown.values()) < MEMORY


def test_a17_no_shape_takes_long_or_much() -> None:
    inputs = [
        ("quotes 5,000 deep", "> " * 5_000 + "x"),
        ("quotes 5,000 deep over lines", ">" * 5_000 + "a\n" + "b\n" * 1_000),
        ("lists 220 deep", "\n".join("  " * depth + "- x" for depth in range(220))[:BODY_LIMIT]),
        ("one word", "w" * BODY_LIMIT),
        ("a long address", "https://losser.nl/" + "a" * 40_000),
        ("a long host", "https://" + "a." * 20_000 + "nl"),
        ("a long name before an @", "a" * 40_000 + "@losser.nl"),
        ("a reference used 900 times", "[x]: http://a.nl/" + "y" * 1_000 + "\n\n" + "[x] " * 900),
        ("3,000 references", "\n".join(f"[a{number}]: http://x/{number}" for number in range(3_000))[:BODY_LIMIT]),
        ("fences of every length", "".join("`" * length + " " for length in range(300))),
        ("a wide table", "|a" * 2_000 + "\n" + "|-" * 2_000 + "\n" + ("|a" * 100 + "\n") * 200),
        ("a long table", "|a|b|\n|-|-|\n" + "|c|d|\n" * 8_000),
        ("emphasis that never closes", "*a **b ***c " * 4_000),
        ("spaces before a line end", " " * 40_000 + "x\n" + " " * 9_000),
    ]
    grown = run(inputs)
    assert len(grown) == len(inputs)
    assert max(grown.values()) < MEMORY


def test_a17_a_pattern_without_bounds_would_be_caught() -> None:
    slow = "import re\nre.match('(a+)+$', 'a' * 40 + 'b')\n"
    limit = "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, -1))\n"
    child = subprocess.run([sys.executable, "-c", limit + slow], capture_output=True, check=False)
    assert child.returncode < 0


@pytest.mark.parametrize("text", ["[" * 100_000, "*a " * 34_000, "<a " * 50_000, "w" * 1_000_000, "> " * 500_000])
def test_a17_what_is_over_the_limit_is_refused_before_any_work(text: str) -> None:
    for render in (plain_text, lambda source: body_html(source, "nl")):
        with pytest.raises(TextRefused, match="characters too long"):
            render(text)


@pytest.mark.parametrize("link", ["https://a.nl/{} ", "[a](https://a.nl/{}) ", "<https://a.nl/{}> ", "a{}@b.nl "])
def test_a17_five_thousand_links_are_refused(link: str) -> None:
    text = "".join(link.format(number) for number in range(5_000))[:BODY_LIMIT]
    with pytest.raises(TextRefused, match=r"(links, more than 50|square brackets)"):
        plain_text(text)
