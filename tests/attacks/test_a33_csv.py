"""A33, CSV in and out: bounded, told row by row, all or nothing, and no formula leaves the house."""

import csv
import io
import resource
import subprocess
import sys
from typing import Any

import pytest

from dispatcher.audience.csvfile import LINE_LIMIT, ROW_LIMIT, SIZE_LIMIT, FileTooLarge, guarded, rows
from dispatcher.audience.models import Address, AddressState, Subscriber
from dispatcher.audience.transfer import ImportRefused, export_csv, import_csv

pytestmark = pytest.mark.django_db


class Huge(io.RawIOBase):
    """A file of any size that has nothing in it and must not be read."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.was_read = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.size if whence == io.SEEK_END else offset

    def read(self, _size: int = -1, /) -> bytes:
        self.was_read += 1
        return b""


@pytest.mark.parametrize("size", [SIZE_LIMIT + 1, 2 * 2**30])
def test_a33_a_file_that_is_too_large_is_refused_before_it_is_read(size: int) -> None:
    file: Any = Huge(size)
    with pytest.raises(FileTooLarge, match="larger than 50 MB"):
        import_csv(file, consent_source="form")
    assert file.was_read == 0


def test_a33_too_many_rows_are_refused_and_nothing_is_stored() -> None:
    file = io.BytesIO(b"address\n" + b"x\n" * (ROW_LIMIT + 1))
    with pytest.raises(FileTooLarge, match="more than 500,000 rows"):
        import_csv(file, consent_source="form")
    assert not Address.objects.exists()


CHILD = """
import io, resource, sys
from dispatcher.audience.csvfile import RowFault, rows
line = b"a" * (50 * 2**20 - 100)
file = io.BytesIO(b"address\\n" + line + b"\\nb@practice.invalid\\n")
del line
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = [(row.number if hasattr(row, "number") else row.row, isinstance(row, RowFault)) for row in rows(file)]
print(found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start)
"""


def test_a33_a_row_of_50_mb_is_one_bad_row_and_takes_no_memory() -> None:
    child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    found, grown = child.stdout.rsplit(" ", 1)
    assert found == "[(1, False), (2, True), (3, False)]"
    assert int(grown) < 20_000 * (1 if sys.platform != "darwin" else resource.getpagesize())


def faults(content: bytes) -> list[tuple[int, str]]:
    with pytest.raises(ImportRefused) as refused:
        import_csv(io.BytesIO(content), consent_source="form")
    assert not Address.objects.exists()
    assert not Subscriber.objects.exists()
    return [(fault.row, fault.column) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("bad", "column"),
    [
        (b'"b@practice.invalid', "row"),
        (b'b"@practice.invalid', "address"),
        (b'"b"@practice.invalid', "row"),
        (b"b\x00@practice.invalid", "row"),
        (b"b@practice.invalid,x", "row"),
        (b"b" * (LINE_LIMIT + 1), "row"),
        (b"=HYPERLINK(1)@practice.invalid", "address"),
        (b"b@practice.invalid\x0b", "address"),
        (b"b\xe2\x80\xa8@practice.invalid", "address"),
    ],
)
def test_a33_one_bad_row_is_told_by_its_number_and_spoils_no_other(bad: bytes, column: str) -> None:
    content = b"address\na@practice.invalid\n" + bad + b"\nc@practice.invalid\nd@localhost\n"
    assert faults(content) == [(3, column), (5, "address")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "latin-1", "utf-8-sig"])
@pytest.mark.parametrize("ends", ["\r\n", "\n", "\r", "mixed"])
def test_a33_encodings_and_line_ends_are_found(encoding: str, ends: str) -> None:
    text = "address\nfrançois@practice.invalid\nb@practice.invalid\nc@practice.invalid\n"
    parts = text.split("\n")
    marks = ["\r\n", "\r", "\n", "\r\n"] if ends == "mixed" else [ends] * 4
    content = "".join(part + mark for part, mark in zip(parts, marks, strict=False)).encode(encoding)
    assert import_csv(io.BytesIO(content), consent_source="form").added == 3
    assert Address.objects.filter(value="françois@practice.invalid").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00",
        b"\x00" * 5_000,
        b"\xff" * 5_000,
        b"\xfe\xff" + b"\x00a" * 9,
        b'"' * 9_000,
        b"\r" * 9_000,
        b"," * 9_000,
    ],
)
def test_a33_what_is_no_csv_is_told_and_stores_nothing(content: bytes) -> None:
    assert faults(content)


def test_a33_every_bad_row_is_told_even_when_all_are_bad() -> None:
    content = b"address,group\n" + b"".join(b"r%d,groep%d\n" % (number, number) for number in range(20_000))
    assert len(faults(content)) == 40_000


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a33_no_cell_of_an_export_is_a_formula(start: str) -> None:
    subscriber = Subscriber.objects.create(group="resident", language="nl")
    value, consent = f"{start}HYPERLINK(1)@practice.invalid", f"{start}cmd|' /C calc'!A0, \"x\"\nnext"
    Address.objects.create(
        subscriber=subscriber, channel="email", value=value, state=AddressState.ACTIVE, consent_source=consent
    )
    out = io.StringIO(newline="")
    export_csv(out)
    header, row = csv.reader(io.StringIO(out.getvalue(), newline=""))
    exported = dict(zip(header, row, strict=True))
    assert exported["address"] == f"'{value}"
    assert exported["consent_source"] == f"'{consent}"
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)
    lines = out.getvalue().removesuffix("\r\n").split("\r\n")
    assert all(line.startswith('"') and line.endswith('"') for line in lines)


def test_a33_the_guard_is_taken_off_again_and_nothing_else_is() -> None:
    read = list(rows(io.BytesIO(f"a,b,c\n{guarded('=x')},'t Zand,''\n".encode())))
    assert [getattr(row, "cells", None) for row in read] == [["a", "b", "c"], ["=x", "'t Zand", "''"]]
