"""The colleagues' channel: what is posted to it stands there, in both forms, after a restart too."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import httpx
import pytest

from tests.support.practice import Practice


def hooks(practice: Practice) -> httpx.Client:
    return httpx.Client(base_url=f"http://localhost:{practice.ports['colleagues']}", trust_env=False, timeout=10)


def test_both_forms_of_a_hook_are_taken_and_shown(practice: Practice, key: str) -> None:
    with hooks(practice) as client:
        apprise = {"version": "1.0", "title": "", "message": f"Balie dicht {key}\n\nhttps://losser.example/a?b=1&c=2."}
        assert client.post(f"/hook/{key}", json=apprise).text == "ok"
        assert client.post(f"/hooks/{key}", json={"text": f"Ook zo {key}", "username": "Omroeper"}).text == "ok"
        lines = client.get("/messages.json", params={"room": key}).json()["messages"]
        assert [line["text"] for line in lines] == [apprise["message"], f"Ook zo {key}"]
        page = client.get(f"/room/{key}").text
    assert f"Balie dicht {key}" in page
    assert '<a href="https://losser.example/a?b=1&amp;c=2" target="_top" rel="noreferrer">' in page
    assert "</a>." in page, "the full stop is not part of the address"


def test_the_key_on_record_tells_a_twin(practice: Practice, key: str) -> None:
    body = json.dumps({"text": f"Twee keer {key}"}).encode()
    with hooks(practice) as client:
        for _ in range(2):
            client.post(f"/hooks/{key}", content=body)
        lines = client.get("/messages.json", params={"room": key}).json()["messages"]
        assert [line["attempt"] for line in lines] == [1, 2]
        assert {line["key"] for line in lines} == {hashlib.sha256(body).hexdigest()}
        assert "Kwam 2 keer binnen" in client.get(f"/room/{key}").text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "invalid_payload"),
        (b"text=hello", "invalid_payload"),
        (b"[" * 100_000, "invalid_payload"),
        (b'["text"]', "invalid_payload"),
        (b'{"text": " "}', "no_text"),
        (b'{"text": 1}', "no_text"),
        (json.dumps({"text": "x" * 16_384}).encode(), "msg_too_long"),
    ],
)
def test_a_slack_like_hook_refuses_what_slack_refuses(practice: Practice, key: str, body: bytes, words: str) -> None:
    with hooks(practice) as client:
        answer = client.post(f"/hooks/{key}", content=body)
        assert (answer.status_code, answer.text) == (400, words)
        assert client.get("/messages.json", params={"room": key}).json()["found"] == 0


def test_what_is_posted_is_never_markup(practice: Practice, key: str) -> None:
    with hooks(practice) as client:
        client.post(f"/hooks/{key}", json={"text": '<script>alert(1)</script> https://a.example/"><img src=x>'})
        answer = client.get(f"/room/{key}")
    assert "<script>alert" not in answer.text
    assert "<img src=x>" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_a_room_without_messages_says_so_in_both_languages(practice: Practice, key: str) -> None:
    with hooks(practice) as client:
        dutch, english = client.get(f"/room/{key}"), client.get(f"/room/{key}?lang=en")
    assert dutch.status_code == 404
    assert "In dit kanaal staat niets." in dutch.text
    assert "There is nothing in this channel." in english.text


def test_the_page_is_sent_anew_only_when_something_changed(practice: Practice, key: str) -> None:
    with hooks(practice) as client:
        seen = client.get("/").headers["etag"]
        assert client.get("/", headers={"If-None-Match": seen}).status_code == 304
        client.post(f"/hooks/{key}", json={"text": "nieuw"})
        assert client.get("/", headers={"If-None-Match": seen}).status_code == 200


def test_what_was_said_is_there_after_a_restart(folder: Path) -> None:
    for turn in (1, 2):
        with Practice(folder) as practice, hooks(practice) as client:
            client.post("/hooks/balie", json={"text": f"bericht {turn}"})
            lines = client.get("/messages.json").json()["messages"]
            assert [line["text"] for line in lines] == [f"bericht {each}" for each in range(1, turn + 1)]


def test_a_fault_is_shown_on_its_page(practice: Practice) -> None:
    practice.switch("broken", peer="colleagues")
    with hooks(practice) as client:
        assert client.post("/hooks/balie", json={"text": "x"}).status_code == 500
        practice.switch({"kind": "answer", "status": 500, "path": "/hooks/*"}, peer="colleagues")
        assert "Het kanaal van de collega" in client.get("/").text
