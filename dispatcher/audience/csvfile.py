"""CSV as it comes: any of four encodings, three separators, mixed line ends, and faults told row by row.

A row is a line: cells with a line end in them are refused, so that one forgotten quote spoils one row and not the rest
of the file, and so that no row takes more memory than a line may have.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

SIZE_LIMIT = 50 * 2**20  # bytes
ROW_LIMIT = 500_000
LINE_LIMIT = 10_000  # characters
SEPARATORS = ",;\t"
# What a spreadsheet would run as a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class FileTooLarge(Exception):
    """The file has more bytes or rows than are taken at once."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with a row, which counts from 1 with the header, and what to do. Never the cell itself."""

    row: int
    column: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.column}: {self.what} {self.remedy}"


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line."""

    number: int
    cells: list[str]


def check_bounds(file: BinaryIO) -> None:
    """Looks at the size of a seekable file before anything is read, then counts its lines before any is looked at.

    Raises:
        FileTooLarge: more than 50 MiB, or more than 500,000 rows below the header.
    """
    if file.seek(0, io.SEEK_END) > SIZE_LIMIT:
        raise FileTooLarge(f"The file is larger than {SIZE_LIMIT // 2**20} MB. Split it, with the header in each part.")
    with _opened(file) as text:
        if sum(1 for _ in _lines(text)) > ROW_LIMIT + 1:
            raise FileTooLarge(f"There are more than {ROW_LIMIT:,} rows. Split the file, the header in each part.")


def encoding_of(file: BinaryIO) -> str:
    """The encoding of a file: what its byte order mark or its zero bytes say, else UTF-8, else that of Windows."""
    file.seek(0)
    head = file.read(4096)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    zeros = len(head) // 4  # of letters in UTF-16 every second byte is zero
    if zeros and head[1::2].count(0) >= zeros:
        return "utf-16-le"
    if zeros and head[::2].count(0) >= zeros:
        return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while head:
            decoder.decode(head)
            head = file.read(2**20)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"  # all of Latin-1 that is printed, and what spreadsheets on Windows write
    return "utf-8"


def rows(file: BinaryIO) -> Iterator[Row | RowFault]:
    """Every line with something on it, the header first, as cells or as what is wrong with it."""
    with _opened(file) as text:
        separator = ""
        for number, line in _lines(text):
            separator = separator or max(SEPARATORS, key=(line or "").count)
            if line is None:
                what = f"It is longer than {LINE_LIMIT:,} characters."
                yield RowFault(number, "row", what, "Look for a quote or a line end that is missing.")
            elif line.strip():
                yield _row(number, line, separator)


@contextmanager
def _opened(file: BinaryIO) -> Iterator[io.TextIOWrapper]:
    encoding = encoding_of(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline=None)
    try:
        yield text
    finally:
        text.detach()  # closing the wrapper would close the caller's file


def _lines(text: io.TextIOWrapper) -> Iterator[tuple[int, str | None]]:
    """Each line with its number; ``None`` for one that is too long, of which the rest is read past."""
    number = 0
    while line := text.readline(LINE_LIMIT + 1):
        number += 1
        if len(line) > LINE_LIMIT and not line.endswith("\n"):
            while (rest := text.readline(LINE_LIMIT)) and not rest.endswith("\n"):
                pass
            yield number, None
        else:
            yield number, line.rstrip("\n")


def _row(number: int, line: str, separator: str) -> Row | RowFault:
    if "\0" in line or "\ufffd" in line:
        return RowFault(number, "row", "It holds characters that cannot be read.", "Save the file as UTF-8.")
    try:
        cells = next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error:
        remedy = "Put quotes around the whole cell, and write a quote inside it twice."
        return RowFault(number, "row", "A quote is not closed, or stands inside a cell.", remedy)
    return Row(number, [_without_guard(cell.strip(" ")) for cell in cells])


def guarded(cell: str) -> str:
    """``cell`` as it is exported: with an apostrophe before it where a spreadsheet would run it as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _without_guard(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
