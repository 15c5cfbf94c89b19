"""From a package to the list of things to do, and what is wrong with the package itself.

Pure. Each member of package.xml must be in the zip; each file must be named; a container that is named brings all its
children; a child that is named brings itself alone. Destructive members become deletions before or after the writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from rehearse.practice.components import Component
from rehearse.practice.deploy_model import ORDER, DeployPackage, Item, Options, Outcome
from rehearse.practice.deploy_zip import DESTRUCTIVE
from rehearse.practice.meta_files import read_tree
from rehearse.practice.meta_package import Package
from rehearse.practice.meta_types import BY_NAME, CONTAINER_OF, FOLDER_TYPE, known

NOT_THERE = "but was not found in zipped directory"


@dataclass
class Plan:
    """Items in the order in which they are done, and the outcomes that are settled before anything is done."""

    items: list[Item] = field(default_factory=list)
    settled: list[Outcome] = field(default_factory=list)


def failure(
    type_name: str, name: str, file: str, problem: str, *, warning: bool = False, passes: bool = False
) -> Outcome:
    """An outcome that is a problem; a warning passes where warnings are ignored."""
    return Outcome(
        type_name,
        name,
        file,
        success=warning and passes,
        problem=problem,
        problem_type="Warning" if warning else "Error",
    )


def build_plan(package: DeployPackage, options: Options) -> Plan:
    """Everything that a package asks for."""
    plan, tree = Plan(), read_tree(package.files)
    by_name = {(one.type, one.name.lower()): one for one in tree.components}
    chosen: dict[tuple[str, str], Component] = {}
    for type_name, members in package.package.members.items():
        if not known(type_name):
            plan.settled.append(
                failure("", type_name, "package.xml", f"Unknown type name '{type_name}' specified in package.xml")
            )
            continue
        for member in members:
            matches = list(_match(by_name, type_name, member))
            chosen |= {(one.type, one.name.lower()): one for one in matches}
            broken = any((one.type, one.name) == (type_name, member) for one in tree.problems)
            if not matches and not broken and member != "*" and not options.allow_missing_files:
                text = f"An object '{member}' of type {type_name} was named in package.xml, {NOT_THERE}"
                plan.settled.append(failure(type_name, member, "package.xml", text))
    for problem in tree.problems:
        found = failure(problem.type, problem.name, package.folder + problem.path, problem.text)
        plan.settled.append(found)
    for key, one in by_name.items():
        if key not in chosen and not _is_own_part_of_chosen(one, chosen):
            text = "Not in package.xml"
            passes = options.ignore_warnings
            plan.settled.append(
                failure(one.type, one.name, package.folder + one.path, text, warning=True, passes=passes)
            )
    ordered = sorted(chosen.values(), key=lambda one: ORDER.index(one.type))
    plan.items += [*_deletions("pre", "pre", package.pre), *_deletions("pre", "plain", package.plain)]
    plan.items += [Item("write", one.type, one.name, package.folder + one.path, one) for one in ordered]
    plan.items += _deletions("post", "post", package.post)
    return plan


def _is_own_part_of_chosen(one: Component, chosen: dict[tuple[str, str], Component]) -> bool:
    """A container's own part needs no mention when some of its children are wanted."""
    return one.type in BY_NAME and any(
        child.parent.lower() == one.name.lower() and CONTAINER_OF[child.type][0].name == one.type
        for child in chosen.values()
        if child.type in CONTAINER_OF
    )


def _match(by_name: dict[tuple[str, str], Component], type_name: str, member: str) -> Iterable[Component]:
    if member == "*":
        if type_name in BY_NAME:
            for (kind, _), one in by_name.items():
                if kind == type_name:
                    yield from _with_children(by_name, one)
        return
    found = by_name.get((type_name, member.lower()))
    if found is None and type_name == "Report" and "/" not in member:
        found = by_name.get((FOLDER_TYPE.name, member.lower()))
    if found is not None:
        yield from _with_children(by_name, found)


def _with_children(by_name: dict[tuple[str, str], Component], one: Component) -> Iterable[Component]:
    yield one
    if one.type in BY_NAME and BY_NAME[one.type].children:
        kinds = {child.name for child in BY_NAME[one.type].children}
        yield from (part for part in by_name.values() if part.type in kinds and part.parent == one.name)


def _deletions(do: Literal["pre", "post"], which: str, package: Package) -> list[Item]:
    """The members of a destructive manifest, what depends on others first."""
    items = [
        Item(do, type_name, name, DESTRUCTIVE[which]) for type_name, names in package.members.items() for name in names
    ]
    return sorted(items, key=lambda one: -ORDER.index(one.type) if one.type in ORDER else 0)
