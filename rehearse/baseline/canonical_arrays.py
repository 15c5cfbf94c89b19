"""Canonical values and row digests of whole columns: what `canonical.py` says about one value, said quickly.

A column whose values are canonical already (the usual case) is found so by one regular expression and kept; only the
odd values go through Python, each distinct one once. Columns are Arrow string arrays, null for null.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rehearse.baseline.canonical import DIGEST_MODULUS, ID_TYPES, NUMBER_TYPES, stored_value
from rehearse.baseline.model import ComparableField

DIGEST_TYPE = pa.binary(16)

_CANONICAL = {
    "boolean": "^(true|false)$",
    **dict.fromkeys(NUMBER_TYPES, r"^(0|-?[1-9]\d*|-?(0|[1-9]\d*)\.\d*[1-9])$"),
    "datetime": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
    "time": r"^\d\d:\d\d:\d\d\.\d{3}Z$",
    **dict.fromkeys(ID_TYPES, r"^[A-Za-z0-9]{18}$"),
    "multipicklist": "^[^;\\x00]+$",
    "date": r"^\d{4}-\d\d-\d\d$",
}


def stored_array(type: str, values: Any) -> Any:
    """The column as a capture keeps it; see `stored_value`."""
    pattern = _CANONICAL.get(type)
    if pattern is None:
        if pc.any(pc.match_substring(values, "\0")).as_py():
            values = pc.replace_substring(values, "\0", "")
        empty = pc.equal(values, "")
        return pc.if_else(empty, None, values) if pc.any(empty).as_py() else values
    if type in NUMBER_TYPES:
        values = pc.replace_substring_regex(values, r"^(-?[1-9]\d*)\.0*$", r"\1")
    if pc.all(pc.match_substring_regex(values, pattern), min_count=0).as_py():
        return values
    encoded = values.dictionary_encode()
    changed = pa.array([stored_value(type, one) for one in encoded.dictionary.to_pylist()], pa.string())
    return changed.take(encoded.indices)


def comparable_array(type: str, stored: Any) -> Any:
    """The column that decides equality, made of a stored one; see `canonical_value`."""
    if type in _CANONICAL or not pc.any(pc.match_substring(stored, "\r")).as_py():
        return stored
    return pc.replace_substring(pc.replace_substring(stored, "\r\n", "\n"), "\r", "\n")


def digest_rows(ids: Any, columns: Sequence[Any], fields: Sequence[ComparableField]) -> Any:
    """The `row_digest` of every row as an Arrow array of 16-byte values; `columns` are stored ones, in field order."""
    parts: list[Any] = []
    for column in (ids, *(comparable_array(one.type, column) for one, column in zip(fields, columns, strict=True))):
        length = pc.cast(pc.binary_length(column), pa.string())
        parts += [pc.fill_null(length, "-") if column.null_count else length, column]
    parts = [pc.cast(one, pa.large_string()) for one in parts]
    joined = pc.binary_join_element_wise(
        *parts, pa.scalar(":", pa.large_string()), null_handling="replace", null_replacement=""
    )
    return _hash_each(joined)


def sum_digest_array(digests: Any) -> int:
    """The sum mod 2^128 of an array of row digests."""
    width = 16
    data = digests.buffers()[1]
    if data is None or not len(digests):
        return 0
    raw = np.frombuffer(data, np.uint8)[digests.offset * width : (digests.offset + len(digests)) * width]
    limbs = raw.view(">u4").reshape(-1, 4).astype(np.uint64).sum(axis=0)
    return sum(int(limb) << (32 * (3 - place)) for place, limb in enumerate(limbs)) % DIGEST_MODULUS


def _hash_each(texts: Any) -> Any:
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1].tolist()
    data = memoryview(texts.buffers()[2] or b"")
    sha256 = hashlib.sha256
    ends = zip(offsets, offsets[1:], strict=False)
    digests = b"".join([sha256(data[start:end]).digest()[:16] for start, end in ends])
    return pa.Array.from_buffers(DIGEST_TYPE, len(texts), [None, pa.py_buffer(digests)])
