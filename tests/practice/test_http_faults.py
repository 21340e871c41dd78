"""Faults of the far sides that speak HTTP, seen by a client that looks at each byte."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from dispatcher.practice.http_faults import Moment
from dispatcher.practice.http_presets import HTTP_PRESETS
from tests.support.practice import Practice
from tests.support.recorder import Line

PEER = "colleagues"


@contextmanager
def connected(practice: Practice, peer: str = PEER) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", practice.ports[peer]), timeout=10) as client:
        yield client


def request(body: bytes = b"hello", *, path: str = "/hook/room", length: int | None = None) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n"
    )
    return head.encode() + body


def all_from(client: socket.socket) -> bytes:
    """What comes until the other side closes; ends with ``RESET`` where it resets."""
    found = b""
    try:
        while part := client.recv(4096):
            found += part
    except ConnectionResetError:
        found += b"RESET"
    return found


def post(practice: Practice, body: str = "hello", room: str = "room", peer: str = PEER) -> httpx.Response:
    url = f"http://localhost:{practice.ports[peer]}/hook/{room}"
    return httpx.post(url, content=body.encode(), timeout=10, trust_env=False)


def taken(practice: Practice, room: str) -> list[Line]:
    return practice.records[PEER].to(room)


def test_what_is_taken_is_on_record_before_the_answer(practice: Practice) -> None:
    assert post(practice, "one", "first").text == "ok"
    assert post(practice, "one", "first").text == "ok"

    first, second = taken(practice, "first")
    assert (first.attempt, second.attempt, first.key == second.key, first.what) == (1, 2, True, "hook")
    assert first.pid


@pytest.mark.parametrize("name", HTTP_PRESETS)
def test_each_preset_can_be_switched_on_and_is_explained_in_both_languages(practice: Practice, name: str) -> None:
    practice.switch(name, peer=PEER)
    assert len(practice.state(PEER)["faults"]) == 1

    for language in ("nl", "en"):
        title, sentence = HTTP_PRESETS[name].words[language]
        page = practice.get("/faults", peer=PEER, lang=language).text.replace("&#39;", "'")
        assert title in page and sentence in page


def test_an_answer_is_given_before_the_body_and_takes_nothing(practice: Practice) -> None:
    fault = {"kind": "answer", "moment": "before-body", "status": 429, "headers": {"Retry-After": "7"}, "body": "no"}
    practice.switch(fault, peer=PEER)
    with connected(practice) as client:
        client.sendall(request(b"", length=100))
        found = client.recv(4096)

    assert found.startswith(b"HTTP/1.1 429 ") and b"Retry-After: 7\r\n" in found


@pytest.mark.parametrize("takes", [True, False])
def test_an_answer_says_no_whether_or_not_the_message_was_taken(practice: Practice, takes: bool) -> None:
    practice.switch({"kind": "answer", "status": 503, "taken": takes}, peer=PEER)
    room = f"answer-{takes}"

    assert post(practice, room=room).status_code == 503
    assert len(taken(practice, room)) == takes


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("moment", [Moment.CONNECT, Moment.BEFORE_BODY, Moment.IN_BODY, Moment.AFTER_BODY])
def test_a_connection_is_cut_at_its_moment(practice: Practice, moment: Moment, how: str) -> None:
    practice.switch({"kind": "cut", "moment": moment, "how": how, "taken": False}, peer=PEER)
    room = f"cut-{moment}-{how}"
    try:
        with connected(practice) as client:
            if moment != Moment.CONNECT:
                whole = request(b"0123456789", path=f"/hook/{room}")
                rest = {Moment.BEFORE_BODY: 10, Moment.IN_BODY: 5, Moment.AFTER_BODY: 0}[moment]
                client.sendall(whole[: len(whole) - rest])
            found = all_from(client)
    except ConnectionResetError:  # at the connection itself it can come before we have so much as looked at it
        assert moment == Moment.CONNECT
        found = b"RESET"

    assert found == (b"RESET" if how == "rst" else b"")
    assert not taken(practice, room)


def test_a_message_is_taken_and_its_answer_never_comes(practice: Practice) -> None:
    practice.switch("cut-taken", peer=PEER)
    with pytest.raises(httpx.RemoteProtocolError):
        post(practice, room="lost")
    assert len(taken(practice, "lost")) == 1

    assert post(practice, room="lost").status_code == 200, "it strikes once"


def test_half_an_answer_is_no_answer(practice: Practice) -> None:
    practice.switch("half-answer", peer=PEER)
    with connected(practice) as client:
        client.sendall(request())
        assert all_from(client) == b"HTTP/1.1 20"


def test_the_answer_leaves_before_the_connection_is_cut(practice: Practice) -> None:
    practice.switch({"kind": "cut", "moment": "after-answer"}, peer=PEER)
    with connected(practice) as client:
        client.sendall(request())
        assert all_from(client).endswith(b"ok")


def test_silence_is_silence_at_each_moment(practice: Practice) -> None:
    for moment in (Moment.CONNECT, Moment.BEFORE_BODY, Moment.AFTER_BODY):
        practice.switch({"kind": "silence", "moment": moment}, peer=PEER)
        with connected(practice) as client:
            client.settimeout(0.3)
            client.sendall(request())
            with pytest.raises(TimeoutError):
                client.recv(1)


def test_a_trickling_answer_is_a_whole_one_in_the_end(practice: Practice) -> None:
    practice.switch({"kind": "silence", "moment": "after-body", "trickle": 0.001}, peer=PEER)
    with connected(practice) as client:
        client.sendall(request())
        found = b""
        while not found.endswith(b"\r\n\r\nok"):
            found += client.recv(4096)
    assert found.startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_refused_port_refuses_and_opens_again(practice: Practice) -> None:
    with connected(practice) as client:
        practice.switch("refused", peer=PEER)
        assert all_from(client) in (b"", b"RESET")
    with pytest.raises(httpx.ConnectError):
        post(practice)

    practice.clear()
    assert post(practice).status_code == 200


def test_a_fault_strikes_what_fits_after_so_many_and_so_often(practice: Practice) -> None:
    practice.switch({"kind": "answer", "status": 500, "path": "/hook/a*", "after": 1, "times": 1}, peer=PEER)

    assert [post(practice, room=room).status_code for room in ("a1", "b1", "a2", "b2", "a3")] == [
        200, 200, 500, 200, 200,
    ]  # fmt: skip
    assert practice.state(PEER)["faults"][0]["struck"] == 1


def test_another_far_side_has_none_of_it(practice: Practice) -> None:
    practice.switch("broken", peer="timeline")

    assert post(practice).status_code == 200
    page = practice.get("/mailbox", lang="en").text
    assert "The timeline has a fault now." in page and "The mail server has a fault now." not in page


@pytest.mark.parametrize(
    ("wanted", "complaint"),
    [
        ({"kind": "cut", "moment": "rcpt"}, "moment"),
        ({"kind": "signal", "moment": "in-body"}, "moment must be one of"),
        ({"kind": "cut", "moment": "connect", "path": "/x"}, "not known yet"),
        ({"kind": "greylist"}, "say which kind"),
        ({"preset": "greylist"}, "there is no 'greylist'"),
        ({"kind": "answer"}, "status: Field required"),
    ],
)
def test_what_is_no_fault_is_explained(practice: Practice, wanted: dict[str, Any], complaint: str) -> None:
    answer = httpx.put(f"{practice.url}/faults/{PEER}", json=wanted, trust_env=False)
    assert answer.status_code == 422
    assert complaint in json.dumps(answer.json())


def test_a_strange_name_for_this_machine_is_refused(practice: Practice) -> None:
    url = f"http://localhost:{practice.ports[PEER]}/hook/room"
    assert httpx.post(url, headers={"Host": "evil.example"}, trust_env=False).status_code == 403
