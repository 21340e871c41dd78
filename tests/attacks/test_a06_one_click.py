"""A06, one-click unsubscribe (RFC 8058), over HTTP against a running installation and in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dispatcher.acts.leave import leave
from dispatcher.audience.tokens import Purpose, make
from dispatcher.dispatching.models import Delivery
from tests.support.residents import move_in, web_town
from tests.support.scene import Scene
from tests.support.scene_fixtures import practice_town, scene, site
from tests.support.town import Town

__all__ = ["practice_town", "scene", "site"]

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
    {"Content-Type": "multipart/form-data; boundary=b"},
)
URLENCODED = (b"List-Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"})
WRONG_BODIES = {
    "nothing": (b"", {}),
    "nothing, as a form": (b"", {"Content-Type": "application/x-www-form-urlencoded"}),
    "another value": (b"List-Unsubscribe=One-click", {"Content-Type": "application/x-www-form-urlencoded"}),
    "another name": (b"Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"}),
    "as text": (b"List-Unsubscribe=One-Click", {"Content-Type": "text/plain"}),
    "as JSON": (b'{"List-Unsubscribe": "One-Click"}', {"Content-Type": "application/json"}),
    "broken multipart": (b"--b\r\nnonsense", {"Content-Type": "multipart/form-data; boundary=b"}),
    "multipart without boundary": (b"--b\r\n", {"Content-Type": "multipart/form-data"}),
    "a file": (
        b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"; filename="x"\r\n\r\nOne-Click\r\n--b--\r\n',
        {"Content-Type": "multipart/form-data; boundary=b"},
    ),
    "a thousand fields": (
        b"&".join(b"a%d=1" % n for n in range(1000)) + b"&List-Unsubscribe=One-Click",
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    "large": (
        b"a=" + b"x" * 600_000 + b"&List-Unsubscribe=One-Click",
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
}


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    """One installation with a web server for all rows here."""
    with web_town("a06") as running:
        yield running


def _state(town: Town, public_id: str) -> dict[str, Any]:
    return town.rows(
        "SELECT state, state_reason, state_at, left_from FROM audience_address WHERE public_id = %s", public_id
    )[0]


def _url(town: Town, public_id: str) -> str:
    return f"http://localhost:{town.ports['web']}/leave/{make(Purpose.LEAVE, public_id, 0)}"


@pytest.mark.parametrize(("body", "headers"), [MULTIPART, URLENCODED], ids=["multipart", "urlencoded"])
def test_a06_one_post_without_cookie_referer_or_form_token_leaves(
    town: Town, body: bytes, headers: dict[str, str]
) -> None:
    public_id = move_in(town)
    with httpx.Client(follow_redirects=True) as client:
        answer = client.post(_url(town, public_id), content=body, headers=headers)
    assert answer.status_code == 200
    assert answer.history == [], "no redirect: a mail program follows none (RFC 8058, 3.1)"
    assert "set-cookie" not in answer.headers
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.content) < 200
    left = _state(town, public_id)
    assert (left["state"], left["state_reason"], left["left_from"]) == ("left", "one-click", "active")


def test_a06_a_repeat_is_answered_the_same_and_changes_nothing(town: Town) -> None:
    public_id = move_in(town)
    body, headers = URLENCODED
    answers = [httpx.post(_url(town, public_id), content=body, headers=headers) for _ in range(1)]
    first = _state(town, public_id)
    answers += [httpx.post(_url(town, public_id), content=body, headers=headers) for _ in range(10)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert _state(town, public_id) == first


@pytest.mark.parametrize("wrong", WRONG_BODIES)
def test_a06_a_wrong_body_is_refused(town: Town, wrong: str) -> None:
    public_id = move_in(town)
    body, headers = WRONG_BODIES[wrong]
    before = _state(town, public_id)
    answer = httpx.post(_url(town, public_id), content=body, headers=headers, follow_redirects=True)
    assert answer.status_code == 400
    assert "set-cookie" not in answer.headers
    assert _state(town, public_id) == before


def test_a06_a_forged_token_is_one_page_not_found(town: Town) -> None:
    public_id = move_in(town)
    right = make(Purpose.LEAVE, public_id, 0)
    flipped = right[:-1] + ("A" if right[-1] != "A" else "B")
    base = f"http://localhost:{town.ports['web']}/leave/"
    forged = [flipped, make(Purpose.LEAVE, "0" * 32, 0), make(Purpose.LEAVE, public_id, 1), "nonsense"]
    forged.append(make(Purpose.PREFERENCES, public_id, 0))
    answers = [httpx.post(base + token, data=ONE_CLICK, follow_redirects=True) for token in forged]
    assert [answer.status_code for answer in answers] == [404] * len(forged)
    assert (
        len({answer.content.replace(token.encode(), b"") for answer, token in zip(answers, forged, strict=True)}) == 1
    )
    assert _state(town, public_id)["state"] == "active"


def test_a06_the_log_has_the_leave_and_no_token(town: Town) -> None:
    public_id = move_in(town)
    httpx.post(_url(town, public_id), data=ONE_CLICK)
    log = town.until(
        lambda: [line for line in (town.logs / "web.log").read_text().splitlines() if public_id[:8] in line]
    )
    assert any('"event": "subscriber.left"' in line and '"cause": "one-click"' in line for line in log)
    everything = (town.logs / "web.log").read_text()
    assert make(Purpose.LEAVE, public_id, 0) not in everything
    assert "/leave/***" in everything


def test_a06_a_get_or_head_never_leaves(town: Town) -> None:
    public_id = move_in(town)
    before = _state(town, public_id)
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = httpx.request(method, _url(town, public_id))
        assert answer.status_code == (405 if method == "OPTIONS" else 200)
    assert _state(town, public_id) == before


def test_a06_it_counts_for_what_is_not_handed_over_yet(scene: Scene) -> None:
    scene.website()
    scene.email()
    people = scene.people(5)
    made = scene.planned()
    leave(people[2], cause="one-click")
    scene.work()
    assert scene.received()[people[2].value] == 0
    assert sum(scene.received().values()) == 4
    skipped = Delivery.objects.get(dispatch=made, address=people[2])
    assert (skipped.state, skipped.reason) == ("skipped", "left")
