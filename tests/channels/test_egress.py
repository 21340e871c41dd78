"""Where channels may connect to: the open form for production, the closed one for practice."""

from __future__ import annotations

import asyncio

import pytest

from channels.kit.egress import AddressNotAllowed, Egress


def resolve(egress: Egress, host: str, port: int) -> list[str]:
    return asyncio.run(egress.resolve(host, port))


def test_the_closed_form_reaches_what_is_named_and_nothing_else() -> None:
    closed = Egress({("localhost", 8702), ("127.0.0.1", 8702)}, closed=True)

    assert "127.0.0.1" in resolve(closed, "localhost", 8702)
    for host, port in [("localhost", 8703), ("192.0.2.1", 443), ("1.1.1.1", 443), ("::1", 8702), ("localhost.", 80)]:
        with pytest.raises(AddressNotAllowed, match="practice town"):
            resolve(closed, host, port)


def test_the_closed_form_asks_no_resolver_about_a_strange_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("socket.getaddrinfo", lambda *arguments, **_: asked.append(arguments))

    with pytest.raises(AddressNotAllowed):
        resolve(Egress(closed=True), "mastodon.example", 443)
    assert asked == []


def test_the_open_form_reaches_public_addresses_and_what_is_named() -> None:
    opened = Egress({("127.0.0.1", 25)})

    assert resolve(opened, "1.1.1.1", 443) == ["1.1.1.1"]
    assert resolve(opened, "127.0.0.1", 25) == ["127.0.0.1"]
    with pytest.raises(AddressNotAllowed, match="not a public address"):
        resolve(opened, "127.0.0.1", 26)
