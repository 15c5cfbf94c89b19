"""Assignment rules: who owns a lead or a case that comes in over REST, whatever owner the request named.

The active rules of a world are its setting `assignment_rules`: texts such as `Lead New_Leads`, object and queue. REST
applies them unless the request says `Sforce-Auto-Assign: FALSE`; Bulk and SOAP, which name a rule or none, apply none
here [data.md, REST headers; that the REST header is TRUE when it is absent: its reference, unsure].
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from rehearse.practice.org_state import OrgState
from rehearse.practice.rows_values import Stored
from rehearse.practice.schema import ObjectDef

AUTO_ASSIGN = "sforce-auto-assign"
_assigning: ContextVar[bool] = ContextVar("assigning", default=False)


@contextmanager
def assigning_as(header: str) -> Iterator[None]:
    """For one REST request: let the rules assign, unless its header says no."""
    token = _assigning.set(header.strip().lower() != "false")
    try:
        yield
    finally:
        _assigning.reset(token)


def assign_owner(org: OrgState, rules: Sequence[str], definition: ObjectDef, values: dict[str, Stored]) -> None:
    """Give a new row to the queue of the rule for its object, where rules assign in this request."""
    for rule in rules if _assigning.get() else ():
        name, _, queue = rule.partition(" ")
        if name.lower() != definition.name.lower():
            continue
        sql = 'SELECT "Id" FROM "Group" WHERE "DeveloperName" = ? AND "Type" = \'Queue\''
        found = org.db.execute(sql, (queue.strip(),)).fetchone()
        if found is not None:
            values["OwnerId"] = str(found[0])
