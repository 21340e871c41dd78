"""Leaving: at once, once, and for good."""

from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection

from dispatcher.audience.leaving import leave
from dispatcher.audience.models import Address, AddressState


def test_the_first_leave_counts_and_its_cause_stays(small_town: Any) -> None:
    address = small_town.add("a")
    before = address.state_at
    assert leave(address, "one-click")
    assert (address.state, address.state_reason) == (AddressState.LEFT, "one-click")
    assert address.state_at > before
    left_at = address.state_at
    assert not leave(Address.objects.get(), "page")
    address.refresh_from_db()
    assert (address.state, address.state_reason, address.state_at) == (AddressState.LEFT, "one-click", left_at)


@pytest.mark.parametrize("state", [AddressState.PENDING, AddressState.SUPPRESSED])
def test_whoever_does_not_hear_can_leave_too(small_town: Any, state: AddressState) -> None:
    address = small_town.add("a", state=state)
    assert leave(address, "page")
    address.refresh_from_db()
    assert address.state == AddressState.LEFT


def test_a_stale_object_learns_how_it_is(small_town: Any) -> None:
    address, stale = small_town.add("a"), Address.objects.get()
    leave(address, "one-click")
    assert not leave(stale, "page")
    assert (stale.state, stale.state_reason) == (AddressState.LEFT, "one-click")


def test_others_stay(small_town: Any) -> None:
    small_town.add("a")
    leave(small_town.add("b"), "page")
    assert list(Address.objects.filter(state=AddressState.ACTIVE).values_list("value", flat=True)) == [
        "a@practice.invalid"
    ]


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_make_one_leave(small_town: Any) -> None:
    address, barrier = small_town.add("a"), Barrier(10)
    results: list[bool] = []

    def click() -> None:
        try:
            mine = Address.objects.get(pk=address.pk)
            barrier.wait(10)
            results.append(leave(mine, "one-click"))
        finally:
            connection.close()

    threads = [Thread(target=click) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == [False] * 9 + [True]
