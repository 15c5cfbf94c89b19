"""The canonical text of record values, and the digests made of it: one value has one text, whichever API it came by.

Bulk CSV and REST JSON spell the same value differently (`1.0E7` and `10000000`, `Z` and `+0000`, 15 and 18
characters of an id); here both become one text, so that digests are comparable. Salesforce keeps no empty text: an
empty cell and null are one thing, None. A text that does not fit its type is kept as it is, never dropped.
`canonical_arrays.py` does the same for whole columns; a property test holds the two together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from rehearse.baseline.model import CANONICALISER, ComparableField, Component, ObjectCapture, ResolvedScope
from rehearse.ids import build_content_id, looks_like_id, to_18
from rehearse.org.model import Value

NUMBER_TYPES = frozenset({"int", "integer", "long", "double", "currency", "percent"})
ID_TYPES = frozenset({"id", "reference"})
DIGEST_MODULUS = 1 << 128
NULL_LENGTH = 0xFFFFFFFF

_CLOCK = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|\+00:?00)?\Z")


def stored_value(type: str, text: str | None) -> str | None:
    """What a capture keeps of one value: its canonical text, but text of people keeps its own line ends.

    NUL characters are dropped: orgs emit them, and no API takes them back (facts/data.md 1.3).
    """
    if text is None:
        return None
    return _STORED.get(type, _plain)(text) or None


def canonical_value(type: str, text: str | None) -> str | None:
    """The text that decides whether two values are equal; None is null.

    Line ends count as LF, because the platform may turn CRLF into LF when a row is saved (facts/data.md 4, row 43).
    """
    value = stored_value(type, text)
    if value is None or type in _STORED:
        return value
    return value.replace("\r\n", "\n").replace("\r", "\n")


def value_text(value: Value) -> str | None:
    """The text of a value that came as JSON, in the spelling that Bulk CSV uses."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def row_digest(record_id: str, values: Mapping[str, str | None], fields: Sequence[ComparableField]) -> bytes:
    """The 16-byte digest of a row: its Id and the canonical values of `fields` (in name order).

    First the lengths in bytes of all values (32 bits each, null as all ones), then their UTF-8 texts one after the
    other, so that no two rows share a text.
    """
    texts = (record_id, *(canonical_value(one.type, values.get(one.name)) for one in fields))
    encoded = [None if text is None else text.encode() for text in texts]
    lengths = b"".join((NULL_LENGTH if one is None else len(one)).to_bytes(4, "big") for one in encoded)
    return hashlib.sha256(lengths + b"".join(one or b"" for one in encoded)).digest()[:16]


def field_digest(type: str, text: str | None) -> str | None:
    """The digest (32 hex digits) of one canonical value, as a Change carries it; None for null."""
    value = canonical_value(type, text)
    return None if value is None else hashlib.sha256(value.encode()).hexdigest()[:32]


def build_snapshot_id(
    scope: ResolvedScope,
    components: Iterable[Component],
    objects: Iterable[ObjectCapture],
    canonicaliser: str = CANONICALISER,
) -> str:
    """The SHA-256 that names a content: scope, components and rows, and nothing of when or how they were read.

    `canonicaliser`: the rules that digested the components, where an older rehearse wrote them.
    """
    return build_content_id(
        [
            "rehearse-snapshot/1",
            canonicaliser,
            [
                sorted(scope.types),
                [
                    [one.name, [[field.name, field.type] for field in one.fields], one.where]
                    for one in sorted(scope.objects, key=lambda one: one.name)
                ],
            ],
            sorted([one.type, one.full_name, one.digest] for one in components),
            sorted([one.object, one.rows, one.digest_sum] for one in objects),
        ]
    )


def _plain(text: str) -> str:
    return text.replace("\0", "")


def _boolean(text: str) -> str:
    lower = text.strip().lower()
    return lower if lower in ("true", "false") else text


def _number(text: str) -> str:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return text
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > 400:
        return text
    if number == 0:
        return "0"
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def _datetime(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            return text
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return text
    return f"{moment:%Y-%m-%dT%H:%M:%S}".zfill(19) + f".{moment.microsecond // 1000:03d}Z"


def _time(text: str) -> str:
    found = _CLOCK.match(text.strip())
    if found is None:
        return text
    hour, minute, second, fraction = found.groups()
    return f"{hour}:{minute}:{second or '00'}.{(fraction or '')[:3].ljust(3, '0')}Z"


def _identifier(text: str) -> str:
    return to_18(text) if len(text) == 15 and looks_like_id(text) else text


def _choices(text: str) -> str:
    return ";".join(sorted({one for one in text.split(";") if one}))


_STORED: dict[str, Callable[[str], str]] = {
    "boolean": _boolean,
    **dict.fromkeys(NUMBER_TYPES, _number),
    "datetime": _datetime,
    "time": _time,
    **dict.fromkeys(ID_TYPES, _identifier),
    "multipicklist": _choices,
    "date": lambda text: text.strip(),
}
