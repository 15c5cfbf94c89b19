"""What deployed code may not lack: the names in Apex and flows, and the jobs that stand in a change's way.

Nothing is compiled. A custom name must be an object, a field or a relation of any object, a label must be there, a
trigger needs its object; a class with a job that waits or runs is not touched (facts 4.1).
"""

from __future__ import annotations

import re

from rehearse.practice import components
from rehearse.practice.components import Component
from rehearse.practice.deploy_model import DeployProblem
from rehearse.practice.deploy_usage import code_of
from rehearse.practice.meta_xml import VERSION, leaves_of, parse, text_of
from rehearse.practice.org_state import OrgState

STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
CUSTOM_WORD = re.compile(r"\b[A-Za-z]\w*?__[cr]\b")
LABEL = re.compile(r"\bSystem\.Label\.(\w+)|\bLabel\.(\w+)", re.IGNORECASE)
TRIGGER_OBJECT = re.compile(r"\btrigger\s+\w+\s+on\s+(\w+)", re.IGNORECASE)
UNFINISHED = ("Holding", "Queued", "Preparing", "Processing")


def check_no_jobs(org: OrgState, class_id: str) -> None:
    """Refuse to touch a class while one of its asynchronous jobs waits or runs."""
    marks = ", ".join("?" for _ in UNFINISHED)
    sql = f'SELECT 1 FROM "AsyncApexJob" WHERE substr("ApexClassId", 1, 15) = ? AND "Status" IN ({marks}) LIMIT 1'
    if class_id and org.db.execute(sql, (class_id[:15], *UNFINISHED)).fetchone() is not None:
        raise DeployProblem("This schedulable class has jobs pending or in progress")


def check_apex(org: OrgState, component: Component) -> None:
    """A custom name in the source must be an object, a field or a relation of any object; a label must be there."""
    version = text_of(parse(component.xml), "apiVersion").strip()
    if version and not VERSION.fullmatch(version):
        raise DeployProblem(f"'{version[:40]}' is not a valid value for the type xsd:double")
    source = STRING.sub("''", code_of(component))
    if component.type == "ApexTrigger":
        found = TRIGGER_OBJECT.search(source)
        if found is None or org.find_object(found.group(1)) is None:
            name = found.group(1) if found else component.name
            raise DeployProblem(f"Invalid type: {name}", line=1, column=1)
    for label in LABEL.finditer(source):
        name = label.group(1) or label.group(2)
        if components.find(org, "CustomLabel", name) is None:
            raise _at(source, label.start(), f"Variable does not exist: {name}")
    every = custom_words(org)
    for word in CUSTOM_WORD.finditer(source):
        if word.group().lower() not in every:
            raise _at(source, word.start(), f"Variable does not exist: {word.group()}")


def _at(source: str, place: int, text: str) -> DeployProblem:
    return DeployProblem(text, line=source.count("\n", 0, place) + 1, column=place - source.rfind("\n", 0, place))


def custom_words(org: OrgState) -> frozenset[str]:
    """The names of all custom objects, fields and relations, in small letters."""
    words: set[str] = set()
    for name, definition in org.objects().items():
        words.add(name.lower())
        if name.endswith("__c"):
            words.add(f"{name.removesuffix('__c')}__r".lower())
        for field in definition.fields:
            if field.custom:
                words |= {field.name.lower(), (field.relationship_name or "").lower()}
                words.add((field.child_relationship or "").lower())
    return frozenset(words)


def check_flow(org: OrgState, component: Component) -> None:
    xml, every = parse(component.xml), custom_words(org)
    for _, name in leaves_of(xml, "object"):
        if org.find_object(name) is None:
            raise DeployProblem(f"field integrity exception: unknown (The object {name} does not exist.)")
    for _, name in leaves_of(xml, "field", "queriedFields", "elementReference"):
        for word in CUSTOM_WORD.finditer(name):
            if word.group().lower() not in every:
                raise DeployProblem(f"field integrity exception: unknown (The field {word.group()} does not exist.)")
