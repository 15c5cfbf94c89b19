"""Values of the baseline that an org takes no more: the rest of their row is written all the same.

A field that became required was empty in old rows, a picklist value was switched off, an owner left: one such value
makes the org refuse the whole row. Pure: it reads what the org said of the last try, and only of codes that speak of a
value by itself. A validation rule speaks of a row, so a row that one refuses is left as it is.
"""

from __future__ import annotations

from collections.abc import Collection

from rehearse.reset.model import ActionResult

BY_ITSELF = frozenset({
    "REQUIRED_FIELD_MISSING", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "INACTIVE_OWNER_OR_USER",
})  # fmt: skip
"""Codes of a refusal that names the fields whose values are no good (SOAP API guide, StatusCode)."""


def find_refused(result: ActionResult | None, names: Collection[str]) -> tuple[str, ...]:
    """Those of the fields to be written (`names`) that the org refused by themselves when it was last asked."""
    if result is None or result.state != "failed":
        return ()
    code, _, told = result.detail.partition(" (")
    fields = {one.strip() for one in told.rstrip(")").split(",")}
    return tuple(sorted(fields.intersection(names))) if code in BY_ITSELF else ()


def refusal(result: ActionResult | None, names: Collection[str]) -> str:
    """What is told of a row that is written without these fields."""
    code = result.detail.partition(" ")[0] if result else ""
    return f"without {', '.join(names)}, whose old value the org refuses: {code}"
