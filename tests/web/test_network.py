"""The client's network: from the connection, or from proxies that are trusted, and from nobody else."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from dispatcher.web.network import network

PROXIES = ["10.0.0.0/8", "fd00::/8"]


@pytest.mark.parametrize(
    ("remote", "forwarded", "found"),
    [
        ("203.0.113.7", "", "203.0.113.0/24"),
        ("2001:db8:1:2::7", "", "2001:db8:1::/48"),
        ("::ffff:203.0.113.7", "", "203.0.113.0/24"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.0/24"),  # not a proxy of ours: what it claims counts for nothing
        ("10.0.0.1", "198.51.100.1", "198.51.100.0/24"),
        ("10.0.0.1", "192.0.2.9, 198.51.100.1", "198.51.100.0/24"),  # the client wrote the first one itself
        ("10.0.0.1", "198.51.100.1, 10.2.0.1", "198.51.100.0/24"),  # two proxies of ours
        ("fd00::1", "2001:db8:5::1", "2001:db8:5::/48"),
        ("10.0.0.1", "nonsense", "10.0.0.0/24"),
        ("10.0.0.1", "", "10.0.0.0/24"),
        ("", "", "unknown"),
        ("unix:", "198.51.100.1", "unknown"),
    ],
)
def test_network(settings: Settings, remote: str, forwarded: str, found: str) -> None:
    settings.TRUSTED_PROXIES = [ip_network(proxy) for proxy in PROXIES]
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert network(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)) == found
