"""What lies in the scope of a proof and that nobody could compare, each with the reason.

Contents of files that were not captured and values that come masked hide behind rows that are compared: for these the
number of rows that anybody wrote since the baseline is told. None written means that none of them changed. Nor can
anybody compare what hangs on the owner of a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime

from rehearse import clock
from rehearse.baseline.known_metadata import load_dates
from rehearse.baseline.listing import INSTALLED
from rehearse.baseline.model import Capture, CoverageRow
from rehearse.baseline.record_store import CaptureStore
from rehearse.errors import OrgRejected
from rehearse.org.connect import OrgReader
from rehearse.reset.listed import listed
from rehearse.reset.model import ResetPlan

_MOST_NAMED = 10
_SHOWN_BESIDE: Mapping[str, tuple[str, frozenset[str]]] = {
    "Profile": ("who may use what is out of scope", frozenset({
        "ApexClass", "ApexPage", "CustomApplication", "CustomObject", "CustomPermission", "CustomTab",
        "ExternalDataSource", "Flow", "Layout",
    })),
    "Translations": ("texts of what is out of scope", frozenset({
        "CustomApplication", "CustomLabels", "CustomTab", "Flow", "QuickAction", "ReportType",
    })),
    "CustomObjectTranslation": ("texts of what is out of scope", frozenset({"CustomObject", "Layout", "QuickAction"})),
}  # fmt: skip
"""Types that show of others only what is retrieved with them: what is not shown, and the types (facts/metadata.md 3.6;
Metadata API guide, Translations)."""
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
    return tuple(sorted((*found, *_hidden_sections(before))))


def _hidden_sections(before: Capture) -> Iterator[str]:
    """What profiles and translations say of types outside the scope: a retrieve shows it only beside these."""
    left = {row.name for row in before.coverage if row.kind == "metadata" and row.state == "excluded"}
    for type, (what, beside) in _SHOWN_BESIDE.items():
        hidden = sorted(beside & left - set(before.scope.types))
        if type in before.scope.types and hidden:
            yield f"metadata {type} (sections): {what} is not shown: {', '.join(hidden)}"


def list_installed(store: CaptureStore, before: Capture, live: Capture) -> tuple[str, ...]:
    """A sentence for each type in scope of which packages brought components: those whose dates moved are named.

    They are not captured, people may change some of them all the same (a page layout), and dates are all that an org
    tells of that (facts/metadata.md 6.1). Raises Damaged.
    """
    rows = {one.name: one.count for one in live.coverage if one.state == "excluded" and one.note == INSTALLED}
    if not rows:
        return ()
    old, new = load_dates(store, before), load_dates(store, live)
    known = {(one.type, one.full_name) for side in (before, live) for one in store.load_components(side.ulid)}
    moved: dict[str, list[str]] = {}
    for type, name in sorted((old.keys() | new.keys()) - known):
        if type in rows and old.get((type, name)) != new.get((type, name)):
            moved.setdefault(type, []).append(name)
    told = {type: _named(moved[type]) if type in moved else "none of them has another date" for type in rows}
    return tuple(f"metadata {type}: {count} {INSTALLED}; {told[type]}" for type, count in sorted(rows.items()))


def _named(names: list[str]) -> str:
    return f"since the baseline were made, changed or deleted: {listed(names, _MOST_NAMED)}"


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
        found.append(f"records {object} (sharing): the owner of {count} row(s) was written back; {lost} of theirs may "
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
        return f"; {reader.fetch_count(soql)} row(s) were written since the baseline, what a reset wrote included"
    except OrgRejected:
        return ""
