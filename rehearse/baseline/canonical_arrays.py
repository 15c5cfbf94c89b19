"""Canonical values and row digests of whole columns: what `canonical.py` says about one value, said quickly.

A column whose values are canonical already (the usual case) is found so by one regular expression and kept; only the
odd values go through Python, each distinct one once. Columns are Arrow string arrays, null for null. No Python value is
handed to Arrow here: `pa.array`, `pa.scalar` and `to_numpy` import pandas where it is installed, for half a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rehearse.baseline.canonical import DIGEST_MODULUS, ID_TYPES, NULL_LENGTH, NUMBER_TYPES, stored_value
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


_DECIMAL = r"^-?(0|[1-9]\d*)\.\d{1,30}$"


def text_array(values: Iterable[str | None]) -> Any:
    """Texts as an Arrow string array."""
    texts = list(values)
    joined = "".join(filter(None, texts))
    data = joined.encode()
    if len(data) == len(joined):
        lengths = [len(one) if one else 0 for one in texts]
    else:
        lengths = [len(one.encode()) if one else 0 for one in texts]
    bounds = np.zeros(len(texts) + 1, np.int32)
    np.cumsum(lengths, out=bounds[1:])
    valid = None
    if None in texts:
        valid = pa.py_buffer(np.packbits([one is not None for one in texts], bitorder="little"))
    return pa.Array.from_buffers(pa.string(), len(texts), [valid, pa.py_buffer(bounds), pa.py_buffer(data)])


_EMPTY = text_array([""])[0]
_EMPTY_BYTES = pc.cast(text_array([""]), pa.large_binary())[0]
_NULL = text_array([None])[0]


def stored_array(type: str, values: Any) -> Any:
    """The column as a capture keeps it; see `stored_value`."""
    pattern = _CANONICAL.get(type)
    if pattern is None:
        if _has(values, b"\0"):
            values = pc.replace_substring(values, "\0", "")
        return pc.if_else(pc.equal(values, _EMPTY), _NULL, values) if _has_empty(values) else values
    if type in NUMBER_TYPES and _has(values, b"."):
        trimmed = pc.utf8_rtrim(pc.utf8_rtrim(values, "0"), ".")
        values = pc.if_else(pc.match_substring_regex(values, _DECIMAL), trimmed, values)
    canonical = pc.match_substring_regex(values, pattern)
    if pc.all(canonical, min_count=0).as_py():
        return values
    odd = pc.invert(canonical)
    encoded = values.filter(odd).dictionary_encode()
    changed = text_array(stored_value(type, one) for one in encoded.dictionary.to_pylist())
    return pc.replace_with_mask(values, odd, changed.take(encoded.indices))


def comparable_array(type: str, stored: Any) -> Any:
    """The column that decides equality, made of a stored one; see `canonical_value`."""
    if type in _CANONICAL or not _has(stored, b"\r"):
        return stored
    return pc.replace_substring(pc.replace_substring(stored, "\r\n", "\n"), "\r", "\n")


def digest_rows(ids: Any, columns: Sequence[Any], fields: Sequence[ComparableField]) -> Any:
    """The `row_digest` of every row as an Arrow array of 16-byte values; `columns` are stored ones, in field order."""
    texts = [ids, *(comparable_array(one.type, column) for one, column in zip(fields, columns, strict=True))]
    lengths = np.empty((len(ids), len(texts)), ">u4")
    for place, column in enumerate(texts):
        lengths[:, place] = _lengths(column)
    width = lengths.shape[1] * 4
    starts = pa.py_buffer(np.arange(len(ids) + 1, dtype=np.int64) * width)
    heads = pa.Array.from_buffers(pa.large_binary(), len(ids), [None, starts, pa.py_buffer(lengths)])
    said = [pc.cast(one, pa.large_binary()) for one in texts if one.null_count < len(one)]
    joined = pc.binary_join_element_wise(heads, *said, _EMPTY_BYTES, null_handling="replace", null_replacement=b"")
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


def column_print(column: Any) -> bytes:
    """Sixteen bytes that stand for the content of a whole string column: equal only for the same values in a row."""
    bounds, data = _bounds(column), column.buffers()[2]
    found = hashlib.sha256(_lengths(column))
    if data is not None:
        found.update(memoryview(data)[bounds[0] : bounds[-1]])
    return found.digest()[:16]


def _bounds(column: Any) -> Any:
    """The offsets of a string column, one more than it has rows."""
    raw = column.buffers()[1]
    if raw is None:
        return np.zeros(len(column) + 1, np.int32)
    return np.frombuffer(raw, np.int32)[column.offset : column.offset + len(column) + 1]


def _lengths(column: Any) -> Any:
    bounds = _bounds(column)
    lengths = (bounds[1:] - bounds[:-1]).astype(np.uint32)
    if column.null_count:
        lengths[_flags(column.is_null())] = NULL_LENGTH
    return lengths


def _flags(flags: Any) -> Any:
    """An Arrow boolean array without nulls as a numpy one."""
    bits = np.unpackbits(np.frombuffer(flags.buffers()[1], np.uint8), bitorder="little")
    return bits[flags.offset : flags.offset + len(flags)].astype(np.bool_)


def _has(column: Any, byte: bytes) -> bool:
    """Whether a byte occurs in any value of a string column."""
    data, bounds = column.buffers()[2], _bounds(column)
    text = b"" if data is None else bytes(memoryview(data)[bounds[0] : bounds[-1]])
    return byte in text


def _has_empty(column: Any) -> bool:
    """Whether a value is the empty text: nulls take no bytes either, so more places without bytes than nulls."""
    bounds = _bounds(column)
    return bool(np.count_nonzero(bounds[1:] == bounds[:-1]) > column.null_count)


def _hash_each(texts: Any) -> Any:
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1].tolist()
    data = memoryview(texts.buffers()[2] or b"")
    sha256 = hashlib.sha256
    ends = zip(offsets, offsets[1:], strict=False)
    digests = b"".join([sha256(data[start:end]).digest()[:16] for start, end in ends])
    return pa.Array.from_buffers(DIGEST_TYPE, len(texts), [None, pa.py_buffer(digests)])
