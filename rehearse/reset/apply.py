"""Applying a reset plan: the one dangerous file of this project. It changes a sandbox, and nothing else can.

It works from a saved plan alone, through a writer that proved its sandbox and proves it again before every destructive
phase. It runs in passes to a fixed point: write what the plan says, capture again, compare, and go on only with keys of
the plan and with rows that our own user (or automation that we set off) changed since it began; a deletion outside the
plan is never done, it is reported. Killed at any point, the same call goes on: open intents of the journal are settled
first, and then every action looks at the org before it writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from rehearse import clock
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.errors import GenerationChanged, StalePlan
from rehearse.events import Finished, Noted, OnEvent, Started, ignore
from rehearse.journal import Journal, load_entries
from rehearse.org.connect import OrgWriter
from rehearse.reset.apply_context import Context
from rehearse.reset.apply_hard_deletes import finish_hard_delete
from rehearse.reset.apply_inserts import finish_insert
from rehearse.reset.context import ApplySettings
from rehearse.reset.gather import GatherRequest, gather
from rehearse.reset.id_map import IdMap
from rehearse.reset.live_capture import capture_live
from rehearse.reset.model import Action, ApplyReport, ResetPlan
from rehearse.reset.newer_edits import fetch_newer, fetch_newer_components, note_newer
from rehearse.reset.next_pass import keep_allowed
from rehearse.reset.phases import run_phases
from rehearse.reset.plan import build_fingerprint, build_plan
from rehearse.reset.settle import ROW_KINDS, settle_deploy, settle_flow, settle_rows


def apply(
    plan: ResetPlan,
    writer: OrgWriter,
    store: CaptureStore,
    journal: Journal,
    id_map: IdMap,
    on_event: OnEvent = ignore,
    settings: ApplySettings | None = None,
) -> ApplyReport:
    """Put the sandbox back as the plan says; call it again after an interruption and it continues.

    `journal.run` is the plan's id. Raises StalePlan for an edited plan, GenerationChanged for another org, and what
    the writer raises (NotASandbox, OrgLimit, SessionExpired …); what was done until then is in the journal.
    """
    if build_fingerprint(plan) != plan.fingerprint:
        raise StalePlan("The reset plan is not what was saved.", "Make a new one with `rehearse reset plan`.")
    if writer.org_id != plan.org_id or id_map.org_id != plan.org_id:
        raise GenerationChanged(
            f"{plan.sandbox} is now {writer.org_id}; this plan is for {plan.org_id}.",
            "The sandbox was refreshed: capture a new baseline.",
        )
    writer.confirm()
    context = _begin(plan, writer, store, journal, id_map, on_event, settings or ApplySettings())
    passes = _passes_of_ended(context)
    if passes is None:
        _resume(context)
        passes = _run_passes(context)
        journal.close(journal.open("end", {"passes": passes}), {"results": len(context.results)})
    outside = tuple(sorted(f"{type} {key}: {why}" for (type, key), why in context.outside.items()))
    return ApplyReport(plan.id, context.began, context.user_id, passes, tuple(context.results.values()), outside)


def _passes_of_ended(context: Context) -> int | None:
    """The passes of a run that came to its end: it writes nothing again, whatever happened since. None: go on."""
    entries = context.entries()
    ended = next((one for one in entries if one.kind == "end" and one.closed is not None), None)
    if ended is not None:
        context.on_event(Noted("This plan was applied to its end before; nothing is written again."))
        for action in context.plan.actions:
            if (action.type, action.key) in context.written:
                context.note(action, "done")
        return int(ended.detail["passes"])
    if max(one.opened for one in entries) < context.settings.now() - context.settings.continue_within:
        raise StalePlan(
            "This plan was interrupted too long ago: what our user wrote since cannot be told from the reset.",
            "Make a new one with `rehearse reset plan`; what came back under a new Id is remembered.",
        )
    return None


def _begin(
    plan: ResetPlan,
    writer: OrgWriter,
    store: CaptureStore,
    journal: Journal,
    id_map: IdMap,
    on_event: OnEvent,
    settings: ApplySettings,
) -> Context:  # fmt: skip
    """The context of a new or resumed run: when it began (by the org's clock), by whom, and what it wrote so far."""
    entries = load_entries(id_map.database, journal.run)
    first = next((one for one in entries if one.kind == "begin"), None)
    detail: Mapping[str, Any] = first.detail if first else {
        "began": clock.iso(writer.reader.fetch_server_time().replace(microsecond=0)),
        "user": writer.reader.fetch_identity().user_id,
    }  # fmt: skip
    after = store.load(plan.live_capture)
    context = Context(
        plan=plan, writer=writer, store=store, journal=journal, id_map=id_map, settings=settings, on_event=on_event,
        before=store.load(plan.baseline_capture), after=after, began=clock.from_iso(str(detail["began"])),
        planned_at=after.started, user_id=str(detail["user"]), ids=id_map.load(),
        left_alone=frozenset((one.type, one.key) for one in plan.blocked),
    )  # fmt: skip
    newer = detail["newer"] if first else {**fetch_newer(context, after), **fetch_newer_components(context, after)}
    if first is None:
        journal.close(journal.open("begin", {**detail, "newer": newer}), {})
    note_newer(context, newer)
    for entry in entries:
        for action_id in (entry.result or {}).get("ok", ()):
            do, type, key = str(action_id).split("/", 2)
            context.written.add((type, key))
            if do in ("undelete", "delete"):
                (context.returned if do == "undelete" else context.removed).add(key)
            if do in ("deploy", "destroy"):
                context.deployed[(type, key)] = context.deployed.get((type, key), 0) + 1
    return context


def _resume(context: Context) -> None:
    """Settle every intent that a killed run left open, oldest first, before anything is written."""
    for entry in context.entries():
        if entry.closed is not None:
            continue
        context.on_event(Noted(f"Continuing: looking up what became of a {entry.kind}."))
        if entry.kind in ROW_KINDS:
            settle_rows(context, entry)
        elif entry.kind == "insert":
            finish_insert(context, entry)
        elif entry.kind == "hard-delete":
            finish_hard_delete(context, entry)
        elif entry.kind == "flow":
            settle_flow(context, entry)
        elif entry.kind == "deploy" and "deploy" in entry.detail:
            result = context.writer.wait_deploy(str(entry.detail["deploy"]), context.on_event)
            actions = list(entry.detail["actions"]) if result.success else []
            context.journal.close(entry, {"ok": actions, "failed": {}})
        elif entry.kind == "deploy":
            settle_deploy(context, entry)
        else:
            context.journal.close(entry, {})


def _run_passes(context: Context) -> int:
    """Passes until nothing is left to do, nothing moves any more, or the limit of passes is reached."""
    original = context.plan
    left: set[str] | None = None
    for number in range(1, context.settings.max_passes + 1):
        context.on_event(Started(f"reset pass {number}", len(context.plan.actions), "actions"))
        run_phases(context)
        live = capture_live(context.writer.reader, context.store, context.before, context.on_event)
        next_plan = _plan_again(context, original, live)
        context.on_event(Finished(f"reset pass {number}", f"{len(next_plan.actions)} actions left"))
        remaining = {one.id for one in next_plan.actions}
        if not remaining or remaining == left:
            return number
        left = remaining
        context.plan, context.after = next_plan, live
        note_newer(context, fetch_newer(context, live))
    return context.settings.max_passes


def _not_edited(context: Context, live: Capture, actions: Sequence[Action]) -> tuple[Action, ...]:
    """The actions without those on components that somebody else wrote since the run began: they stay as they are."""
    authors = {(one.type, one.full_name): one for one in context.store.load_components(live.ulid)}
    kept: list[Action] = []
    for action in actions:
        found = authors.get((action.type, action.key)) if action.kind == "component" else None
        late = found is not None and found.at is not None and found.at >= context.began
        if found is not None and late and found.by and found.by != context.person(context.user_id):
            context.note(action, "foreign", f"changed during the reset by {found.by}; not deployed")
        else:
            kept.append(action)
    return tuple(kept)


def _plan_again(context: Context, original: ResetPlan, live: Capture) -> ResetPlan:
    request = GatherRequest(
        original.sandbox, original.baseline, context.before, live, context.settings.now(), context.id_map.load()
    )
    plan = build_plan(gather(context.writer.reader, context.store, request))
    actions = keep_allowed(context, original, plan.actions)
    changed = replace(plan, actions=_not_edited(context, live, actions), fingerprint="")
    return replace(changed, fingerprint=build_fingerprint(changed))
