"""What an org does by itself when rows are written: validation rules, and automation that sets fields, touches parents
and creates rows.

Rules live in the org's own file and speak the formula language. This file reads: it answers what must be refused and
what else must be written; rows.py does the writing, so that every row that automation touches gets real stamps. A rule
that names a field which is not there (any more) does nothing, as a deactivated one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any

from rehearse.practice.formula import Context, compile_node
from rehearse.practice.formula_parse import FormulaError, Node, names_in, parse_formula
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.rows_values import RowError
from rehearse.practice.schema import ObjectDef
from rehearse.practice.soql_scope import Scope


@dataclass(frozen=True)
class Action:
    """What a rule does. `kind`: `set` writes fields of the row itself, `set_parent` fields of the row that the
    reference field `target` points at, `create` a new row of the object `target`. Values are formulas on the row."""

    kind: str
    values: tuple[tuple[str, str], ...]
    target: str | None = None


@dataclass(frozen=True)
class AutomationRule:
    """When a row of `object` is inserted or updated and `when` holds, do the actions in order. `name` is the API name
    of the Flow or ApexTrigger that it stands for, so that (de)activating that component finds it."""

    name: str
    object: str
    actions: tuple[Action, ...]
    events: tuple[str, ...] = ("insert", "update")
    when: str | None = None
    active: bool = True


@dataclass
class Effects:
    """What automation wants written: on the row, on parents (object, id, values), as new rows (object, values)."""

    own: dict[str, Any] = field(default_factory=dict)
    parents: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    created: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True)
class Occasion:
    """The write that rules look at: the row stands in its table; `prior` holds what it was before an update."""

    org: OrgState
    definition: ObjectDef
    row_id: str
    user_id: str
    prior: Mapping[str, Any]
    is_new: bool


# ---- keeping rules


def put_automation(org: OrgState, rule: AutomationRule) -> None:
    """Store a rule under its name, in the place of an older one of that name."""
    with org.transaction() as db:
        db.execute(
            "INSERT INTO automation_rules (name, active, position, definition)"
            " VALUES (?1, ?2, (SELECT coalesce(max(position), 0) + 1 FROM automation_rules), ?3)"
            " ON CONFLICT (name) DO UPDATE SET active = ?2, definition = ?3",
            (rule.name, int(rule.active), json.dumps(asdict(rule))),
        )
        org.forget_rules()


def set_automation_active(org: OrgState, name: str, active: bool) -> bool:
    """Switch a rule on or off; answers whether there is one of this name."""
    with org.transaction() as db:
        found = db.execute("UPDATE automation_rules SET active = ? WHERE name = ?", (int(active), name)).rowcount
        org.forget_rules()
    return found > 0


def load_automation(org: OrgState) -> tuple[AutomationRule, ...]:
    """All rules in the order of their making, active or not."""

    def build() -> tuple[AutomationRule, ...]:
        rows = org.db.execute("SELECT definition, active FROM automation_rules ORDER BY position").fetchall()
        return tuple(_build_rule(json.loads(text), bool(active)) for text, active in rows)

    rules: tuple[AutomationRule, ...] = org.remember("automation", build)
    return rules


def _build_rule(data: dict[str, Any], active: bool) -> AutomationRule:
    actions = tuple(
        Action(one["kind"], tuple((name, text) for name, text in one["values"]), one["target"])
        for one in data["actions"]
    )
    return AutomationRule(data["name"], data["object"], actions, tuple(data["events"]), data["when"], active)


def set_validation_rules(
    org: OrgState,
    object_name: str,
    rules: Iterable[tuple[str, str, str, bool]],
    fields: Mapping[str, str] | None = None,
) -> None:
    """Make these the validation rules of an object: (name, formula, message, active). `fields` names, by rule, the
    field that shows the error."""
    with org.transaction() as db:
        db.execute("DELETE FROM validation_rules WHERE object = ?", (object_name,))
        shown = fields or {}
        for name, formula, message, active in rules:
            row = (object_name, name, formula, message, shown.get(name), int(active))
            db.execute("INSERT INTO validation_rules VALUES (?, ?, ?, ?, ?, ?)", row)
        org.forget_rules()


# ---- asking formulas of a row


@lru_cache(maxsize=2000)
def _parsed(text: str) -> Node:
    return parse_formula(text)


def evaluate(occasion: Occasion, formulas: list[str]) -> list[Any]:
    """The values of formulas on the row of an occasion, in their order; a formula that cannot be read gives None."""
    org = occasion.org
    scope = Scope(org, occasion.definition)
    resolve = scope.resolver(scope.root, False)
    columns: list[str] = []
    for text in formulas:
        try:
            node = _parsed(text)
            special = _special(org, occasion.user_id, node)
            context = Context(org.now(), occasion.user_id, occasion.is_new, occasion.prior, special)
            columns.append(compile_node(node, resolve, context).text)
        except (FormulaError, ApiError):
            columns.append("NULL")
    sql = f'SELECT {", ".join(columns)} {scope.from_sql()} WHERE {scope.root.alias}."Id" = ?'
    found = org.db.execute(sql, (occasion.row_id,)).fetchone()
    return list(found) if found is not None else [None] * len(formulas)


def _special(org: OrgState, user_id: str, node: Node) -> dict[str, str]:
    """What $Permission and $Setup names of a formula stand for, for this user."""
    found: dict[str, str] = {}
    for path in names_in(node):
        if path[0].lower() == "$permission" and len(path) == 2:
            found[".".join(path)] = str(int(_holds(org, user_id, path[1])))
        elif path[0].lower() == "$setup" and len(path) == 3:
            found[".".join(path)] = str(_setting(org, user_id, path[1], path[2]))
    return found


def _holds(org: OrgState, user_id: str, permission: str) -> bool:
    sql = (
        'SELECT 1 FROM custom_permission_grants AS g JOIN "PermissionSetAssignment" AS a'
        ' ON a."PermissionSetId" = g.permission_set WHERE g.permission = ? AND a."AssigneeId" = ? AND a."IsDeleted" = 0'
    )
    return org.db.execute(sql, (permission, user_id)).fetchone() is not None


def _setting(org: OrgState, user_id: str, name: str, field_name: str) -> int:
    """A checkbox of a hierarchy custom setting: the user's row, else the profile's, else the org's."""
    definition = org.find_object(name)
    column = definition.find(field_name) if definition is not None else None
    if definition is None or column is None or definition.find("SetupOwnerId") is None:
        return 0
    profile = org.db.execute('SELECT "ProfileId" FROM "User" WHERE "Id" = ?', (user_id,)).fetchone()
    for owner in (user_id, profile[0] if profile else None, org.org_id):
        sql = f'SELECT {quote(column.name)} FROM {quote(definition.name)} WHERE "SetupOwnerId" = ? AND "IsDeleted" = 0'
        row = org.db.execute(sql, (owner,)).fetchone()
        if row is not None:
            return int(bool(row[0]))
    return 0


