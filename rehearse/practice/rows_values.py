"""One value for one field: what a caller sent, as the table holds it, or why it may not be.

Pure functions over FieldDef. Text loses the white space around it and empty text is null; numbers are rounded to
their scale; instants become UTC with milliseconds. Refuses with RowError in Salesforce's codes and words.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from rehearse.practice.org_state import as_stamp
from rehearse.practice.schema import FieldDef
from rehearse.practice.soql_dates import as_instant

Stored = str | int | float | None
EMAIL = re.compile(r"[^@\s,;:<>()\[\]\\\"]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?")
MOST_DIGITS = 300  # before or behind the point, whatever a field takes
BOOLEANS = {"true": 1, "false": 0, "1": 1, "0": 0}


class RowError(Exception):
    """Why one row was refused: Salesforce's code, its words, the fields concerned."""

    def __init__(self, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = fields


def _wrong_type(field: FieldDef, value: Any) -> RowError:
    message = f"{field.label}: value not of required type: {value}"
    return RowError("INVALID_TYPE_ON_FIELD_IN_RECORD", message, (field.name,))


def _boolean(field: FieldDef, value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    found = BOOLEANS.get(str(value).strip().lower())
    if found is None:
        raise _wrong_type(field, value)
    return found


def _number(field: FieldDef, value: Any) -> int | float:
    if isinstance(value, bool):
        raise _wrong_type(field, value)
    text = str(value).strip()
    number = Decimal(text) if NUMBER.fullmatch(text) else Decimal("NaN")
    if not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
        raise _wrong_type(field, value)
    if field.type in ("int", "long"):
        if number != number.to_integral_value() or abs(number) >= 2**31:
            raise _wrong_type(field, value)
        return int(number)
    if field.precision and abs(number) >= Decimal(10) ** (field.precision - field.scale):
        message = f"{field.label}: value outside of valid range on numeric field: {value}"
        raise RowError("NUMBER_OUTSIDE_VALID_RANGE", message, (field.name,))
    return float(
        number.quantize(Decimal(1).scaleb(-field.scale), rounding=ROUND_HALF_UP) if field.precision else number
    )


def _date(field: FieldDef, value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError:
        raise _wrong_type(field, value) from None


def _datetime(field: FieldDef, value: Any) -> str:
    if isinstance(value, datetime):
        return as_stamp(value)
    text = str(value).strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        text += "T00:00:00Z"
    try:
        return as_instant(text)
    except (ValueError, IndexError):
        raise _wrong_type(field, value) from None


def _picked(field: FieldDef, value: str) -> str:
    """A picklist value in the spelling of its definition. Raises for one that a restricted picklist does not have."""
    known = {one.name.lower(): one for one in field.values}
    found = known.get(value.lower())
    if field.restricted and (found is None or not found.active):
        message = f"{field.label}: bad value for restricted picklist field: {value}"
        raise RowError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (field.name,))
    return found.name if found is not None else value


def _picked_many(field: FieldDef, value: str) -> str | None:
    names = [_picked(field, part.strip()) for part in value.split(";") if part.strip()]
    order = {one.name: place for place, one in enumerate(field.values)}
    unique = sorted(dict.fromkeys(names), key=lambda name: order.get(name, len(order)))
    return ";".join(unique) or None


def _text(field: FieldDef, value: Any) -> str | None:
    if isinstance(value, (dict, list)):
        raise _wrong_type(field, value)
    if isinstance(value, bool):
        value = "true" if value else "false"
    text = str(value).strip()
    if not text:
        return None
    if field.type == "multipicklist":
        return _picked_many(field, text)
    if field.type == "picklist":
        text = _picked(field, text)
    if field.length and len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise RowError("STRING_TOO_LONG", message, (field.name,))
    if field.type == "email" and not EMAIL.fullmatch(text):
        raise RowError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", (field.name,))
    return text


def stored_value(field: FieldDef, value: Any) -> Stored:
    """What the table holds for a sent value; None for null and for empty text. References are checked elsewhere.

    Raises RowError INVALID_TYPE_ON_FIELD_IN_RECORD, STRING_TOO_LONG, NUMBER_OUTSIDE_VALID_RANGE, INVALID_EMAIL_ADDRESS
    or INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return 0 if field.type == "boolean" else None
    if field.type == "boolean":
        return _boolean(field, value)
    if field.is_number:
        return _number(field, value)
    if field.type == "date":
        return _date(field, value)
    if field.type == "datetime":
        return _datetime(field, value)
    return _text(field, value)


def numbered(pattern: str, number: int, today: date) -> str:
    """An auto-number in its display format: INV-{0000} -> INV-0042; {YYYY}, {MM} and {DD} give the date."""

    def one(found: re.Match[str]) -> str:
        mark = found[1]
        if set(mark) == {"0"}:
            return str(number).rjust(len(mark), "0")
        parts = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d"}
        return today.strftime(parts[mark]) if mark in parts else found[0]

    return re.sub(r"\{(\w+)\}", one, pattern)
