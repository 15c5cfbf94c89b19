"""CSV for Bulk: counting without parsing, and writing what the org will read as it was meant."""

import csv
import errno
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.baseline.writing import nameless_file
from rehearse.errors import UsageError
from rehearse.org.answers import unwritable
from rehearse.org.bulk_csv import RowCounter, bulk_cannot_carry, write_bulk_csv

CELLS = st.text(st.sampled_from(["a", '"', "\n", "\r", ",", "\u2028", "\x85", "é", "🙂", " "]), max_size=8)


def page(rows: list[list[str]]) -> bytes:
    """A result page as Salesforce writes it: every cell quoted, LF."""
    return "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows).encode()


@settings(deadline=None)
@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=8), sizes=st.lists(st.integers(1, 7), max_size=30)
)
def test_rows_are_counted_whatever_they_hold_and_however_they_arrive(rows: list[list[str]], sizes: list[int]) -> None:
    data = page([["Id", "Name"], *rows])
    counter, at = RowCounter(), 0
    for size in [*sizes, len(data)]:
        assert counter.feed(data[at : at + size]) == data[at : at + size]
        at += size
    assert counter.rows == len(rows)
    assert counter.ends_whole
    assert counter.columns == ("Id", "Name")


@settings(deadline=None)
@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=6), data=st.data())
def test_a_page_that_was_cut_is_noticed(rows: list[list[str]], data: st.DataObject) -> None:
    whole = page([["Id", "Name"], *rows])
    cut = data.draw(st.integers(1, len(whole) - 1))
    counter = RowCounter()
    counter.feed(whole[:cut])
    assert not counter.ends_whole or counter.rows < len(rows)


def test_nul_bytes_are_left_out_and_counted() -> None:
    counter = RowCounter()
    assert counter.feed(b'"Id"\n"a\0b"\n') == b'"Id"\n"ab"\n'
    assert counter.feed(b"\0") == b""
    assert (counter.nul_bytes, counter.rows, counter.ends_whole) == (2, 1, True)


def test_nothing_at_all_has_no_rows() -> None:
    counter = RowCounter()
    assert (counter.rows, counter.columns, counter.ends_whole) == (0, (), True)


def read_back(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline=""), strict=True))


@settings(deadline=None)
@given(rows=st.lists(st.lists(st.none() | CELLS, min_size=2, max_size=2), max_size=8))
def test_what_is_written_reads_back(rows: list[list[str | None]], module_folder: Path) -> None:
    path = module_folder / "rows.csv"
    assert write_bulk_csv(path, ["Id", "Parent.Key__c"], rows) == len(rows)
    expected = [["#N/A" if value is None else value for value in row] for row in rows]
    assert read_back(path) == [["Id", "Parent.Key__c"], *expected]
    assert path.read_bytes().endswith(b"\n")


def test_cells_that_matter_byte_by_byte(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_bulk_csv(path, ["A", "B", "C", "D"], [[None, "", " x ", 'a "q"\r\nb']])
    assert path.read_bytes() == b'A,B,C,D\n#N/A,," x ","a ""q""\r\nb"\n'


@pytest.mark.parametrize("value", ["#N/A", " #N/A", "#n/a", "#N/A\n", "a\0b", "\ud800", "x" * 131_073])
def test_what_bulk_cannot_carry_is_said_and_refused(value: str, tmp_path: Path) -> None:
    assert bulk_cannot_carry(value)
    with pytest.raises(UsageError) as raised:
        write_bulk_csv(tmp_path / "rows.csv", ["A"], [[value]])
    assert value not in str(raised.value)


@pytest.mark.parametrize("value", [None, "", "N/A", "#N/A.", "NA", "null", "é", "x" * 131_072])
def test_everything_else_it_can(value: str | None) -> None:
    assert not bulk_cannot_carry(value)


def test_a_short_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="1 values for 2 columns"):
        write_bulk_csv(tmp_path / "rows.csv", ["A", "B"], [["x"]])


def test_a_scratch_file_that_cannot_be_written_is_told_by_its_folder(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with nameless_file(tmp_path) as path:
        assert unwritable(path, full).message == f"{tmp_path} could not be written: No space left on device."
    assert unwritable(tmp_path / "page.csv", full).message.startswith(f"{tmp_path}/page.csv could")
