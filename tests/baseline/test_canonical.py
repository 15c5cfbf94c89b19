"""Canonical values: one text a value whichever API it came by; digests that no two rows share."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearse.baseline.canonical import canonical_value, field_digest, row_digest, stored_value, value_text
from rehearse.baseline.canonical_arrays import comparable_array, digest_rows, stored_array, sum_digest_array
from rehearse.baseline.model import ComparableField

TYPES = [
    "string", "textarea", "boolean", "int", "double", "currency", "percent", "date", "datetime", "time", "id",
    "reference", "multipicklist", "picklist", "email",
]  # fmt: skip
NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)
TEXTS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.sampled_from(
        ["", "true", "FALSE", " x", "a;b;a", "b;;a", "-0.0", "1E+3", "00100000000000a", "#N/A", "é\r\nü\r", "\0"]
    ),
    NUMBERS.map(str),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}+02:00"),
)


def sum_digests(digests: Iterable[bytes]) -> int:
    """What the sum over arrays must be: a plain sum mod 2^128, the same in whatever order the rows come."""
    return sum(int.from_bytes(one, "big") for one in digests) % (1 << 128)


@pytest.mark.parametrize(
    ("type", "text", "expected"),
    [
        ("currency", "1.0E7", "10000000"),
        ("double", "12.50", "12.5"),
        ("double", "-0.00", "0"),
        ("int", "7.0", "7"),
        ("double", "1E-5", "0.00001"),
        ("double", "1E+999999999", "1E+999999999"),
        ("double", "a lot", "a lot"),
        ("boolean", "TRUE", "true"),
        ("datetime", "2026-01-31T23:30:00.000+0100", "2026-01-31T22:30:00.000Z"),
        ("datetime", "2026-01-31T22:30:00Z", "2026-01-31T22:30:00.000Z"),
        ("datetime", "0999-01-01T00:00:00.000+0000", "0999-01-01T00:00:00.000Z"),
        ("datetime", "2026-01-31T22:30:00", "2026-01-31T22:30:00"),
        ("date", "2026-01-31", "2026-01-31"),
        ("time", "10:15", "10:15:00.000Z"),
        ("time", "10:15:00.5Z", "10:15:00.500Z"),
        ("reference", "001000000000001", "001000000000001AAA"),
        ("multipicklist", "b;a;b", "a;b"),
        ("string", "", None),
        ("string", "a\0b", "ab"),
        ("string", "\0", None),
        ("textarea", "a\r\nb\rc", "a\nb\nc"),
        ("string", " kept ", " kept "),
        ("string", "#N/A", "#N/A"),
        ("string", None, None),
    ],
)
def test_canonical_value(type: str, text: str | None, expected: str | None) -> None:
    assert canonical_value(type, text) == expected


def test_stored_text_keeps_its_line_ends() -> None:
    assert stored_value("textarea", "a\r\nb") == "a\r\nb"


@given(st.sampled_from(TYPES), TEXTS)
def test_canonical_is_stable(type: str, text: str | None) -> None:
    once = canonical_value(type, text)
    assert canonical_value(type, once) == once
    assert canonical_value(type, stored_value(type, text)) == once


@given(NUMBERS)
def test_bulk_and_rest_numbers_agree(number: Any) -> None:
    assert canonical_value("double", f"{number:E}") == canonical_value("double", str(number))
    assert canonical_value("double", value_text(float(number))) == canonical_value("double", repr(float(number)))


@given(st.sampled_from(TYPES), st.lists(TEXTS, max_size=8))
def test_columns_agree_with_single_values(type: str, texts: list[str | None]) -> None:
    stored = stored_array(type, pa.array(texts, pa.string()))
    assert stored.to_pylist() == [stored_value(type, one) for one in texts]
    assert comparable_array(type, stored).to_pylist() == [canonical_value(type, one) for one in texts]


FIELDS = (ComparableField("A", "string"), ComparableField("B", "double"), ComparableField("C", "string"))
ROWS = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=6)


@given(ROWS)
def test_digests_of_columns_agree_with_rows_in_any_order(rows: list[tuple[str | None, ...]]) -> None:
    ids = [f"0010000000000{number:02d}AAA" for number in range(len(rows))]
    columns = [
        stored_array(field.type, pa.array([row[place] for row in rows], pa.string()))
        for place, field in enumerate(FIELDS)
    ]
    digests = digest_rows(pa.array(ids, pa.string()), columns, FIELDS)
    names = [field.name for field in FIELDS]
    single = [row_digest(id, dict(zip(names, row, strict=True)), FIELDS) for id, row in zip(ids, rows, strict=True)]
    assert digests.to_pylist() == single
    assert sum_digest_array(digests) == sum_digests(single) == sum_digests(reversed(single))


@given(st.tuples(TEXTS, TEXTS, TEXTS), st.tuples(TEXTS, TEXTS, TEXTS))
def test_rows_share_a_digest_only_when_equal(left: tuple[str | None, ...], right: tuple[str | None, ...]) -> None:
    def canonical(row: tuple[str | None, ...]) -> list[str | None]:
        return [canonical_value(field.type, text) for field, text in zip(FIELDS, row, strict=True)]

    def digest(row: tuple[str | None, ...]) -> bytes:
        return row_digest("001000000000001AAA", dict(zip("ABC", row, strict=True)), FIELDS)

    assert (digest(left) == digest(right)) == (canonical(left) == canonical(right))


def test_lengths_keep_neighbours_apart_and_the_id_counts() -> None:
    one = row_digest("001000000000001AAA", {"A": "x:1", "C": "y"}, FIELDS)
    assert one != row_digest("001000000000001AAA", {"A": "x", "C": "1:y"}, FIELDS)
    assert one != row_digest("001000000000002AAA", {"A": "x:1", "C": "y"}, FIELDS)


def test_slices_of_arrays_are_digested_right() -> None:
    ids = pa.array([f"00100000000000{number}AAA" for number in range(5)])
    column = pa.array(["a", None, "c", "d", "e"])
    field = (ComparableField("A", "string"),)
    whole = digest_rows(ids, [column], field).to_pylist()
    assert digest_rows(ids.slice(2, 2), [column.slice(2, 2)], field).to_pylist() == whole[2:4]
    assert sum_digest_array(digest_rows(ids, [column], field).slice(1, 3)) == sum_digests(whole[1:4])


def test_field_digest_of_null_is_none() -> None:
    assert field_digest("string", "") is None
    assert field_digest("double", "1.0") == field_digest("double", "1")
