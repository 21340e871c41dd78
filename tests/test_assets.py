"""The style: small, whole, readable, and built from locked packages that name no host."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from assets import build
from channels.kit.site import STYLE
from channels.kit.templates import environment
from dispatcher.dispatching.models import DeliveryState, ProofResult

HERE = build.HERE
THEME = (HERE / "theme.css").read_text()
OWN = (HERE / "omroeper.css").read_text()
PAIRS = [
    *(("grey-text-strong", ground) for ground in ("page", "surface", "sunken", "red-fill", "ochre-fill", "blue-fill")),
    *(("grey-text-soft", ground) for ground in ("page", "surface", "sunken", "grey-tint")),
    *(("ink-text", ground) for ground in ("page", "surface", "ink-fill", "ochre-fill", "red-fill", "blue-fill")),
    *((f"{ramp}-text", f"{ramp}-fill") for ramp in ("green", "red", "ochre", "blue", "ink")),
    *(("bar-text", "bar"), ("bar-text-soft", "bar"), ("brass", "bar"), ("brass-text", "brass")),
    *(("brass-text", "brass-stripe"), ("emergency-text", "emergency"), ("red-text", "surface")),
    *(
        (f"state-{state}", f"state-{state}-fill")
        for state in ("due", "sending", "accepted", "rejected", "gone", "unknown", "paused", "same", "differs")
    ),
]
LINES = [("grey-line", "surface"), ("ink-line", "surface"), ("red-line", "surface"), ("green-line", "sunken")]


@pytest.fixture(scope="module")
def style() -> str:
    build.main()
    return (build.BUILT / build.STYLE).read_text()


def tokens(scheme: str) -> dict[str, str]:
    """The colours of a scheme: the dark block stands on top of the light one."""
    light, dark = (
        dict(re.findall(r"--om-([\w-]+): (#\w{6})", block)) for block in THEME.split('[data-scheme="dark"]', 1)
    )
    return light | (dark if scheme == "dark" else {})


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2's contrast ratio."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_can_be_read(scheme: str) -> None:
    colours = tokens(scheme)
    text = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in text.items() if ratio < 4.5} == {}
    lines = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in LINES}
    assert {pair: ratio for pair, ratio in lines.items() if ratio < 3} == {}


def test_each_scheme_sets_the_same_colours() -> None:
    light, dark = THEME.split('[data-scheme="dark"]', 1)
    names = [set(re.findall(r"--om-([\w-]+):", block)) for block in (light, dark)]
    same_in_both = {"brass", "brass-stripe", "brass-text", "emergency", "emergency-text"}
    assert names[0] - names[1] - {"radius-control", "radius-note", "radius-card"} == same_in_both


def test_no_token_is_used_that_nobody_sets(style: str) -> None:
    used = set(re.findall(r"var\(\s*(--(?:om|basis)-[\w-]+)\s*\)", style))
    assert {name for name in used if f"{name}:" not in style} == set()
    assert used


def test_the_style_is_small_layered_and_asks_no_other_host(style: str) -> None:
    assert len(gzip.compress(style.encode())) < build.BUDGET
    assert style.startswith("@layer nlds, theme, omroeper;")
    assert "://" not in style
    assert re.findall(r"url\((?!\"source-sans)", style) == []
    assert "@license" in style, "the components' licence goes with them"


def test_pages_name_the_style_that_is_built() -> None:
    assert build.STYLE == STYLE


def test_every_state_has_its_icon_and_its_colour() -> None:
    icon = environment().get_template("parts/icons.html").module.icon  # type: ignore[attr-defined]
    plain = {"due", "skipped"}
    for state in [*DeliveryState.values, *ProofResult.values, "sending", "paused"]:
        assert "<svg" in icon(state)
        assert state in plain or f".state--{state}" in OWN


def test_every_class_of_the_overview_is_there() -> None:
    overview = (
        OWN.split("*/", 1)[0].split("CLASSES", 1)[1].split("NL Design System:", 1)[1].split("utrecht-skip-link", 1)[1]
    )
    named = set(re.findall(r"(?<![\w/])\.([a-z][\w-]*)", overview)) - {"state--X"}
    rules = OWN.split("*/", 1)[1]
    assert {name for name in named if not re.search(rf"\.{re.escape(name)}(?![\w-])", rules)} == set()
    assert len(named) > 25


def test_the_locks_name_no_host() -> None:
    for name in ("package-lock.json", "requirements-node.txt", ".npmrc", "package.json"):
        assert "://" not in (HERE / name).read_text(), name
    lock = (HERE / "package-lock.json").read_text()
    assert lock.count('"integrity": "sha512-') == lock.count('"node_modules/')
    assert Path(HERE / "requirements-node.txt").read_text().count("--hash=sha256:") > 0
