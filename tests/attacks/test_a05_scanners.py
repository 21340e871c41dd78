"""A05, link scanners and prefetch: whoever only looks changes nothing."""

from __future__ import annotations

import pytest
from django.test import Client

from dispatcher.audience.tokens import Purpose
from tests.support.residents import SCANNERS, every_row, link, resident

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("scanner", SCANNERS)
@pytest.mark.parametrize("state", ["pending", "active"])
def test_a05_looking_at_every_link_of_a_mail_changes_nothing(client: Client, scanner: str, state: str) -> None:
    address = resident(state)
    links = [link(purpose, address) for purpose in (Purpose.LEAVE, Purpose.CONFIRM, Purpose.PREFERENCES)]
    before = every_row()
    for path in links:
        for header in ({}, {"Purpose": "prefetch", "Sec-Purpose": "prefetch"}):
            assert client.get(path, headers={"User-Agent": scanner, **header}).status_code == 200
        assert client.head(path, headers={"User-Agent": scanner}).status_code == 200
        assert client.options(path, headers={"User-Agent": scanner}).status_code == 405
    assert every_row() == before


def test_a05_what_leaves_is_a_button_and_what_confirms_needs_the_pages_own_token(client: Client) -> None:
    address = resident("pending")
    leaving = client.get(link(Purpose.LEAVE, address)).content.decode()
    assert 'method="post"' in leaving
    assert "<button" in leaving
    confirming = client.get(link(Purpose.CONFIRM, address)).content.decode()
    assert 'name="csrfmiddlewaretoken"' in confirming


def test_a05_a_scanner_that_posts_forms_without_their_token_confirms_nothing() -> None:
    client = Client(enforce_csrf_checks=True)
    address = resident("pending")
    before = every_row()
    assert client.post(link(Purpose.CONFIRM, address)).status_code == 403
    assert every_row() == before
