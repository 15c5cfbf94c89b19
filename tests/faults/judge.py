"""The judge: what the practice org's own tables say, held against what a proof says.

Shares nothing with our compare. A row or component that differs and that no item of the proof names is the worst bug
that this tool can have; `judge` answers every such thing in words.
"""

from dataclasses import dataclass, field
from typing import Any

BACK = ("restored", "already equal")
STAMPED = frozenset({"ClosedDate", "CompletedDateTime"})
"""Instants that the platform sets when a row is closed, and that nothing can write: residue may differ in these."""
SET_BY_PLATFORM = frozenset({"CreatedDate", "CreatedById", "Id", "ClosedDate", "CompletedDateTime"})


@dataclass
class Picture:
    """What an org holds: rows of every object that people write, and components."""

    rows: dict[str, dict[str, dict[str, Any]]]
    components: dict[tuple[str, str], str]
    flows: dict[tuple[str, int], str]


@dataclass
class Finding:
    """What the judge found: `wrong` are lies of the proof, `left` is what truly differs."""

    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def take_picture(lab: Any) -> Picture:
    """Every object with rows that a person may write, and all metadata, from the org's own tables."""
    names = [
        name
        for name, one in lab.org.objects().items()
        if one.createable and one.updateable and name not in ("User", "Group", "QueueSobject")
    ]
    found = lab.photograph(names)
    for name, rows in found.rows.items():
        gone = [one.name for one in lab.org.object(name).fields if one.summary or one.encrypted]
        for row in rows.values():
            for one in gone:
                row.pop(one, None)
    return Picture(found.rows, found.components, found.flows)


def fixed_fields(lab: Any, object: str) -> frozenset[str]:
    """The fields of a re-inserted row that no insert can set."""
    definition = lab.org.find_object(object)
    numbers = {one.name for one in definition.fields if one.auto_number or one.encrypted} if definition else set()
    return SET_BY_PLATFORM | numbers


def row_differences(lab: Any, before: Picture, after: Picture, ids: dict[str, str]) -> dict[tuple[str, str], list[str]]:
    """(object, id in the baseline) -> the fields that differ; `Id` alone says that the row is missing or new."""
    back = {new: old for old, new in ids.items()}
    found: dict[tuple[str, str], list[str]] = {}
    for object in sorted({*before.rows, *after.rows}):
        old = before.rows.get(object, {})
        new = {
            back.get(id, id): {
                name: back.get(value, value) if isinstance(value, str) else value for name, value in row.items()
            }
            for id, row in after.rows.get(object, {}).items()
        }
        for id in old.keys() | new.keys():
            left, right = old.get(id), new.get(id)
            if left is None or right is None:
                found[(object, id)] = ["Id"]
                continue
            free = fixed_fields(lab, object) if id in ids else frozenset()
            names = [
                one
                for one in left.keys() | right.keys()
                if one not in free and same_lines(left.get(one)) != same_lines(right.get(one))
            ]
            if names:
                found[(object, id)] = sorted(names)
    return found


def same_lines(value: Any) -> Any:
    """CRLF and LF are one (the platform may turn one into the other when a row is saved)."""
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


def component_differences(before: Picture, after: Picture) -> set[tuple[str, str]]:
    found = {
        key
        for key in before.components.keys() | after.components.keys()
        if before.components.get(key) != after.components.get(key)
    }
    flows = {flow for flow, _ in before.flows.keys() | after.flows.keys() if _flow(before, flow) != _flow(after, flow)}
    return found | {("Flow", one.lower()) for one in flows}


def _flow(picture: Picture, flow: str) -> dict[int, bool]:
    return {number: status == "Active" for (name, number), status in picture.flows.items() if name == flow}


def judge(lab: Any, proof: Any, before: Picture, rehearsed: Picture, scope: set[str]) -> Finding:
    """Hold a proof against the tables: `scope` are the objects in it; `rehearsed` is how it was before the reset."""
    finding = Finding()
    after = take_picture(lab)
    known = {id for rows in before.rows.values() for id in rows}
    ids = {old: new for old, new in lab.ids.load().items() if old in known}
    ids |= {old: new for old, new in proof.ids.items() if old.startswith("00G")}  # queues that were deployed again
    open_items = {(one.type, one.key): one for one in proof.items if one.outcome not in BACK}
    rows = row_differences(lab, before, after, ids)
    for (object, id), names in sorted(rows.items()):
        if object not in scope:
            if names == ["Id"] and id in before.rows.get(object, {}) and id in rehearsed.rows.get(object, {}):
                finding.wrong.append(f"{object} {id} is outside the scope and was lost by the reset")
            continue
        what = f"{object} {id} {names}"
        finding.left.append(what)
        item = open_items.get((object, id))
        if proof.verdict == "clean":
            finding.wrong.append(f"clean, but {what} differs")
        elif item is None:
            finding.wrong.append(f"{proof.verdict}, but no item names {what}")
        elif item.outcome == "residue" and [one for one in names if one not in STAMPED and one not in item.detail]:
            finding.wrong.append(f"called residue, but {what} differs: {item.detail}")
    if proof.verdict == "clean" and any(old in ids for object in scope for old in before.rows.get(object, {})):
        finding.wrong.append("clean, although rows live under new ids")
    named = {(one.type.lower(), one.key.lower()) for one in proof.items if one.outcome not in BACK}
    for type, name in sorted(component_differences(before, after) if proof.scope["types"] else ()):
        plain = type.removesuffix(" file").lower()
        if plain not in {one.lower() for one in proof.scope["types"]} | CHILD_TYPES:
            continue
        finding.left.append(f"{type} {name}")
        hit = any(plain == kind and (name == key or name.startswith(f"{key} ")) for kind, key in named)
        if proof.verdict == "clean":
            finding.wrong.append(f"clean, but {type} {name} differs")
        elif not hit:
            finding.wrong.append(f"{proof.verdict}, but no item names {type} {name}")
    if proof.verdict == "dirty" and not finding.left and not open_items:
        finding.wrong.append("dirty, but nothing differs and nothing is named")
    return finding


CHILD_TYPES = {
    "customfield", "validationrule", "recordtype", "listview", "compactlayout", "fieldset", "weblink", "customlabel",
    "workflowrule", "workflowalert", "workflowfieldupdate", "businessprocess", "index", "sharingreason",
}  # fmt: skip
