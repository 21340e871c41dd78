"""Subscribers in and out as CSV."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from dispatcher.audience.models import Address, AddressState, Subscriber
from dispatcher.audience.transfer import ConsentMissing, Imported, ImportRefused, export_csv, import_csv

HEADER = "address,channel,group,language,district,topics,consent_source\n"


def load(text: str | bytes, consent: str = "form of 2020") -> Imported:
    return import_csv(io.BytesIO(text.encode() if isinstance(text, str) else text), consent_source=consent)


def refused(text: str | bytes) -> list[tuple[int, str]]:
    before = Address.objects.count(), Subscriber.objects.count()
    with pytest.raises(ImportRefused) as caught:
        load(text)
    assert (Address.objects.count(), Subscriber.objects.count()) == before
    assert all(fault.what and fault.remedy for fault in caught.value.faults)
    return [(fault.row, fault.column) for fault in caught.value.faults]


def test_stores_what_the_columns_say(small_town: Any) -> None:
    result = load(HEADER + "Anna@Practice.invalid,email,entrepreneur,en,Glane,events; roads,list of 3 May\n")
    assert result == Imported(rows=1, added=1)
    address = Address.objects.get()
    assert (address.value, address.channel, address.state) == ("anna@practice.invalid", "email", AddressState.ACTIVE)
    assert (address.state_reason, address.consent_source) == ("import", "list of 3 May")
    subscriber = address.subscriber
    assert (subscriber.group, subscriber.language) == ("entrepreneur", "en")
    assert subscriber.district == small_town.districts["glane"]
    assert set(subscriber.topics.values_list("slug", flat=True)) == {"events", "roads"}


def test_only_the_address_is_needed(small_town: Any) -> None:
    assert load("address\na@practice.invalid\n").added == 1
    address = Address.objects.get()
    assert (address.channel, address.subscriber.group, address.subscriber.language) == ("email", "resident", "nl")
    assert (address.subscriber.district, address.consent_source) == (None, "form of 2020")


@pytest.mark.parametrize("consent", ["", "  ", "\u200b", "a" * 201])
def test_consent_must_be_found_somewhere(small_town: Any, consent: str) -> None:
    with pytest.raises(ConsentMissing):
        load("address\na@practice.invalid\n", consent)
    assert not Address.objects.exists()


def test_who_is_there_already_stays_as_they_are(small_town: Any) -> None:
    small_town.add("known", group="colleague")
    small_town.add("left", state=AddressState.LEFT)
    small_town.add("gone", state=AddressState.SUPPRESSED)
    small_town.add("waiting", state=AddressState.PENDING)
    names = ["known", "left", "gone", "waiting", "new"]
    result = load("address\n" + "".join(f"{name}@practice.invalid\n" for name in names))
    assert result == Imported(rows=5, added=1, known=2, left=2)
    states = {value.partition("@")[0]: state for value, state in Address.objects.values_list("value", "state")}
    assert states == {"known": "active", "left": "left", "gone": "suppressed", "waiting": "pending", "new": "active"}
    assert Subscriber.objects.count() == 5


def test_who_is_not_active_in_the_file_does_not_come_in(small_town: Any) -> None:
    result = load("address,state\na@practice.invalid,left\nb@practice.invalid,active\nc@practice.invalid,pending\n")
    assert result == Imported(rows=3, added=1, inactive=2)
    assert Address.objects.get().value == "b@practice.invalid"


def test_every_bad_row_is_told_and_nothing_is_stored(small_town: Any) -> None:
    text = HEADER + (
        "good@practice.invalid,,,,,,\n"
        "a@localhost,,,,,,\n"
        "b@practice.invalid,,burger,,,,\n"
        "c@practice.invalid,,,xx,,,\n"
        "d@practice.invalid,,,,Gronau,,\n"
        "e@practice.invalid,,,,,events;parties,\n"
        "f@practice.invalid,,\n"
        "GOOD@practice.invalid,,,,,,\n"
        '"h@practice.invalid,,,,,,\n'
        "i@practice.invalid,a-channel-with-a-long-name,,,,,\n"
        "\n"
        ",,,,,,\n"
    )
    assert refused(text) == [
        (3, "address"),
        (4, "group"),
        (5, "language"),
        (6, "district"),
        (7, "topics"),
        (8, "row"),
        (9, "address"),
        (10, "row"),
        (11, "channel"),
        (13, "address"),
    ]


def test_a_fault_says_what_was_probably_meant_and_never_the_address(small_town: Any) -> None:
    with pytest.raises(ImportRefused) as caught:
        load("address,topics\nanna@localhost,event\n")
    messages = "\n".join(map(str, caught.value.faults))
    assert "Did you mean 'events'?" in messages
    assert "row 2, address" in messages
    assert "anna" not in messages
    assert str(caught.value) == "1 row is not right. Nothing was stored."


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("adress,topics", ["adress", "address"]),
        ("address,address", ["address", "address"]),
        ("email\n", ["email", "address"]),
        ("", ["header"]),
    ],
)
def test_a_wrong_header_is_all_that_is_told(small_town: Any, header: str, columns: list[str]) -> None:
    assert refused(f"{header}\n1,2\n" if header else "") == [(1, column) for column in columns]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(small_town: Any, separator: str, ends: str) -> None:
    rows = [["address", "topics"], ["a@practice.invalid", '"events;roads"'], ["b@practice.invalid", '""']]
    assert load(ends.join(separator.join(row) for row in rows)).added == 2
    assert Subscriber.objects.filter(topics__slug="roads").count() == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(small_town: Any, encoding: str) -> None:
    text = "address,consent_source\njosé@practice.invalid,lijst “één”\n"
    assert load(text.encode(encoding)).added == 1
    assert Address.objects.values_list("value", "consent_source").get() == ("josé@practice.invalid", "lijst “één”")


def test_a_thousand_and_one_rows(small_town: Any) -> None:
    text = "address,topics\n" + "".join(f"r{number}@practice.invalid,events\n" for number in range(2_001))
    assert load(text) == Imported(rows=2_001, added=2_001)
    assert Address.objects.filter(state=AddressState.ACTIVE).count() == Subscriber.objects.count() == 2_001
    assert small_town.topics["events"].subscribers.count() == 2_001


class TornFile(io.BytesIO):
    """A file on a disk that is pulled out while it is read for the second time."""

    def __init__(self, content: bytes, passes: int) -> None:
        super().__init__(content)
        self.passes = passes

    def seek(self, offset: int, whence: int = 0) -> int:
        self.passes -= offset == 0 and whence == 0
        return super().seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        if self.passes < 0 and self.tell() > 30_000:
            raise OSError("torn")
        return super().read(size)

    def read1(self, size: int | None = -1) -> bytes:
        return self.read(min(size or 1, 4096))


def test_what_breaks_half_way_leaves_nothing(small_town: Any) -> None:
    content = b"address\n" + b"".join(b"r%d@practice.invalid\n" % number for number in range(3_000))
    small_town.add("r5")
    for passes in range(1, 9):
        file = TornFile(content, passes)
        try:
            import_csv(file, consent_source="form")
        except OSError:
            assert Address.objects.get().value == "r5@practice.invalid"
            assert Subscriber.objects.count() == 1
        else:
            break
    assert passes > 2
    assert Address.objects.filter(state=AddressState.ACTIVE).count() == 3_000


def test_what_a_killed_import_left_is_cleared_and_another_one_s_is_not(small_town: Any) -> None:
    for name, hours in (("killed", 2), ("running", 0)):
        address = small_town.add(name, state=AddressState.PENDING, topics=["events"])
        at = timezone.now() - timedelta(hours=hours)
        Address.objects.filter(pk=address.pk).update(state_reason=f"import {name}", state_at=at)
    load("address\na@practice.invalid\n")
    left = set(Address.objects.values_list("value", flat=True))
    assert left == {"running@practice.invalid", "a@practice.invalid"}
    assert Subscriber.objects.count() == 2


def test_the_database_knows_its_sizes_afterwards(small_town: Any) -> None:
    load("address\na@practice.invalid\n")
    known = {
        "sqlite": "SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'audience_subscriber'",
        "postgresql": "SELECT count(*) FROM pg_stats WHERE tablename = 'audience_subscriber'",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(known)
        assert cursor.fetchone()[0] > 0


def test_an_export_comes_in_again_as_it_was(small_town: Any) -> None:
    small_town.add("a", group="partner", language="en", district="glane", topics=["events", "roads"])
    small_town.add("-b+c")
    small_town.add("left", state=AddressState.LEFT)
    Address.objects.update(consent_source='lijst; met, "aanhaling"')
    out = io.StringIO()
    assert export_csv(out) == 3
    first = out.getvalue()
    Address.objects.filter(value__startswith="-b").delete()  # an address that imports refuse
    out = io.StringIO()
    export_csv(out)
    Subscriber.objects.all().delete()
    assert load(out.getvalue()) == Imported(rows=2, added=1, inactive=1)
    again = io.StringIO()
    export_csv(again)
    assert again.getvalue().splitlines()[1] == first.splitlines()[1]


def test_an_export_of_many_pages_has_all_of_them(small_town: Any) -> None:
    load("address\n" + "".join(f"r{number}@practice.invalid\n" for number in range(2_500)))
    out = io.StringIO()
    assert export_csv(out) == 2_500
    assert len(set(out.getvalue().splitlines())) == 2_501
