"""Pages are read whole or not at all: every cut and every torn quote is noticed."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearse.baseline import csv_page
from rehearse.baseline.csv_page import read_page, walk_page
from rehearse.errors import OrgBusy

COLUMNS = ("Id", "Name", "Text")
CELLS = st.text(st.sampled_from('ab",\n\r\u2028é😀 #N/A'), max_size=8)


def render(rows: list[list[str]], line_end: str = "\n") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=line_end).writerows([list(COLUMNS), *rows])
    return out.getvalue().encode()


def read(path: Path, rows: int) -> list[list[str | None]]:
    return [list(row.values()) for batch in read_page(path, COLUMNS, rows) for row in batch.to_pylist()]


@given(st.lists(st.tuples(CELLS, CELLS), max_size=5), st.sampled_from(["\n", "\r\n"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_come_through_unchanged(tmp_path: Path, cells: list[tuple[str, str]], line_end: str) -> None:
    rows = [[f"id{number}", *pair] for number, pair in enumerate(cells)]
    path = tmp_path / "page.csv"
    path.write_bytes(render(rows, line_end))
    assert read(path, len(rows)) == [[cell or None for cell in row] for row in rows]


@given(st.lists(st.tuples(CELLS, CELLS), max_size=30), st.sampled_from(["\n", "\r\n"]), st.integers(1, 40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_records_longer_than_a_piece_come_through(
    tmp_path: Path, cells: list[tuple[str, str]], line_end: str, piece: int
) -> None:
    rows = [[f"id{number}", *pair] for number, pair in enumerate(cells)]
    path = tmp_path / "page.csv"
    path.write_bytes(render(rows, line_end))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_page, "PIECE_BYTES", piece)
        assert read(path, len(rows)) == [[cell or None for cell in row] for row in rows]


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    whole = render([["1", 'a"\n"b', "x\ny"], ["2", "", 'ends with "'], ["3", "z,\n", ""]])
    path = tmp_path / "page.csv"
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(OrgBusy):
            read(path, 3)
    path.write_bytes(whole)
    assert len(read(path, 3)) == 3


@pytest.mark.parametrize(
    "body",
    [
        b'"Id","Name","Text"\n"1","a"b","c"\n',
        b'"Id","Name","Text"\n"1",a"b",c"\n',
        b'"Id","Name","Text"\n"1","a" ,"c"\n',
        b'"Id","Name","Text"\n"1","a","c","d"\n',
        b'"Id","Name","Text"\n"1","a"\n',
        b'"Id","Name","Other"\n"1","a","c"\n',
        b'"Id","Name","Text"\n"1","a","c"\n\n',
        b"<html>busy</html>\n",
        b"",
    ],
)
def test_torn_pages_are_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "page.csv"
    path.write_bytes(body)
    with pytest.raises(OrgBusy):
        read(path, 1)


def test_a_quote_at_a_chunk_border(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_page, "PIECE_BYTES", 1)
    path = tmp_path / "page.csv"
    path.write_bytes(render([["1", 'a""b"', "x\n"], ["2", "", '"']]))
    assert sum(1 for _ in walk_page(path, 2)) == 3
    path.write_bytes(b'"Id","Name","Text"\n"1","a"b","c"\n')
    with pytest.raises(OrgBusy):
        list(walk_page(path, 1))


def test_columns_may_come_in_another_order_and_case(tmp_path: Path) -> None:
    path = tmp_path / "page.csv"
    path.write_bytes(b"TEXT,id,Name\nt,1,\n")
    (batch,) = read_page(path, COLUMNS, 1)
    assert batch.to_pylist() == [{"Text": "t", "Id": "1", "Name": None}]


def test_a_record_of_eight_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "page.csv"
    long = 'x"\n' * (8_000_000 // 3)
    path.write_bytes(render([["1", "a", long], ["2", "b", "short"]]))
    assert [row[2] for row in read(path, 2)] == [long, "short"]