# ---- when a row was written


def check_validation(occasion: Occasion) -> None:
    """Raise RowError FIELD_CUSTOM_VALIDATION_EXCEPTION for the first active validation rule that the row breaks."""

    def build() -> dict[str, list[tuple[str, str, str | None]]]:
        kept: dict[str, list[tuple[str, str, str | None]]] = {}
        sql = "SELECT object, formula, message, field FROM validation_rules WHERE active = 1 ORDER BY object, name"
        for name, formula, message, shown in occasion.org.db.execute(sql):
            kept.setdefault(str(name).lower(), []).append((formula, message, shown))
        return kept

    rules = occasion.org.remember("validation", build).get(occasion.definition.name.lower())
    if not rules:
        return
    answers = evaluate(occasion, [formula for formula, _, _ in rules])
    for (_, message, shown), broken in zip(rules, answers, strict=True):
        if broken:
            raise RowError("FIELD_CUSTOM_VALIDATION_EXCEPTION", message, (shown,) if shown else ())


def find_effects(occasion: Occasion) -> Effects | None:
    """What the active rules want after this write, or None where no rule applies."""
    event = "insert" if occasion.is_new else "update"
    name = occasion.definition.name.lower()
    rules = [r for r in load_automation(occasion.org) if r.active and r.object.lower() == name and event in r.events]
    if not rules:
        return None
    applies = evaluate(occasion, [rule.when or "TRUE" for rule in rules])
    effects = Effects()
    for rule, holds in zip(rules, applies, strict=True):
        for action in rule.actions if holds else ():
            _collect(occasion, action, effects)
    return effects


def _collect(occasion: Occasion, action: Action, effects: Effects) -> None:
    answers = evaluate(occasion, [text for _, text in action.values])
    values = {name: answer for (name, _), answer in zip(action.values, answers, strict=True)}
    if action.kind == "set":
        effects.own |= values
    elif action.kind == "create" and action.target is not None:
        effects.created.append((action.target, values))
    elif action.kind == "set_parent" and action.target is not None:
        parent_id = evaluate(occasion, [action.target])[0]
        parent = occasion.org.object_of_id(str(parent_id)) if parent_id else None
        if parent is not None:
            effects.parents.append((parent.name, str(parent_id), values))
