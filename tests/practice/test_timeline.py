"""The practice town's timeline: Mastodon's API as its documentation has it, and pages for who reads along."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import lxml.html
import pytest

from dispatcher.practice.timeline import store
from dispatcher.practice.timeline.api import READ_ONLY, TOKEN
from dispatcher.practice.timeline.store import Store
from dispatcher.practice.timeline.text import as_html, length
from tests.support.practice import Practice

STATUSES = "/api/v1/statuses"


@pytest.fixture
def api(practice: Practice) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    base = f"http://localhost:{practice.ports['timeline']}"
    with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
        yield client


def post(api: httpx.Client, text: str = "De balie is dicht.", key: str = "", **more: Any) -> dict[str, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    answer = api.post(STATUSES, json={"status": text, **more}, headers=headers)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_post_is_made_from_json_and_from_a_form(api: httpx.Client) -> None:
    made = post(api, "Dag <b>&</b>\nregel\n\nalinea", language="en", visibility="unlisted")
    assert made["content"] == "<p>Dag &lt;b&gt;&amp;&lt;/b&gt;<br />regel</p><p>alinea</p>"
    assert (made["language"], made["visibility"], made["edited_at"]) == ("en", "unlisted", None)

    form = api.post(STATUSES, data={"status": "Uit een formulier"}).json()
    assert int(form["id"]) > int(made["id"])
    assert httpx.get(made["url"], trust_env=False).status_code == 200


def test_a_repeat_under_a_key_gives_the_first_post_and_ignores_the_rest(
    api: httpx.Client, key: str, practice: Practice
) -> None:
    first, again = post(api, "eerste", key), post(api, "tweede", key)
    assert again == first
    assert [line.what for line in practice.records["timeline"].lines() if line.key == key] == ["post", "repeat"]


def test_a_key_is_forgotten_after_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Store(tmp_path)
    made = kept.post("x", language="nl", visibility="public", reply_to=None, key="key", spoiler="")
    assert kept.by_key("key") is made
    later = time.time() + store.KEY_SECONDS + 1
    monkeypatch.setattr("dispatcher.practice.timeline.store.time.time", lambda: later)
    assert kept.by_key("key") is None
    kept.close()


def test_an_edit_keeps_address_and_history(api: httpx.Client) -> None:
    made = post(api, "voor")
    edited = api.put(f"{STATUSES}/{made['id']}", json={"status": "na"}).json()
    assert (edited["id"], edited["url"]) == (made["id"], made["url"])
    assert datetime.fromisoformat(edited["edited_at"])
    history = api.get(f"{STATUSES}/{made['id']}/history").json()
    assert [version["content"] for version in history] == ["<p>voor</p>", "<p>na</p>"]
    assert api.get(f"{STATUSES}/{made['id']}/source").json()["text"] == "na"


def test_a_post_that_was_taken_away_is_nowhere(api: httpx.Client) -> None:
    made = post(api, "weg")
    assert api.delete(f"{STATUSES}/{made['id']}").json()["text"] == "weg"
    assert api.get(f"{STATUSES}/{made['id']}").status_code == 404
    assert api.put(f"{STATUSES}/{made['id']}", json={"status": "terug"}).status_code == 404
    assert httpx.get(made["url"], trust_env=False).status_code == 404


@pytest.mark.parametrize(
    ("credentials", "status"),
    [("Basic x", 401), ("Bearer wrong", 401), (f"Bearer {READ_ONLY}", 403)],
    ids=["none", "wrong", "read only"],
)
def test_only_the_account_itself_posts(api: httpx.Client, credentials: str, status: int) -> None:
    answer = api.post(STATUSES, json={"status": "x"}, headers={"Authorization": credentials})
    assert answer.status_code == status and answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"status": " "}, "can't be blank"),
        ({"status": "x" * 501}, "limit of 500"),
        ({"status": "x", "visibility": "secret"}, "Visibility"),
    ],
)
def test_what_cannot_be_posted_is_refused(api: httpx.Client, body: dict[str, str], problem: str) -> None:
    answer = api.post(STATUSES, json=body)
    assert answer.status_code == 422 and problem in answer.json()["error"]


def test_length_is_in_graphemes_and_a_link_is_23() -> None:
    assert length("👩‍👩‍👧é") == 2
    assert length(f"https://losser.example/{'x' * 300}") == 23
    assert length("zie https://a.nl.") == 4 + 23 + 1


def test_names_tags_and_links_are_links() -> None:
    html = as_html("@losser en #corona op https://www.losser.example/een/heel/lange/weg?a=1&b", "http://t")
    assert '<a href="http://t/@losser" class="u-url mention">@losser</a>' in html
    assert '<a href="http://t/tags/corona" class="hashtag">#corona</a>' in html
    assert 'href="https://www.losser.example/een/heel/lange/weg?a=1&amp;b"' in html
    text = lxml.html.fromstring(html).xpath("string()")
    assert text == "@losser en #corona op https://www.losser.example/een/heel/lange/weg?a=1&b"


def test_each_answer_says_how_much_more_is_allowed(api: httpx.Client) -> None:
    answer = api.get("/api/v2/instance")
    assert answer.json()["configuration"]["statuses"]["max_characters"] == 500
    assert int(answer.headers["X-RateLimit-Remaining"]) < 300
    assert datetime.fromisoformat(answer.headers["X-RateLimit-Reset"]).timestamp() > time.time()


def test_too_many_requests_are_refused_until_a_stated_time(folder: Path) -> None:
    with Practice(folder) as practice:
        url = f"http://localhost:{practice.ports['timeline']}/api/v2/instance"
        with httpx.Client(trust_env=False) as client:
            answers = [client.get(url) for _ in range(301)]
    assert [answer.status_code for answer in answers] == [200] * 300 + [429]
    assert "Retry-After" not in answers[-1].headers and answers[-1].headers["X-RateLimit-Reset"]


def test_posts_and_keys_survive_a_kill(folder: Path) -> None:
    with Practice(folder) as practice:
        base = f"http://localhost:{practice.ports['timeline']}"
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
            kept, gone = post(client, "blijft", "key-kept"), post(client, "gaat")
            client.put(f"{STATUSES}/{kept['id']}", json={"status": "blijft anders"})
            client.delete(f"{STATUSES}/{gone['id']}")
        os.kill(practice.pid, signal.SIGKILL)
    with (folder / "timeline" / "statuses.jsonl").open("a") as log:
        log.write('{"do": "post", "id"')  # as a machine that stops leaves it
    with Practice(folder) as practice:
        base = f"http://localhost:{practice.ports['timeline']}"
        with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
            again = post(client, "iets anders", "key-kept")
            assert again["id"] == kept["id"] and again["content"] == "<p>blijft anders</p>"
            assert client.get(f"{STATUSES}/{gone['id']}").status_code == 404
            assert int(post(client, "nieuw")["id"]) > int(gone["id"])


def test_the_public_pages_show_what_everybody_sees(api: httpx.Client) -> None:
    made = post(api, "<script>alert(1)</script> en meer", language="en")
    post(api, "alleen met het adres", visibility="unlisted")
    for language, word in (("nl", "Tijdlijn van @losser"), ("en", "Timeline of @losser")):
        answer = httpx.get(f"{api.base_url}/@losser", params={"lang": language}, trust_env=False)
        page = lxml.html.document_fromstring(answer.content)
        assert page.get("lang") == language and page.findtext(".//h1") == word
        assert "<script" not in answer.text and "alleen met het adres" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    one = lxml.html.document_fromstring(httpx.get(made["url"], trust_env=False).content)
    assert one.xpath("//div[contains(@class, 'timeline__text')]/@lang") == ["en"]
    assert one.xpath("//button/@value") == ["edit", "delete"]


def test_a_stranger_changes_a_post_and_takes_it_away(api: httpx.Client) -> None:
    made = post(api, "echt")
    tamper = f"{api.base_url}/tamper/{made['id']}"
    assert httpx.post(tamper, data={"do": "edit"}, trust_env=False).status_code == 303
    assert "echt" not in api.get(f"{STATUSES}/{made['id']}").json()["content"]
    assert "Een vreemde heeft dit bericht veranderd." in httpx.get(made["url"], trust_env=False).text
    assert httpx.post(tamper, data={"do": "delete"}, trust_env=False).status_code == 303
    assert api.get(f"{STATUSES}/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("headers", "do", "status"),
    [
        ({"Origin": "https://evil.example"}, "edit", 403),
        ({"Sec-Fetch-Site": "cross-site"}, "edit", 403),
        ({}, "x", 400),
    ],
)
def test_a_strange_page_cannot_tamper(api: httpx.Client, headers: dict[str, str], do: str, status: int) -> None:
    made = post(api, "blijft zo")
    answer = httpx.post(f"{api.base_url}/tamper/{made['id']}", data={"do": do}, headers=headers, trust_env=False)
    assert answer.status_code == status
    assert json.loads(api.get(f"{STATUSES}/{made['id']}").text)["edited_at"] is None
