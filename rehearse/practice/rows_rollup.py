"""Roll-up summaries: which masters a change of details touches, and what their sums are then.

Recalculated in the transaction that changed the details; a master whose value moved gets new stamps, and its own
masters are looked at in turn. An Opportunity's Amount follows its products the same way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from rehearse.practice.org_state import OrgState, as_stamp
from rehearse.practice.org_tables import quote
from rehearse.practice.schema import FieldDef, ObjectDef, RollUp

SIGNS = {
    "equals": "IS",
    "notEqual": "IS NOT",
    "lessThan": "<",
    "greaterThan": ">",
    "lessOrEqual": "<=",
    "greaterOrEqual": ">=",
}
Touched = dict[str, set[str]]  # object -> ids of rows whose summaries may have moved


def summaries_over(org: OrgState, child: str) -> list[tuple[str, FieldDef, RollUp]]:
    """The roll-ups that look at an object: (master object, field, roll-up)."""

    def build() -> dict[str, list[tuple[str, FieldDef, RollUp]]]:
        found: dict[str, list[tuple[str, FieldDef, RollUp]]] = defaultdict(list)
        for definition in org.objects().values():
            for field in definition.fields:
                if field.summary is not None:
                    found[field.summary.child.lower()].append((definition.name, field, field.summary))
        return found

    known: dict[str, list[tuple[str, FieldDef, RollUp]]] = org.remember("summaries", build)
    return known.get(child.lower(), [])


def touch(org: OrgState, touched: Touched, definition: ObjectDef, row: Mapping[str, Any]) -> None:
    """Note the masters of a row whose summaries look at it."""
    for master, _field, summary in summaries_over(org, definition.name):
        relation = definition.find(summary.relation)
        master_id = row.get(relation.name) if relation is not None else None
        if master_id:
            touched[master].add(str(master_id))
    if definition.name == "OpportunityLineItem" and row.get("OpportunityId"):
        touched["Opportunity"].add(str(row["OpportunityId"]))


def _total_sql(org: OrgState, summary: RollUp) -> str:
    child = org.object(summary.child)
    relation = child.find(summary.relation)
    summed = child.find(summary.field) if summary.field else None
    if relation is None or (summary.field and summed is None):
        return "NULL"  # the summed field was dropped by a deployment
    what = "count(*)" if summary.operation == "COUNT" else f"{summary.operation.lower()}({_own(child, summed)})"
    if summary.operation == "SUM":
        what = f"coalesce({what}, 0)"
    tests = "".join(_filter_sql(child, one) for one in summary.filters)
    alive = f'c."IsDeleted" = 0 AND c.{quote(relation.name)} = m."Id"'
    return f"(SELECT {what} FROM {quote(child.name)} AS c WHERE {alive}{tests})"


def _own(child: ObjectDef, field: FieldDef | None) -> str:
    if field is None or not field.stored:
        return "NULL"
    return f"c.{quote(field.name)}"


def _filter_sql(child: ObjectDef, one: tuple[str, str, str]) -> str:
    name, operator, value = one
    field = child.find(name)
    if field is None or not field.stored:
        return " AND 0"
    if field.type == "boolean":
        literal = str(int(value.lower() == "true"))
    elif field.is_number:
        literal = repr(float(value))
    else:
        literal = "'" + value.replace("'", "''") + "'" if value else "NULL"
    return f" AND c.{quote(field.name)} {SIGNS.get(operator, 'IS')} {literal}"


def recalculate(org: OrgState, user_id: str, touched: Touched) -> None:
    """Bring the summaries of the noted rows up to date; stamps move where a value moved. Empties `touched`.

    With the setting `rollups_later_minutes` they are noted in the org's file, and follow when `recalculate_due` runs
    after that time: a roll-up may lag behind its details [data.md 3 and 4 row 35]."""
    minutes = float(org.settings.get("rollups_later_minutes", 0)) if touched else 0
    if minutes:
        _postpone(org, user_id, touched, minutes)
        return
    _recalculate(org, user_id, touched)


def _postpone(org: OrgState, user_id: str, touched: Touched, minutes: float) -> None:
    due = as_stamp(org.now() + timedelta(minutes=minutes))
    rows = [(name, row_id, user_id, due) for name, ids in touched.items() for row_id in sorted(ids)]
    org.db.executemany("INSERT INTO late_summaries VALUES (?, ?, ?, ?)", rows)
    touched.clear()


def recalculate_due(org: OrgState) -> None:
    """Bring the summaries up to date whose time has come."""
    with org.lock:
        sql = "SELECT object, id, user_id FROM late_summaries WHERE due_at <= ? ORDER BY rowid"
        if org.db.execute("SELECT 1 FROM late_summaries LIMIT 1").fetchone() is None:
            return
        now = org.stamp()
        with org.transaction() as db:
            for name, row_id, user_id in db.execute(sql, (now,)).fetchall():
                _recalculate(org, user_id, defaultdict(set, {name: {row_id}}))
            db.execute("DELETE FROM late_summaries WHERE due_at <= ?", (now,))


def _recalculate(org: OrgState, user_id: str, touched: Touched) -> None:
    while touched:
        name = next(iter(touched))
        ids = touched.pop(name)
        definition = org.find_object(name)
        if definition is None:
            continue
        moved = _recalculate_object(org, user_id, definition, sorted(ids))
        for row in moved:
            touch(org, touched, definition, row)


def _recalculate_object(org: OrgState, user_id: str, definition: ObjectDef, ids: list[str]) -> list[dict[str, Any]]:
    sums = [(field.name, field.summary) for field in definition.fields if field.summary is not None]
    totals = {name: _total_sql(org, summary) for name, summary in sums if org.find_object(summary.child) is not None}
    if definition.name == "Opportunity":
        lines = 'FROM "OpportunityLineItem" AS c WHERE c."IsDeleted" = 0 AND c."OpportunityId" = m."Id"'
        totals["HasOpportunityLineItem"] = f"(EXISTS (SELECT 1 {lines}))"
        totals["Amount"] = f'coalesce((SELECT round(sum(c."TotalPrice"), 2) {lines}), m."Amount")'
    if not totals:
        return []
    moved = []
    for row_id in ids:
        row = _recalculate_row(org, user_id, definition, (row_id, totals))
        if row is not None:
            moved.append(row)
    return moved


def _recalculate_row(
    org: OrgState, user_id: str, definition: ObjectDef, what: tuple[str, dict[str, str]]
) -> dict[str, Any] | None:
    row_id, totals = what
    olds = ", ".join(f"m.{quote(name)}" for name in totals)
    news = ", ".join(totals.values())
    sql = f'SELECT {olds}, {news} FROM {quote(definition.name)} AS m WHERE m."Id" = ?'
    found = org.db.execute(sql, (row_id,)).fetchone()
    if found is None:
        return None
    half = len(totals)
    if tuple(found[:half]) == tuple(found[half:]):
        return None
    changed = dict(zip(totals, found[half:], strict=True))
    stamp = org.stamp()
    changed |= {"SystemModstamp": stamp, "LastModifiedDate": stamp, "LastModifiedById": user_id}
    sets = ", ".join(f"{quote(name)} = ?" for name in changed)
    org.db.execute(f'UPDATE {quote(definition.name)} SET {sets} WHERE "Id" = ?', (*changed.values(), row_id))
    columns = [field.name for field in definition.stored_fields if field.type == "reference"]
    named = ", ".join(quote(column) for column in columns)
    row = org.db.execute(f'SELECT {named} FROM {quote(definition.name)} WHERE "Id" = ?', (row_id,)).fetchone()
    return dict(zip(columns, row, strict=True))


def settle(org: OrgState, objects: Iterable[str] | None = None, *, stamped: bool = False) -> None:
    """Compute every roll-up of the named objects (default: all): after a raw load, or when a roll-up field is new.

    With `stamped`, SystemModstamp moves where a value moved and LastModifiedDate does not: what the platform's own
    recalculation does after a deployment [facts/data.md 3, false positives]."""
    chosen = None if objects is None else set(objects)
    with org.transaction():
        for definition in org.objects().values():
            if chosen is not None and definition.name not in chosen:
                continue
            for field in definition.fields:
                if field.summary is not None and org.find_object(field.summary.child) is not None:
                    _settle_field(org, definition, field, field.summary, stamped)


def _settle_field(org: OrgState, definition: ObjectDef, field: FieldDef, summary: RollUp, stamped: bool) -> None:
    total, column = _total_sql(org, summary), quote(field.name)
    stamp = f", \"SystemModstamp\" = '{org.stamp()}'" if stamped else ""
    sql = f"UPDATE {quote(definition.name)} AS m SET {column} = {total}{stamp} WHERE {column} IS NOT {total}"
    org.db.execute(sql)
