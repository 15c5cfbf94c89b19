"""Owners who left: an org gives no row to an inactive user unless the login may update records with inactive owners.

A plan names each row that is to be inserted for such an owner or given back to him (facts/data.md 4, row 23); whether
this login has the permission only the write tells, so such a row is graded unknown and the proof names the owner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader
from rehearse.reset.inputs import PlanInputs, RowBook
from rehearse.reset.model import Action
from rehearse.reset.refused_values import OWNER

_USER = "005"


def fetch_inactive(reader: OrgReader, rows: Mapping[str, RowBook]) -> frozenset[str]:
    """Of the users who owned changed rows in the baseline and do not own them now: those who are inactive."""
    wanted = {
        owner
        for book in rows.values()
        for key, values in book.before.items()
        if (owner := values.get(OWNER)) and owner[:3] == _USER and book.after.get(key, {}).get(OWNER) != owner
    }
    back = {key for key, values in rows.get("User", RowBook()).before.items() if values.get("IsActive") == "true"}
    try:
        found = reader.fetch_by_ids("User", sorted(wanted - back), ["IsActive"]) if wanted - back else {}
    except OrgRejected:
        return frozenset()
    return frozenset(id for id, row in found.items() if row.get("IsActive") is False)


def name_inactive(inputs: PlanInputs, actions: Sequence[Action]) -> list[Action]:
    """The actions, with a doubt on each that gives a row to somebody who is inactive."""
    return [replace(one, grade="unknown", reason=_told(inputs, one)) if _is_doubtful(inputs, one) else one
            for one in actions]  # fmt: skip


def _owner(inputs: PlanInputs, action: Action) -> str:
    return inputs.rows.get(action.type, RowBook()).before.get(action.key, {}).get(OWNER) or ""


def _is_doubtful(inputs: PlanInputs, action: Action) -> bool:
    gives = action.do == "insert" or (action.do == "update" and OWNER in action.fields)
    return gives and _owner(inputs, action) in inputs.inactive


def _told(inputs: PlanInputs, action: Action) -> str:
    owner = _owner(inputs, action)
    name = inputs.people.get(owner, owner)
    return (
        f"{action.reason}; its owner {name} is inactive: he gets it only if this login may update records with "
        "inactive owners, else the rest of it is written"
    )
