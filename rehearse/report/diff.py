"""Differences as pages and as data: a summary first, then by type, then each component and record.

Keys and names of fields only; values of records come on request. What has many parts (a profile) is told by section.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rehearse.baseline.model import Change
from rehearse.baseline.store_model import SchemaChange
from rehearse.report.view import Block, Cell, Page, Paragraph, Rows, Tone, build_table

Values = Mapping[tuple[str, str], Mapping[str, tuple[str | None, str | None]]]
"""Values of changed fields, (type, key) -> field -> (before, after); empty unless asked for."""

_WORDS = ("created", "updated", "deleted")
_TONES: dict[str, Tone] = {"created": "good", "updated": "warn", "deleted": "bad"}
_SECTIONED = frozenset({"Profile", "PermissionSet", "MutingPermissionSet"})
_NAMED = 3
_ALONG = "changed along with something else: nobody wrote it since the baseline"


@dataclass(frozen=True)
class Difference:
    """Everything that a comparison found; `notes` says more of a component, such as the versions of a flow;
    `people` has the names behind the Ids of users, `since` is when the baseline began."""

    sandbox: str
    baseline: str
    changes: Sequence[Change]
    values: Values = field(default_factory=dict)
    schemas: Sequence[SchemaChange] = ()
    notes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    since: datetime | None = None

    def note(self, change: Change) -> str:
        """What else is known of a change."""
        return change.note or self.notes.get((change.type, change.key), "") or (_ALONG if self._is_old(change) else "")

    def by(self, change: Change) -> str:
        """Who made a change, as the org names people; nobody where its date says that it was written before."""
        return "" if self._is_old(change) else change.by

    def _is_old(self, change: Change) -> bool:
        """Whether nobody wrote this since the baseline: a look-up that was cleared, a profile with a new field.

        Dates have whole seconds.
        """
        if change.at is None or self.since is None:
            return False
        return change.at < self.since.replace(microsecond=0)


def build_diff_body(of: Difference) -> dict[str, Any]:
    """The `diff` answer of formats.md: digests of values, or the values themselves where they were asked for."""
    return {
        "sandbox": of.sandbox,
        "baseline": of.baseline,
        "summary": {f"{kind}s": _counts(of.changes, kind) for kind in ("component", "record")},
        "changes": [_change_body(of, one) for one in of.changes],
        "not_compared": [
            {"type": one.object, "field": one.field, "why": one.what, "before": one.before, "after": one.after}
            for one in of.schemas
        ],
    }


def _counts(changes: Sequence[Change], kind: str) -> dict[str, int]:
    found: Counter[str] = Counter(one.what for one in changes if one.kind == kind)
    return {what: found[what] for what in _WORDS}


def _change_body(of: Difference, change: Change) -> dict[str, Any]:
    values = of.values.get((change.type, change.key), {})
    fields = [
        {
            "name": one.name,
            "before": values[one.name][0] if one.name in values else one.before,
            "after": values[one.name][1] if one.name in values else one.after,
        }
        for one in change.fields
    ]
    body = {"kind": change.kind, "type": change.type, "key": change.key, "change": change.what, "fields": fields}
    by = of.by(change)
    who = {"by": by or None, "by_name": of.people.get(by, by) or None, "at": change.at}
    more = {**who, "live_id": change.live_id, "note": of.note(change)}
    return {**body, **more}


def build_diff_page(of: Difference, most: int | None = None) -> Page:
    """What differs, as a page; at most `most` rows a type, the rest counted."""
    title = f"{of.sandbox} against baseline {of.baseline}"
    if not of.changes:
        blocks: list[Block] = [Paragraph(f"Nothing differs from baseline {of.baseline}.", "good")]
        return Page(title, (*blocks, *_schemas(of)))
    blocks = [_summary(of)]
    for kind in ("component", "record"):
        found = [one for one in of.changes if one.kind == kind]
        shown = _first_of_each_type(found, most)
        lines: Rows = [
            [
                one.type,
                one.key,
                Cell(one.what, _TONES[one.what]),
                _fields(of, one, most is None),
                of.people.get(of.by(one), of.by(one)),
                of.note(one),
            ]
            for one in shown
        ]
        if lines:
            columns = ["type", "name" if kind == "component" else "Id", "change", "fields", "by", "note"]
            blocks.append(_without_empty(build_table(f"{kind.title()}s", columns, lines)))
        if len(shown) < len(found):
            left = Counter(one.type for one in found) - Counter(one.type for one in shown)
            more = ", ".join(f"{count:,} {name}" for name, count in sorted(left.items()))
            blocks.append(Paragraph(f"Not shown: {more}. See them with --all.", "faint"))
    return Page(title, (*blocks, *_schemas(of)))


def _summary(of: Difference) -> Block:
    """Totals by kind, then the types of each."""
    rows: Rows = []
    for kind in ("component", "record"):
        rows.append([f"{kind}s", *(f"{count:,}" for count in _counts(of.changes, kind).values())])
        mine = [one for one in of.changes if one.kind == kind]
        for type in sorted({one.type for one in mine}):
            counts = _counts([one for one in mine if one.type == type], kind)
            rows.append([f"  {type}", *(f"{count:,}" if count else "" for count in counts.values())])
    return build_table(f"Since baseline {of.baseline}", ["", *_WORDS], rows, right=(1, 2, 3))


def _schemas(of: Difference) -> list[Block]:
    rows: Rows = [
        [one.object, one.field, Cell(one.what, "warn"), one.before or "", one.after or ""] for one in of.schemas
    ]
    columns = ["object", "field", "why", "type in the baseline", "type now"]
    return [build_table("Fields that are not compared", columns, rows)] if rows else []


def _without_empty(table: Any) -> Block:
    """The table without columns of which no row says anything."""
    kept = [index for index in range(len(table.columns)) if any(row[index].text for row in table.rows)]
    rows = [[row[index] for index in kept] for row in table.rows]
    return build_table(table.title, [table.columns[index] for index in kept], rows)


def _first_of_each_type(changes: Sequence[Change], most: int | None) -> list[Change]:
    seen: Counter[str] = Counter()
    shown = []
    for one in changes:
        seen[one.type] += 1
        if most is None or seen[one.type] <= most:
            shown.append(one)
    return shown


def _fields(of: Difference, change: Change, everything: bool) -> str:
    known = of.values.get((change.type, change.key), {})
    if change.what != "updated" and not known:
        return ""
    if change.type in _SECTIONED and not everything:
        return _sections([one.name for one in change.fields])
    return ", ".join(
        f"{one.name}: {_short(known[one.name][0])} -> {_short(known[one.name][1])}" if one.name in known else one.name
        for one in change.fields
    )


def _sections(names: Sequence[str]) -> str:
    """`fieldPermissions: 12 (A, B, C …), layoutAssignments: 1 (D)`: the parts of a profile by section."""
    groups: dict[str, list[str]] = {}
    for name in names:
        section, _, rest = name.partition("[")
        groups.setdefault(section, []).append(rest.replace("]", "", 1))
    told = []
    for section, parts in groups.items():
        named = ", ".join(one for one in parts[:_NAMED] if one)
        more = ", …" if len(parts) > _NAMED else ""
        told.append(f"{section}: {len(parts)} ({named}{more})" if named else section)
    return "; ".join(told)


def _short(value: str | None) -> str:
    if value is None:
        return "null"
    text = " ".join(value.split())
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
