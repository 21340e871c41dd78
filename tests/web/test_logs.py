"""Log lines: JSON, without tokens, messages of exceptions, or queries."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.test import Client

from dispatcher.audience.tokens import Purpose
from dispatcher.web.access import masked
from tests.support.logged import log_events
from tests.support.residents import link, resident

SPEAKING = """
import logging
import django
django.setup()
import structlog
structlog.get_logger("omroeper.test").info("ours", path="/leave/lTOKEN", count=3)
logging.getLogger("library").warning("GET %s answered", "http://localhost/preferences/pTOKEN?lang=nl")
try:
    raise ValueError("resident-0001@practice.invalid")
except ValueError:
    structlog.get_logger("omroeper.test").exception("ours.failed")
    logging.getLogger("library").exception("library failed")
logging.getLogger("django.request").error("Not Found: /leave/lTOKEN")
"""


def test_every_line_is_json_and_holds_no_secret() -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "dispatcher.config.settings", "OMROEPER_LOG_LEVEL": "info"}
    done = subprocess.run([sys.executable, "-c", SPEAKING], env=environment, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "ours",
        "GET http://localhost/preferences/***?lang=nl answered",
        "ours.failed",
        "library failed",
    ]
    assert lines[0] | {"path": "/leave/***", "count": 3, "level": "info", "logger": "omroeper.test"} == lines[0]
    for line in lines[2:]:
        assert line["error"] == "ValueError"
        assert any("<string>" in frame for frame in line["where"])
    assert "TOKEN" not in done.stderr
    assert "resident-0001" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/leave/lAbc-_1", "/leave/***"),
        ("/leave/lAbc/undo", "/leave/***/undo"),
        ("/confirm/c1", "/confirm/***"),
        ("/preferences/p1", "/preferences/***"),
        ("/console/follow/0123abcd/stop/", "/console/follow/***/stop/"),
        ("/town/leave/l1", "/town/leave/***"),
        ("/console/", "/console/"),
        ("/health", "/health"),
        ("/leave/", "/leave/"),
    ],
)
def test_what_is_secret_in_an_address_is_masked(path: str, shown: str) -> None:
    assert masked(path) == shown


@pytest.mark.django_db
def test_a_request_is_one_line_without_token_and_query(client: Client) -> None:
    path = link(Purpose.LEAVE, resident())
    with log_events() as lines:
        client.get(f"{path}?lang=en", REMOTE_ADDR="203.0.113.7")
    told = [line for line in lines if line["event"] == "request"]
    assert len(told) == 1
    wanted = {"method": "GET", "path": "/leave/***", "status": 200, "network": "203.0.113.0/24"}
    assert {name: told[0][name] for name in wanted} == wanted
    assert path.rsplit("/", 1)[1] not in str(lines)
