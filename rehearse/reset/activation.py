"""Contracts and orders are born as drafts and activated later, by a write of their status and of nothing else.

An org names its statuses as it likes; the category of a status (`StatusCode`) is what counts. An activated contract
cannot go back and cannot be deleted; an order can. Pure; names no write that an org would refuse for that reason
(object reference, Contract and Order: Status, StatusCode).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rehearse.reset.row_state import Values

STATUS, CATEGORY = "Status", "StatusCode"
ACTIVATED, DRAFT = "Activated", "Draft"
ACTIVATED_ONCE = frozenset({"Contract"})
"""Objects whose activation nothing takes back."""
_WITH_DRAFTS = frozenset({"Contract", "Order"})
_Cell = TypeVar("_Cell")


def is_activated(object: str, values: Values) -> bool:
    """Whether a row is an activated contract or order."""
    return object in _WITH_DRAFTS and ACTIVATED in (values.get(CATEGORY), values.get(STATUS))


def born_as(object: str, stored: Values) -> dict[str, str]:
    """What an insert says in place of the baseline's values: the update that follows it activates the row."""
    return {STATUS: DRAFT} if is_activated(object, stored) else {}


def in_turn(object: str, live: Values, stored: Values, values: Mapping[str, _Cell]) -> dict[str, _Cell]:
    """What of these values is written now, the rest in the next pass: the status that makes a row a draft again goes
    before all else, since activated rows take little; the one that activates it goes last and alone."""
    was, shall = is_activated(object, live), is_activated(object, stored)
    if was == shall or STATUS not in values or len(values) == 1:
        return dict(values)
    return {name: value for name, value in values.items() if (name == STATUS) == was}
