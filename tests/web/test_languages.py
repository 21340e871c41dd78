"""In which language a page speaks."""

from __future__ import annotations

import pytest
from django.test import Client

from dispatcher.locale import catalogues


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "header", "spoken"),
    [
        ("", "", "nl"),
        ("", "en-GB,en;q=0.9,nl;q=0.5", "en"),
        ("", "fr, nl;q=0.2, en;q=0.1", "nl"),
        ("", "fr", "nl"),
        ("?lang=en", "nl", "en"),
        ("?lang=nl", "en", "nl"),
        ("?lang=xx", "en", "en"),
        ("?lang=%00", "", "nl"),
        ("", "x" * 5000, "nl"),
    ],
)
def test_the_address_decides_then_the_browser(client: Client, query: str, header: str, spoken: str) -> None:
    answer = client.get(f"/nothing/{query}", headers={"Accept-Language": header})
    assert answer["Content-Language"] == spoken
    assert "Accept-Language" in answer["Vary"]
    other = {"nl": "en", "en": "nl"}[spoken]
    assert f'<a href="/nothing/?lang={other}" lang="{other}" hreflang="{other}">' in answer.content.decode()
    assert not client.cookies


def test_every_word_of_the_templates_is_translated() -> None:
    assert list(catalogues.untranslated()) == [], "run: python -m dispatcher.locale.catalogues update"


def test_what_is_compiled_is_what_is_written() -> None:
    catalogues.compile_changed()
    for language in catalogues.LANGUAGES:
        made = catalogues.source(language).with_suffix(".mo")
        assert made.stat().st_mtime >= catalogues.source(language).stat().st_mtime
