"""Which ports are chosen."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from dispatcher.embedded import ports
from dispatcher.embedded.problems import CannotStart


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens, with a free one after it."""
    while True:
        port = ports.choose(0, exactly=True, what="a test", option="--port")
        with ExitStack() as stack:
            server = stack.enter_context(closing(socket.socket()))
            server.bind(("127.0.0.1", port))
            server.listen()
            try:
                ports.choose(port + 1, exactly=True, what="a test", option="--port")
            except CannotStart:
                continue
            yield port
            return


def test_the_next_free_port_is_taken_where_any_will_do(taken: int) -> None:
    assert ports.choose(taken, exactly=False, what="the website", option="--port") == taken + 1


def test_a_port_that_was_asked_for_and_is_taken_is_said(taken: int) -> None:
    with pytest.raises(CannotStart, match=rf"Port {taken} for the website is taken.*--port {taken + 1}"):
        ports.choose(taken, exactly=True, what="the website", option="--port")


def test_a_port_promised_to_another_part_is_passed_over(taken: int) -> None:
    found = ports.choose(taken, exactly=False, what="the website", option="--port", besides=[taken + 1])
    assert found > taken + 1


def test_a_port_taken_on_the_other_loopback_address_counts() -> None:
    if not socket.has_ipv6:
        return
    port = ports.choose(0, exactly=True, what="a test", option="--port")
    with closing(socket.socket(socket.AF_INET6)) as server:
        try:
            server.bind(("::1", port))
        except OSError:
            pytest.fail("this machine has no IPv6 loopback")
        server.listen()
        with pytest.raises(CannotStart):
            ports.choose(port, exactly=True, what="the website", option="--port")


@pytest.mark.parametrize("number", [-1, 65536, 700000])
def test_a_number_that_is_no_port_is_said(number: int) -> None:
    with pytest.raises(CannotStart, match="--port takes a number from 1 to 65535") as told:
        ports.choose(number, exactly=True, what="the website", option="--port")
    assert told.value.exit_code == 2
