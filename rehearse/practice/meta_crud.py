"""The synchronous calls of Metadata SOAP: create, update, upsert and delete a few components; describe a type.

Each record becomes a file, and the file goes the way of a deployment, so that the same rules hold. Ten records a call,
200 of the two types that Salesforce excepts; each has its own result unless AllOrNoneHeader asks for all. Refuses types
with content files: those can only be deployed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from rehearse.practice import components
from rehearse.practice.components import Author
from rehearse.practice.deploy_apply import apply_plan
from rehearse.practice.deploy_items import Plan
from rehearse.practice.deploy_model import Item, Options, Outcome
from rehearse.practice.http_errors import ApiError
from rehearse.practice.meta_files import read_tree
from rehearse.practice.meta_types import BY_NAME, CONTAINER_OF, FOLDER_TYPE, known, path_of
from rehearse.practice.meta_xml import XSI, copy, elements, local, make, parse, render, text_of
from rehearse.practice.org_state import OrgState

MOST, MOST_OF_SOME = 10, 200
SOME = ("CustomMetadata", "CustomApplication")
TOO_MANY = "record limit reached. cannot submit more than {} records into this call"
ROLLED_BACK = ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid")
Result = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """One record of a call: its type, its full name, and its element (None for a deletion)."""

    type: str
    name: str
    element: etree._Element | None = None


class _NotAll(Exception):
    """Takes every record back when all or none was asked for and one was refused."""


def read_records(body: etree._Element) -> list[Record]:
    """The `metadata` elements of a call. Raises ApiError for an unknown type or too many."""
    found = []
    for one in elements(body, "metadata"):
        kind = str(one.get(f"{{{XSI}}}type", "")).rpartition(":")[2]
        found.append(Record(kind, text_of(one, "fullName").strip(), one))
    _check(found)
    return found


def read_names(body: etree._Element) -> list[Record]:
    """The records that a deleteMetadata names."""
    kind = text_of(body, "type").strip()
    found = [Record(kind, (one.text or "").strip()) for one in elements(body, "fullNames")]
    _check(found)
    return found


def _check(records: list[Record]) -> None:
    for one in records:
        if not known(one.type):
            raise ApiError(500, "INVALID_TYPE", f"Unknown type: {one.type}")
    most = MOST_OF_SOME if records and all(one.type in SOME for one in records) else MOST
    if len(records) > most:
        raise ApiError(500, "LIMIT_EXCEEDED", TOO_MANY.format(most))


def create(org: OrgState, author: Author, records: list[Record], all_or_none: bool) -> list[Result]:
    """SaveResults; a name that is taken is refused."""

    def one(record: Record) -> Result:
        if _is_there(org, record):
            text = f"There is already a {record.type} with the name {record.name}"
            return _refused(record, "DUPLICATE_DEVELOPER_NAME", text)
        return _written(org, author, record)

    return _each(org, records, one, all_or_none)


def update(org: OrgState, author: Author, records: list[Record], all_or_none: bool) -> list[Result]:
    """SaveResults; a name that is not there is refused."""

    def one(record: Record) -> Result:
        return _written(org, author, record) if _is_there(org, record) else _missing(record)

    return _each(org, records, one, all_or_none)


def upsert(org: OrgState, author: Author, records: list[Record], all_or_none: bool) -> list[Result]:
    """UpsertResults, which say whether the component is new."""

    def one(record: Record) -> Result:
        there = _is_there(org, record)
        done = _written(org, author, record)
        return {"created": done["success"] and not there, **done}

    return _each(org, records, one, all_or_none)


def delete(org: OrgState, author: Author, records: list[Record], all_or_none: bool) -> list[Result]:
    """DeleteResults; a container takes its children along."""

    def one(record: Record) -> Result:
        if not _is_there(org, record):
            return _missing(record)
        item = Item("post", record.type, record.name, "")
        return _done(org, author, record, [item], "DEPENDENCY_EXISTS")

    return _each(org, records, one, all_or_none)


def _each(org: OrgState, records: list[Record], one: Callable[[Record], Result], all_or_none: bool) -> list[Result]:
    results: list[Result] = []
    try:
        with org.transaction():
            results = [one(record) for record in records]
            if all_or_none and not all(result["success"] for result in results):
                raise _NotAll
    except _NotAll:
        return [
            _refused(record, *ROLLED_BACK) if result["success"] else result
            for record, result in zip(records, results, strict=True)
        ]
    return results


def _is_there(org: OrgState, record: Record) -> bool:
    return components.find(org, record.type, record.name) is not None


def _missing(record: Record) -> Result:
    return _refused(record, "INVALID_CROSS_REFERENCE_KEY", f"no {record.type} named {record.name} found")


def _refused(record: Record, code: str, text: str) -> Result:
    return {"errors": [{"message": text, "statusCode": code}], "fullName": record.name, "success": False}


def _written(org: OrgState, author: Author, record: Record) -> Result:
    kind = BY_NAME.get(record.type)
    if kind is not None and (kind.content or kind.bundle):
        return _refused(record, "INVALID_TYPE", f"{record.type} has content: deploy it")
    if not record.name:
        return _refused(record, "REQUIRED_FIELD_MISSING", "Required field is missing: fullName")
    path = path_of(record.type, record.name)
    tree = read_tree({path: _as_file(record)})
    if tree.problems:
        return _refused(record, "UNKNOWN_EXCEPTION", tree.problems[0].text)
    wanted = [one for one in tree.components if one.type == record.type or one.parent == record.name]
    items = [Item("write", one.type, one.name, path, one) for one in wanted]
    return _done(org, author, record, items, "FIELD_INTEGRITY_EXCEPTION")


def _as_file(record: Record) -> bytes:
    """The file in which a deployment would carry the record."""
    assert record.element is not None
    inner = [copy(one) for one in elements(record.element) if local(one) != "fullName"]
    if record.type not in CONTAINER_OF:
        return render(make(record.type, *inner))
    container, child = CONTAINER_OF[record.type]
    short = record.name.partition(".")[2] if child.dotted else record.name
    return render(make(container.name, make(child.tag, make("fullName", text=short), *inner)))


def _done(org: OrgState, author: Author, record: Record, items: list[Item], code: str) -> Result:
    """Do items as a deployment does; which code a refusal has is an assumption."""
    outcomes = apply_plan(org, Plan(items), Options(rollback_on_error=True), author)
    bad: list[Outcome] = [one for one in outcomes if not one.success]
    if bad:
        return _refused(record, code, bad[0].problem)
    return {"fullName": record.name, "success": True}


def describe_value_type(org: OrgState, asked: str) -> Result:
    """DescribeValueTypeResult of `{namespace}Type`; its fields are the elements that components here have.

    Raises ApiError INVALID_TYPE."""
    name = asked.rpartition("}")[2].strip()
    if not known(name):
        raise ApiError(500, "INVALID_TYPE", f"Unknown type: {name}")
    kind = BY_NAME.get(name)
    by_call = kind is None or not (kind.content or kind.bundle)
    parent = CONTAINER_OF[name][0].name if name in CONTAINER_OF else (kind.folder if kind is not None else "")
    tags = {local(one) for part in components.load_type(org, name) for one in elements(parse(part.xml))}
    result: Result = {f"api{verb}": by_call for verb in ("Creatable", "Deletable", "Readable", "Updatable")}
    result["apiReadable"] = True
    if name in ("Settings", "StandardValueSet", FOLDER_TYPE.name):
        result["apiDeletable"] = name == FOLDER_TYPE.name
    if parent:
        result["parentField"] = _value_field("fullName", parent)
    return {**result, "valueTypeFields": [_value_field(tag) for tag in sorted(tags | {"fullName"})]}


def _value_field(name: str, domain: str = "") -> Result:
    found: Result = {"foreignKeyDomain": domain} if domain else {}
    found |= {"isForeignKey": bool(domain), "isNameField": name == "fullName", "minOccurs": 0, "name": name}
    return {**found, "soapType": "string", "valueRequired": name == "fullName"}
