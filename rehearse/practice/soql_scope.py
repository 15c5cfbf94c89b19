"""What a name in a query means: the column, the joins that lead to it, or the formula behind it.

One Scope stands for one FROM; asking it for a path adds the joins that the path needs. Formula fields and compound
names become SQL expressions, polymorphic parents a choice over their targets. Refuses unknown names with ApiError
INVALID_FIELD in Salesforce's words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import count

from rehearse.practice import field_security
from rehearse.practice.formula import Context, Sql, compile_formula
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.org_tables import quote
from rehearse.practice.schema import FieldDef, ObjectDef
from rehearse.practice.soql_parse import Path, malformed

KINDS = {"boolean": "boolean", "date": "date", "datetime": "datetime", "id": "id", "reference": "id"}
SEE_DESCRIBE = "Please reference your WSDL or the describe call for the appropriate names."
MASK_LENGTH = 175  # the longest encrypted text
DEEPEST_FORMULA = 10


@dataclass(frozen=True)
class Column:
    """A resolved name: SQL, the field (None for the Type of a polymorphic parent) and its canonical path."""

    sql: str
    type: str
    field: FieldDef | None
    path: tuple[str, ...]

    @property
    def kind(self) -> str:
        """What it compares as: text, number, boolean, date, datetime or id."""
        if self.field is not None and self.field.reference_to == ("EntityDefinition",):
            return "text"  # a standard object is its own id there
        return kind_of(self.type)


@dataclass(frozen=True)
class Table:
    """A joined table under its alias."""

    alias: str
    definition: ObjectDef


@dataclass(frozen=True)
class Place:
    """Where a path has arrived: one table, or several for a polymorphic parent; `path` in canonical spelling."""

    tables: tuple[Table, ...]
    path: tuple[str, ...]

    @property
    def polymorphic(self) -> bool:
        return len(self.tables) > 1


def kind_of(field_type: str) -> str:
    """The kind of a describe type, as formulas and comparisons know it."""
    if field_type in ("double", "currency", "percent", "int", "long"):
        return "number"
    return KINDS.get(field_type, "text")


class Scope:
    """The tables of one FROM and the joins that its names asked for."""

    def __init__(self, org: OrgState, definition: ObjectDef, text: str = "", numbers: count[int] | None = None) -> None:
        self.org = org
        self.definition = definition
        self.text = text
        self.numbers = numbers if numbers is not None else count()
        self.root = Table(f"t{next(self.numbers)}", definition)
        self.joins: list[str] = []
        self.places: dict[tuple[str, ...], Place] = {}
        self.alias: str | None = None
        self.formulas = 0
        self.hidden: dict[str, frozenset[str]] = {}  # by object, looked up once a query

    def from_sql(self) -> str:
        """FROM with all joins that were needed so far."""
        return f"FROM {quote(self.definition.name)} AS {self.root.alias}" + "".join(self.joins)

    def column(self, path: Path) -> Column:
        """The column that a path means. Raises ApiError INVALID_FIELD."""
        names = path.names
        here = self.definition
        own = (self.alias or "", here.name)
        if len(names) > 1 and names[0].lower() in [one.lower() for one in own] and here.find_path(names[0]) is None:
            names = names[1:]
        place = self.place(names[:-1], path.place)
        return self.field(place, names[-1], path.place)

    def place(self, steps: tuple[str, ...], at: int = 0) -> Place:
        """The table or tables behind a chain of relationship names."""
        if not steps:
            return Place((self.root,), ())
        return self.step(self.place(steps[:-1], at), steps[-1], at)

    def step(self, parent: Place, step: str, at: int = 0) -> Place:
        """One relationship further from a place; the same step is joined once."""
        key = (*(table.alias for table in parent.tables), step.lower())
        if key not in self.places:
            self.places[key] = self._join(parent, step, at)
        return self.places[key]

    def _join(self, parent: Place, step: str, at: int) -> Place:
        for table in parent.tables:
            field = table.definition.find_path(step)
            if field is None or self.hides(table.definition, field):
                continue
            find = self.org.find_object if self.formulas else partial(field_security.find_readable, self.org)
            known = [target for name in field.reference_to if (target := find(name)) is not None]
            tables = [self._join_one(table, field, target) for target in known]
            if tables:
                return Place(tuple(tables), (*parent.path, field.relationship_name or step))
        custom = "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom "
        message = f"Didn't understand relationship '{step}' in field path. {custom}relationship name. {SEE_DESCRIBE}"
        raise malformed(self.text, at, message, "INVALID_FIELD")

    def _join_one(self, table: Table, field: FieldDef, target: ObjectDef) -> Table:
        joined = Table(f"t{next(self.numbers)}", target)
        link = f"{joined.alias}.{quote('Id')} = {table.alias}.{quote(field.name)}"
        self.joins.append(f" LEFT JOIN {quote(target.name)} AS {joined.alias} ON {link}")
        return joined

    def field(self, place: Place, name: str, at: int = 0) -> Column:
        """A field of a place; of a polymorphic one whatever its targets share under that name."""
        if place.polymorphic:
            return self._shared_field(place, name, at)
        table = place.tables[0]
        field = table.definition.find(name)
        if field is None or self.hides(table.definition, field):
            raise self._unknown(table.definition, name, at)
        return Column(self.sql_of(table, field), field.type, field, (*place.path, field.name))

    def hides(self, definition: ObjectDef, field: FieldDef) -> bool:
        """Whether the user who asks may not see a field; formulas see all."""
        if self.formulas or not field.custom:
            return False
        if definition.name not in self.hidden:
            self.hidden[definition.name] = field_security.hidden_fields(self.org, definition)
        return field.name in self.hidden[definition.name]

    def shown_fields(self) -> list[FieldDef]:
        """The fields of the object of this FROM that whoever asks may see."""
        hidden = field_security.hidden_fields(self.org, self.definition)
        return [one for one in self.definition.fields if one.name not in hidden]

    def _unknown(self, definition: ObjectDef, name: str, at: int) -> ApiError:
        custom = "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name."
        message = f"No such column '{name}' on entity '{definition.name}'. {custom} {SEE_DESCRIBE}"
        return malformed(self.text, at, message, "INVALID_FIELD")

    def _shared_field(self, place: Place, name: str, at: int) -> Column:
        if name.lower() == "type":
            names = [(table, table.definition.name.replace("Group", "Queue")) for table in place.tables]
            cases = " ".join(f"WHEN {table.alias}.\"Id\" IS NOT NULL THEN '{called}'" for table, called in names)
            return Column(f"(CASE {cases} END)", "string", None, (*place.path, "Type"))
        found: list[tuple[Table, FieldDef]] = []
        for table in place.tables:
            wanted = table.definition.name_field if name.lower() == "name" else name
            field = table.definition.find(wanted) if wanted else None
            if field is not None:
                found.append((table, field))
        if not found:
            raise self._unknown(place.tables[0].definition, name, at)
        parts = [self.sql_of(table, field) for table, field in found]
        sql = f"coalesce({', '.join(parts)})" if len(parts) > 1 else parts[0]
        first = found[0][1]
        shown = "Name" if name.lower() == "name" else first.name
        return Column(sql, first.type, first, (*place.path, shown))

    def sql_of(self, table: Table, field: FieldDef) -> str:
        """The SQL of one field of one table: its column, its formula, or its compound text."""
        if field.stored:
            return f"{table.alias}.{quote(field.name)}"
        if field.formula is not None:
            return self._formula(table, field)
        if field.type in ("address", "location"):
            return "NULL"
        parts = [f"coalesce({table.alias}.{quote(part)} || ' ', '')" for part in field.parts]
        return f"nullif(trim({' || '.join(parts)}), '')"

    def _formula(self, table: Table, field: FieldDef) -> str:
        if self.formulas >= DEEPEST_FORMULA:
            raise ApiError(500, "UNKNOWN_EXCEPTION", f"The formula {field.name} refers to itself")
        self.formulas += 1
        compiled = compile_formula(field.formula or "", self.resolver(table, field.blank_as_zero), self.context())
        self.formulas -= 1
        if field.is_number and field.scale is not None:
            return f"round({compiled.text}, {field.scale})"
        return f"({compiled.text})"

    def context(self) -> Context:
        """What formulas of this scope know beyond fields."""
        return Context(self.org.now())

    def resolver(self, table: Table, blank_as_zero: bool) -> Resolver:
        """How a formula on this table finds its fields."""
        return Resolver(self, table, blank_as_zero)


class Resolver:
    """Field paths of a formula, seen from one table; callable, as formulas want it."""

    def __init__(self, scope: Scope, table: Table, blank_as_zero: bool) -> None:
        self.scope = scope
        self.table = table
        self.blank_as_zero = blank_as_zero

    def __call__(self, names: tuple[str, ...]) -> Sql:
        self.scope.formulas += 1
        place = Place((self.table,), ())
        for step in names[:-1]:
            place = self.scope.step(place, step)
        column = self.scope.field(place, names[-1])
        self.scope.formulas -= 1
        zero = self.blank_as_zero and column.kind == "number"
        return Sql(f"coalesce({column.sql}, 0)" if zero else column.sql, column.kind)


def shown_sql(org: OrgState, column: Column) -> str:
    """What a query selects of a column: of an encrypted text its length in asterisks, unless the setting says no.

    A user without View Encrypted Data sees the mask, and Modify All Data does not grant it [data.md 4 row 50, unsure];
    other masks than `all` look alike here.
    """
    if column.type != "encryptedstring" or not org.settings.get("encrypted_masked", True):
        return column.sql
    if field_security.was_given(org, "ViewEncryptedData"):
        return column.sql
    return f"substr('{'*' * MASK_LENGTH}', 1, length({column.sql}))"
