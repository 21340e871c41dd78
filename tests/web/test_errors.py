"""What a visitor reads when something is wrong, and what the log holds and does not hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection
from django.test import Client

from dispatcher.audience.tokens import Purpose
from tests.support.logged import log_events
from tests.support.residents import every_row, link, resident

TEMPLATES = {
    "nl": {
        "/nothing/": (404, "Deze pagina is er niet"),
        "/forbid/": (403, "Dit mag u niet doen"),
        "/suspect/": (400, "Wij konden dit verzoek niet lezen"),
        "/fail/": (500, "Er ging iets mis bij ons"),
    },
    "en": {
        "/nothing/": (404, "This page is not there"),
        "/forbid/": (403, "You may not do this"),
        "/suspect/": (400, "We could not read this request"),
        "/fail/": (500, "Something went wrong with us"),
    },
}


@pytest.mark.urls("tests.web.urls_that_fail")
@pytest.mark.django_db
@pytest.mark.parametrize("language", TEMPLATES)
def test_each_error_has_a_page_of_ours_in_both_languages(client: Client, language: str) -> None:
    client.raise_request_exception = False
    for path, (status, words) in TEMPLATES[language].items():
        answer = client.get(path, headers={"Accept-Language": language})
        assert answer.status_code == status, path
        assert words in answer.content.decode()
        assert f'<html lang="{language}"' in answer.content.decode()
        assert answer["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]


@pytest.mark.urls("tests.web.urls_that_fail")
@pytest.mark.django_db
def test_a_failure_shows_a_number_and_the_log_has_it_with_the_place_but_not_the_message(client: Client) -> None:
    client.raise_request_exception = False
    with log_events() as lines:
        answer = client.get("/fail/")
    line = next(line for line in lines if line["event"] == "request.failed")
    page = answer.content.decode()
    assert line["reference"] in page
    assert "ValueError" not in page
    assert "resident-0001" not in page


@pytest.mark.django_db
def test_a_foreign_host_is_refused_with_a_page(client: Client) -> None:
    answer = client.get("/health", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil.example" not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_locked_database_is_a_moment_and_not_a_failure(client: Client, language: str) -> None:
    address = resident(language=language)
    before = every_row()
    with _locked(address.pk), log_events() as lines:
        answer = client.post(link(Purpose.LEAVE, address), {"leave": "yes"})
    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert {"nl": "Dit lukt nu even niet", "en": "This does not work for a moment"}[language] in answer.content.decode()
    assert "database.unavailable" in [line["event"] for line in lines]
    assert every_row() == before
    assert client.post(link(Purpose.LEAVE, address), {"leave": "yes"}).status_code == 303


@contextmanager
def _locked(address: int) -> Iterator[None]:
    """Another process writes and does not end; our own patience is made short."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.execute("ROLLBACK")
            other.close()
        return
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    parameters = connection.get_connection_params()
    values = {name: parameters[name] for name in ("host", "port", "dbname", "user", "password") if name in parameters}
    with psycopg.connect(**values) as held:
        held.execute("SELECT 1 FROM audience_address WHERE id = %s FOR UPDATE", [address])
        yield
        held.rollback()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '5s'")
