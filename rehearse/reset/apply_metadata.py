"""Deploying and destroying components, each deployment journalled before and after; what is refused is set aside.

Holds the writer, with apply_records, apply_updates and apply_inserts. A deployment is all or nothing, so a component
that the org refuses is taken out and the rest is sent again, in halves where the org does not say what it refuses; the
next pass tries it anew, because relief within one transaction is not universal (facts/metadata.md 4.2). What is still
in a state that the plan does not know is somebody's edit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rehearse.baseline.components import read_components, read_package
from rehearse.baseline.writing import nameless_file
from rehearse.errors import LoginError, NotFound, OrgBusy, OrgLimit, OrgRejected, OrgUncertain, OrgUnreachable, Refused
from rehearse.events import Noted
from rehearse.journal import Entry
from rehearse.org.model import DeployResult
from rehearse.reset import settle
from rehearse.reset.apply_context import Context
from rehearse.reset.deploy_zip import ACCESS, build_destruction, build_upserts, write_zip
from rehearse.reset.housed_rows import keep_objects_with_new_rows
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.model import Action
from rehearse.reset.newer_edits import UNGUARDED

FAILED = "Failed"
"""How a deployment ends that the org refused; others were cancelled, and are not sent again in parts."""


def apply_deploys(context: Context, book: MetadataBook, actions: Sequence[Action]) -> None:
    """Deploy or destroy the components of these actions (all of one kind) that are still as the plan saw them."""
    ready = _ready(context, actions)
    lacking = {(one.type, one.key) for one in context.plan.blocked} & (book.before.keys() - book.after.keys())
    groups = [ready] if ready else []
    while groups:
        group = groups.pop(0)
        refused = _deploy(context, book, group, lacking)
        if refused is None:
            groups[:0] = [group[: len(group) // 2], group[len(group) // 2 :]]
            continue
        more = {(one.type, one.key) for one in group if one.id in refused and one.type not in ACCESS}
        lacking |= more  # one of them may be all that is wrong with a profile
        left = [one for one in group if one.id not in refused or (more and one.type in ACCESS)]
        if refused and left:
            groups.insert(0, left)


def _ready(context: Context, actions: Sequence[Action]) -> list[Action]:
    current = fetch_digests(context, actions)
    found: list[Action] = []
    for action in actions:
        place = (action.type, action.key)
        digest = current.get(place)
        if place in context.foreign:
            continue
        if digest == action.goal and action.type not in UNGUARDED:
            context.note_equal(action)
        elif digest == action.expects or action.type in UNGUARDED or _is_ours(context, place):
            found.append(action)
        else:
            context.note(action, "foreign", "changed since the plan was made; not deployed")
    return keep_objects_with_new_rows(context, found)


def _is_ours(context: Context, place: tuple[str, str]) -> bool:
    """Whether this run deployed a component, or deleted versions of a flow, so that another one is the newest now."""
    return place in context.deployed or (place[0] == "Flow" and place in context.written)


def fetch_digests(context: Context, actions: Sequence[Action]) -> dict[tuple[str, str], str]:
    """The canonical digests that these components have in the org now; what is not there is absent."""
    manifest: dict[str, set[str]] = {}
    for action in actions:
        if action.type not in UNGUARDED:
            manifest.setdefault(action.type, set()).add(action.key)
    if not manifest:
        return {}
    with nameless_file() as path:
        context.writer.reader.retrieve({type: tuple(sorted(manifest[type])) for type in sorted(manifest)}, path)
        components = read_components(read_package(path))
    return {(one.type, one.full_name): one.digest for one in components}


def _deploy(
    context: Context, book: MetadataBook, actions: Sequence[Action], lacking: Collection[tuple[str, str]]
) -> set[str] | None:
    """One deployment; answers the ids of the actions that the org refused, None where it told nothing of which."""
    version = context.writer.reader.api_version
    try:
        build = build_destruction(actions, version) if actions[0].do == "destroy" else None
        files = build or build_upserts(book, actions, version, lacking)
    except NotFound as error:
        for action in actions:
            context.note(action, "failed", error.message)
        return set()
    entry = context.journal.open("deploy", {"actions": [one.id for one in actions]})
    result = _run_deploy(context, entry, files)
    if result is None:
        for action in actions:
            context.note(action, "waiting", "the reply was lost; the next pass looks again")
        return set()
    refused = {} if result.success else _refusals(result, actions)
    halved = not result.success and not refused and result.status == FAILED and len(actions) > 1
    if not result.success and not refused and not halved:
        refused = dict.fromkeys((one.id for one in actions), _why(result))
    ok = [one.id for one in actions] if result.success else []
    context.journal.close(entry, {"ok": ok, "failed": refused})
    for action in actions:
        place = (action.type, action.key)
        if result.success:
            context.note(action, "done")
            context.deployed[place] = context.deployed.get(place, 0) + 1
        elif action.id in refused:
            context.note(action, "failed", refused[action.id])
    return None if halved else set(refused)


def _run_deploy(context: Context, entry: Entry, files: dict[str, bytes]) -> DeployResult | None:
    context.schemas.clear()
    try:
        with nameless_file() as path:
            write_zip(files, path)
            deploy_id = context.writer.start_deploy(path)
    except OrgUncertain:
        context.on_event(Noted("The reply to a deployment was lost; looking at the org."))
        settle.settle_deploy(context, entry)
        return None
    except (OrgBusy, OrgLimit, OrgUnreachable, LoginError, OrgRejected, Refused):
        context.journal.close(entry, {"ok": [], "failed": {}, "void": True})
        raise
    context.journal.amend(entry, {"deploy": deploy_id})
    return context.writer.wait_deploy(deploy_id, context.on_event)


def _refusals(result: DeployResult, actions: Sequence[Action]) -> dict[str, str]:
    """Why the org refused, by action id. A message about a container counts for its children.

    Nothing where no message is about an action: an error without messages (facts/metadata.md 7), or a name spelled
    in another way.
    """
    found: dict[str, str] = {}
    for message in result.messages:
        if message.success:
            continue
        for action in actions:
            same = (action.type, action.key) == (message.type, message.full_name)
            inside = action.key.partition(".")[0] == message.full_name and message.type == "CustomObject"
            if same or (
                inside and not any((one.type, one.key) == (message.type, message.full_name) for one in actions)
            ):
                found[action.id] = message.problem or "refused"
    return found


def _why(result: DeployResult) -> str:
    return result.error or next((one.problem for one in result.messages if not one.success), "the deployment failed")
