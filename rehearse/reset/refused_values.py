"""Values of the baseline that an org takes no more: the rest of their row is written all the same.

A field that became required was empty in old rows, a picklist value was switched off, an owner left, a record type is
not for this login: one such value makes the org refuse the whole row. Pure: it reads what the org said of the last try,
and only of codes that speak of a value by itself. A validation rule speaks of a row, so a row that one refuses is left
as it is.
"""

from __future__ import annotations

from collections.abc import Collection

from rehearse.reset.model import ActionResult

BY_ITSELF = frozenset({
    "FIELD_FILTER_VALIDATION_EXCEPTION", "INACTIVE_OWNER_OR_USER", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
    "INVALID_CROSS_REFERENCE_KEY", "INVALID_EMAIL_ADDRESS", "INVALID_FIELD_FOR_INSERT_UPDATE",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "NUMBER_OUTSIDE_VALID_RANGE", "REQUIRED_FIELD_MISSING",
    "STRING_TOO_LONG", "TRANSFER_REQUIRES_READ",
})  # fmt: skip
"""Codes of a refusal that names the fields whose values are no good (SOAP API guide, StatusCode)."""

OWNER = "OwnerId"
_OF_OWNER = frozenset({"INACTIVE_OWNER_OR_USER", "TRANSFER_REQUIRES_READ"})
"""Codes that speak of a new owner, and that orgs send without naming his field."""


def find_refused(result: ActionResult | None, names: Collection[str]) -> tuple[str, ...]:
    """Those of the fields to be written (`names`) that the org refused by themselves when it was last asked."""
    if result is None or result.state != "failed":
        return ()
    code, _, told = result.detail.partition(" (")
    fields = {one.strip() for one in told.rstrip(")").split(",")}
    found = tuple(sorted(fields.intersection(names))) if code in BY_ITSELF else ()
    return (OWNER,) if not found and code in _OF_OWNER and OWNER in names else found


def refusal(result: ActionResult | None, names: Collection[str]) -> str:
    """What is told of a row that is written without these fields."""
    code = result.detail.partition(" ")[0] if result else ""
    return f"without {', '.join(names)}, whose old value the org refuses: {code}"
