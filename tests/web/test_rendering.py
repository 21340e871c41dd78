"""The names of what is built are the names that pages use, and undefined names are errors."""

from __future__ import annotations

import pytest
from django.template import engines
from jinja2 import UndefinedError

from assets import build
from channels.kit import site
from dispatcher.web import rendering


def test_pages_name_what_is_built() -> None:
    assert rendering.STYLE == build.STYLE == site.STYLE
    assert rendering.SCRIPT == build.SCRIPT


def test_a_name_that_was_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        engines["jinja2"].from_string("{{ nothing }}").render({})


def test_values_are_escaped_also_inside_a_translated_sentence() -> None:
    source = '{% trans %}We send our announcements to <span class="fact strong">{{ masked }}</span>.{% endtrans %}'
    text = engines["jinja2"].from_string(source).render({"masked": "<b>"})
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
