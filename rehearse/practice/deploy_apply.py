"""Doing the items of a deployment as one transaction, and taking them back where that is asked.

With rollbackOnError one failure undoes everything; without it the failed parts are left out and the rest is done again
from the start, until what is left holds. A validation always takes everything back. Within one deployment, some
deletions still see the state before it: value sets in use, quick actions on layouts, active flows (facts 4.2).
"""

from __future__ import annotations

from dataclasses import replace

from rehearse.practice import components, deploy_references, deploy_remove, meta_flows, meta_mirror
from rehearse.practice.components import Author, Component
from rehearse.practice.deploy_change import check_before
from rehearse.practice.deploy_items import Plan
from rehearse.practice.deploy_model import DeployProblem, Item, Options, Outcome
from rehearse.practice.deploy_save import ensure_container, settle, write
from rehearse.practice.meta_types import known
from rehearse.practice.meta_xml import flag, parse
from rehearse.practice.org_state import OrgState

SEES_THE_PAST = ("GlobalValueSet", "QuickAction")
Key = tuple[str, str, str]


class _TakeBack(Exception):
    """Leaves the transaction so that it is rolled back; carries what the attempt came to."""

    def __init__(self, outcomes: dict[Key, Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


def failed(outcome: Outcome) -> bool:
    return not outcome.success


def apply_plan(org: OrgState, plan: Plan, options: Options, author: Author) -> list[Outcome]:
    """Do a plan; answers one outcome an item, after those that were settled before."""
    gone: dict[Key, Outcome] = {}
    broken = any(failed(one) for one in plan.settled)
    while True:
        try:
            with org.transaction():
                outcomes = _Attempt(org, plan.items, options, author).run(gone)
                fresh = {key: one for key, one in outcomes.items() if failed(one) and key not in gone}
                bad = broken or bool(fresh) or bool(gone)
                if fresh or options.check_only or (bad and options.rollback_on_error):
                    raise _TakeBack(outcomes)
                return [*plan.settled, *outcomes.values()]
        except _TakeBack as taken:
            fresh = {key: one for key, one in taken.outcomes.items() if failed(one) and key not in gone}
            if not fresh or options.rollback_on_error:
                return [*plan.settled, *taken.outcomes.values()]
            gone |= fresh


class _Attempt:
    """One pass over the items, inside a transaction of the caller."""

    def __init__(self, org: OrgState, items: list[Item], options: Options, author: Author) -> None:
        self._org, self._items, self._options, self._author = org, items, options, author
        self._going = frozenset((one.type, one.name) for one in items if one.do != "write")
        self._activate = org.is_sandbox or flows_deploy_active(org)

    def run(self, gone: dict[Key, Outcome]) -> dict[Key, Outcome]:
        """The outcome of each item; those in `gone` are left out and keep the outcome that they had."""
        outcomes: dict[Key, Outcome] = dict(gone)
        todo = [one for one in self._items if one.key not in gone]
        past = {one.key: problem for one in todo if (problem := self._problem_in_past(one)) is not None}
        for item in todo:
            if item.do == "pre":
                outcomes[item.key] = past.get(item.key) or self._delete(item)
        written = [one for one in todo if one.do == "write"]
        for item in written:
            outcomes[item.key] = self._write(item)
        done = [one for one in written if outcomes[one.key].success and one.component is not None]
        settle(self._org, [one.component for one in done if one.component is not None])
        for item in done:
            outcomes[item.key] = self._check(item, outcomes[item.key])
        for item in todo:
            if item.do == "post":
                outcomes[item.key] = past.get(item.key) or self._delete(item)
        return {one.key: outcomes[one.key] for one in self._items}

    def _problem_in_past(self, item: Item) -> Outcome | None:
        """What a deletion runs into when it looks at the org as it was before this deployment."""
        if item.do == "write":
            return None
        try:
            if item.type in SEES_THE_PAST and components.find(self._org, item.type, item.name) is not None:
                deploy_remove.check_in_use(self._org, item.type, item.name, frozenset())
            elif item.type == "Flow" and not self._org.settings.get("flow_delete_sees_deactivation", False):
                flow, number = meta_flows.split_version_name(item.name)
                if number and number == meta_flows.active_number(meta_flows.load_versions(self._org, flow)):
                    raise DeployProblem("The flow version is active and cannot be deleted. Deactivate it first.")
        except DeployProblem as problem:
            return self._trouble(item, problem)
        return None

    def _delete(self, item: Item) -> Outcome:
        try:
            with self._org.transaction():
                purge = self._options.purge_on_delete
                ident = deploy_remove.remove(self._org, item, self._author, self._going, purge=purge)
        except DeployProblem as problem:
            return self._trouble(item, problem)
        return Outcome(item.type, item.name, item.file, success=True, deleted=bool(ident), id=ident)

    def _write(self, item: Item) -> Outcome:
        component = item.component
        assert component is not None
        try:
            with self._org.transaction():
                check_before(self._org, component)
                ensure_container(self._org, component, self._author)
                what = write(self._org, component, self._author, activate=self._activate)
        except DeployProblem as problem:
            return self._trouble(item, problem)
        kept = components.find(self._org, item.type, item.name)
        if kept is not None and what:
            meta_mirror.write_audit(self._org, self._author, what, kept)
        ident = kept.id if kept else ""
        created, changed = what == "created", bool(what)
        return Outcome(item.type, item.name, item.file, success=True, created=created, changed=changed, id=ident)

    def _check(self, item: Item, outcome: Outcome) -> Outcome:
        kept = components.find(self._org, item.type, item.name)
        assert item.component is not None
        try:
            deploy_references.check(self._org, _as_deployed(item.component, kept))
        except DeployProblem as problem:
            return self._trouble(item, problem)
        return outcome

    def _trouble(self, item: Item, problem: DeployProblem) -> Outcome:
        kind = item.type if known(item.type) else ""
        return Outcome(
            kind,
            item.name,
            item.file,
            success=problem.warning and self._options.ignore_warnings,
            problem=problem.text,
            problem_type="Warning" if problem.warning else "Error",
            line=problem.line,
            column=problem.column,
        )


def _as_deployed(given: Component, kept: Component | None) -> Component:
    """Profiles are checked as the file has them: entries that were there before are not this deployment's fault."""
    return replace(given, id=kept.id) if kept is not None else given


def flows_deploy_active(org: OrgState) -> bool:
    """Whether a production activates a deployed flow: its FlowSettings say so (facts 4.1)."""
    found = components.find(org, "Settings", "Flow")
    return found is not None and flag(parse(found.xml), "enableFlowDeployAsActiveEnabled")
