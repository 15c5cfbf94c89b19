"""The files behind Bulk: CSV that is read strictly, and results that are cut into pages."""

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.practice.bulk_csv import BadBatch, CsvFile
from rehearse.practice.bulk_store import DELIMITERS, LINE_ENDINGS, Job
from rehearse.practice.page_file import PageFile, write_pages

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=12)
TRICKY = st.sampled_from(['"', '""', "\n", "\r\n", "\r", "\u2028", "\x85", ",", ";", "#N/A", " x ", "'", "\t", "`^|"])


def job(delimiter="COMMA", ending="LF"):
    return Job(
        id="750000000000001AAA", org_id="x", kind="V2Ingest", operation="insert", object="Account", state="Open",
        version="67.0", created_by="x", created_at="x", modified_at="x", delimiter=delimiter, line_ending=ending,
    )  # fmt: skip


def write(text, how):
    with tempfile.NamedTemporaryFile(delete=False, suffix=".csv") as file:
        file.write(text.encode("utf-8"))
    return Path(file.name), CsvFile(Path(file.name), how)


@settings(deadline=None, max_examples=150)
@given(
    rows=st.lists(st.lists(st.one_of(TEXTS, TRICKY), min_size=3, max_size=3), max_size=8),
    delimiter=st.sampled_from(sorted(DELIMITERS)),
    ending=st.sampled_from(sorted(LINE_ENDINGS)),
)
def test_whatever_a_csv_writer_quotes_is_read_back(rows, delimiter, ending):
    out = io.StringIO(newline="")
    mark = {"delimiter": DELIMITERS[delimiter], "lineterminator": LINE_ENDINGS[ending], "quoting": csv.QUOTE_ALL}
    csv.writer(out, **mark).writerows([["a", "b", "c"], *rows])
    path, source = write(out.getvalue(), job(delimiter, ending))
    try:
        assert source.header() == ["a", "b", "c"]
        assert [record.cells for record in source.rows()] == rows
        assert not any(record.error for record in source.rows())
    finally:
        path.unlink()


@settings(deadline=None, max_examples=150)
@given(text=st.one_of(TEXTS, st.lists(st.one_of(TRICKY, st.just("a")), max_size=30).map("".join)))
def test_any_text_is_rows_or_a_bad_batch(text):
    path, source = write(text, job())
    try:
        width = len(source.header())
        for record in source.rows():
            assert record.error or len(record.cells) == width
    except BadBatch as error:
        assert str(error).startswith("InvalidBatch : ")
    finally:
        path.unlink()


@settings(deadline=None, max_examples=100)
@given(
    lengths=st.lists(st.integers(1, 40), max_size=60),
    rows=st.integers(1, 70),
    most=st.one_of(st.just(0), st.integers(1, 200)),
    shuffle=st.one_of(st.none(), st.integers(0, 9)),
)
def test_pages_are_a_partition_of_the_rows(lengths, rows, most, shuffle):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.csv"
        lines = [bytes([65 + number % 26]) * length + b"\n" for number, length in enumerate(lengths)]
        total = write_pages(path, b"head\n", iter(lines), shuffle, lambda count: None)
        assert total == len(lines)
        content, start, seen = path.read_bytes(), 0, b""
        while True:
            page = PageFile(path).cut(start, rows, most)
            (head, end_of_head), (first, last) = page.spans
            assert content[head:end_of_head] == b"head\n"
            assert page.end - page.start <= rows
            assert not most or last - first <= most or page.end - page.start == 1
            seen += content[first:last]
            assert page.end > start or not lines
            start = page.end
            if start >= total:
                break
        assert b"head\n" + seen == content
        assert sorted(seen.splitlines()) == sorted(line[:-1] for line in lines)
        if shuffle is None:
            assert seen == b"".join(lines)


def test_what_ends_the_writing_leaves_no_result(tmp_path):
    class Ended(Exception):
        pass

    def tick(count):
        raise Ended

    with pytest.raises(Ended):
        write_pages(tmp_path / "r.csv", b"h\n", (b"x\n" for _ in range(6_000)), None, tick)
    assert not (tmp_path / "r.csv").exists()
