"""What lies in the scope of a proof and that nobody could compare, each with the reason.

Contents of files that were not captured and values that come masked hide behind rows that are compared: for these the
number of rows that anybody wrote since the baseline is told. None written means that none of them changed. Nor can
anybody compare what hangs on the owner of a row.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from rehearse import clock
from rehearse.baseline.model import Capture, CoverageRow
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader
from rehearse.reset.model import ResetPlan

_UNCOMPARED = frozenset({"not-retrieved", "not-listable", "excluded", "unreadable", "masked"})


def list_uncompared(reader: OrgReader, before: Capture, live: Capture) -> tuple[str, ...]:
    """Sentences about both captures, sorted; what stands outside the scope is told elsewhere in the proof."""
    objects = {one.name for one in before.scope.objects}
    rows = {(one.kind, one.name): one for capture in (before, live) for one in capture.coverage if _counts(one)}
    found = []
    for (kind, name), row in rows.items():
        object, _, hidden = name.partition(" (")
        if row.state == "excluded" and not (hidden and object in objects):
            continue
        said = f"{kind} {name}: {row.note or row.state}"
        behind = object in objects and hidden and row.state in ("masked", "excluded")
        found.append(f"{said}{_written(reader, before, object)}" if behind else said)
    return tuple(sorted(found))


_TEAMS = {"Account": "AccountTeamMember", "Case": "CaseTeamMember", "Opportunity": "OpportunityTeamMember"}


def list_reowned(before: Capture, plan: ResetPlan | None) -> tuple[str, ...]:
    """Rows whose owner the plan changed back: each change of an owner may have taken shares and teams along.

    Manual shares go with the owner, teams unless they are kept (Salesforce Help, Change record owners; facts/data.md 4,
    row 24).
    """
    given = [one.type for one in plan.actions if one.do == "update" and "OwnerId" in one.fields] if plan else []
    scoped = {one.name for one in before.scope.objects}
    found = []
    for object, count in sorted(Counter(given).items()):
        team = _TEAMS.get(object)
        lost = "manual shares" if team is None or team in scoped else "manual shares and team members"
        found.append(f"records {object} (sharing): the owner of {count} row(s) was changed back; {lost} of theirs may "
                     "be gone")  # fmt: skip
    return tuple(found)


def first_second(before: Capture) -> datetime:
    """From when on a change counts: stamps have whole seconds, so the second in which the capture began counts too."""
    return before.started.replace(microsecond=0)


def _counts(row: CoverageRow) -> bool:
    return row.state in _UNCOMPARED or "writes to it" in row.note


def _written(reader: OrgReader, before: Capture, object: str) -> str:
    """How many rows were written since the baseline began; nothing where the org does not count them."""
    try:
        soql = f"SELECT COUNT() FROM {object} WHERE SystemModstamp >= {clock.iso(first_second(before))}"
        return f"; {reader.fetch_count(soql)} row(s) were written since the baseline, by the reset too"
    except OrgRejected:
        return ""
