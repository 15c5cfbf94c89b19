"""Applying a reset plan: the one dangerous file of this project. It changes a sandbox, and nothing else can.

It works from a saved plan alone, through a writer that proved its sandbox and proves it again before every destructive
phase. It runs in passes to a fixed point: write what the plan says, capture again, compare, and go on only with keys of
the plan and with rows that our own user (or automation that we set off) changed since it began; a deletion outside the
plan is never done, it is reported. Killed at any point, the same call goes on: open intents of the journal are settled
first, and then every action looks at the org before it writes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rehearse import clock
from rehearse.baseline.compare import find_living
from rehearse.baseline.model import Capture
from rehearse.baseline.set_up_ids import find_new_ids
from rehearse.errors import GenerationChanged, StalePlan
from rehearse.events import Noted
from rehearse.ids import is_same_name
from rehearse.journal import Entry, load_by_kind, load_entries
from rehearse.reset import apply_files
from rehearse.reset.apply_bypass import load_silenced
from rehearse.reset.apply_context import Context, Tools
from rehearse.reset.apply_hard_deletes import finish_hard_delete
from rehearse.reset.apply_inserts import finish_insert
from rehearse.reset.apply_passes import run_passes
from rehearse.reset.apply_progress import Progress
from rehearse.reset.bypass import OFF, ON
from rehearse.reset.context import ApplySettings
from rehearse.reset.drill_progress import DRILL, list_drill_plans
from rehearse.reset.file_parts import goes_along
from rehearse.reset.let_out import LET_OUT
from rehearse.reset.model import ApplyReport, ResetPlan
from rehearse.reset.newer_edits import Newer, fetch_newer, fetch_newer_components, note_newer
from rehearse.reset.plan import build_fingerprint
from rehearse.reset.settle import ROW_KINDS, settle_deploy, settle_flow, settle_rows
from rehearse.reset.staleness import require_unmoved


def apply(plan: ResetPlan, tools: Tools, settings: ApplySettings | None = None) -> ApplyReport:
    """Put the sandbox back as the plan says; call it again after an interruption and it continues.

    The journal's run is the plan's id. Raises StalePlan for an edited plan and an org that moved, GenerationChanged for
    another org, and what the writer raises (NotASandbox, OrgLimit, …); what was done until then is in the journal.
    """
    if build_fingerprint(plan) != plan.fingerprint:
        raise StalePlan("The reset plan is not what was saved.", "Make a new one with `rehearse reset plan`.")
    if tools.writer.org_id != plan.org_id or tools.id_map.org_id != plan.org_id:
        raise GenerationChanged(
            f"{plan.sandbox} is now {tools.writer.org_id}; this plan is for {plan.org_id}.",
            "The sandbox was refreshed: capture a new baseline.",
        )
    identity = tools.writer.confirm()
    context = _begin(plan, tools, settings or ApplySettings(), identity.user_id)
    passes = _passes_of_ended(context)
    if passes is None:
        _resume(context)
        passes = run_passes(context, tools)
        end = context.journal.open("end", {"passes": passes})
        context.journal.close(end, {"results": len(context.results)})
    outside = tuple(sorted(f"{type} {key}: {why}" for (type, key), why in context.outside.items()))
    silenced = load_silenced(tools, context.entries())
    results = tuple(context.results.values())
    return ApplyReport(plan.id, context.began, context.user_id, passes, results, outside, silenced)


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
    if (
        max(one.opened for one in entries if one.kind != LET_OUT)
        < context.settings.now() - context.settings.continue_within
    ):
        raise StalePlan(
            "This plan was interrupted too long ago: what our user wrote since cannot be told from the reset.",
            "Make a new one with `rehearse reset plan`; what came back under a new Id is remembered.",
        )
    _require_newest(context)
    return None


def _require_newest(context: Context) -> None:
    """What a later reset took over is not continued: the same change, made anew by the next rehearsal, would look like
    the one that this plan undoes. Raises StalePlan."""
    begun = load_by_kind(context.id_map.database, ("begin", DRILL))
    drills = list_drill_plans(begun)
    mine = [place for place, one in enumerate(begun) if one.kind == "begin" and one.run == context.plan.id]
    later = [one for one in begun[mine[0] + 1 :] if one.kind == "begin" and one.run not in (context.plan.id, *drills)]
    over = [one.run for one in later if is_same_name(one.sandbox, context.plan.sandbox)]
    if over:
        raise StalePlan(
            f"A later reset of {context.plan.sandbox}, {over[-1][:12]}, took over what this plan was to undo.",
            "Make a new one with `rehearse reset plan`.",
        )


def _begin(plan: ResetPlan, tools: Tools, settings: ApplySettings, user_id: str) -> Context:
    """The context of a new or resumed run: when it began (by the org's clock), by whom, and what it wrote so far."""
    entries = load_entries(tools.id_map.database, tools.journal.run)
    first = next((one for one in entries if one.kind == "begin"), None)
    after = tools.store.load(plan.live_capture)
    detail: Mapping[str, Any] = first.detail if first else {
        "began": clock.iso(_fetch_begin(tools, after)),
        "user": user_id,
        "org": tools.writer.org_id,
    }  # fmt: skip
    context = Context(
        plan=plan, writer=tools.writer, store=tools.store, journal=tools.journal, id_map=tools.id_map,
        settings=settings, on_event=tools.on_event, before=tools.store.load(plan.baseline_capture), after=after,
        began=clock.from_iso(str(detail["began"])), planned_at=after.started, user_id=str(detail["user"]),
        progress=Progress(tools.on_event),
        left_alone=frozenset((one.type, one.key) for one in plan.blocked if not goes_along(one)),
    )  # fmt: skip
    context.alive = frozenset(find_living(tools.store, after, tools.id_map.load()))
    context.renewed = find_new_ids(tools.store, context.before, after)
    context.take_ids()
    newer = detail["newer"] if first else _fetch_moved(context, after)
    if first is None:
        tools.journal.close(tools.journal.open("begin", {**detail, "newer": newer}), {})
    note_newer(context, newer)
    _take_up(context, entries)
    return context


def _fetch_moved(context: Context, after: Capture) -> Newer:
    """What anybody wrote since the plan was made. Raises StalePlan unless the caller said to keep it and go on."""
    newer = {**fetch_newer(context, after, everyone=True), **fetch_newer_components(context, after)}
    if not context.settings.keep_newer:
        require_unmoved(context, newer)
    return newer


def _fetch_begin(tools: Tools, after: Capture) -> datetime:
    """The org's clock in whole seconds, later than the second in which the plan read the org.

    Stamps have whole seconds: an edit of the rehearsal must never look like one that was made since we began.
    """
    now = tools.writer.reader.fetch_server_time()
    if now.replace(microsecond=0) <= after.started:
        time.sleep(1 - now.microsecond / 1_000_000)
        now = tools.writer.reader.fetch_server_time()
    return now.replace(microsecond=0)


def _take_up(context: Context, entries: Sequence[Entry]) -> None:
    """What an interrupted run of this plan wrote already."""
    for entry in entries:
        for action_id in (entry.result or {}).get("ok", ()):
            do, type, key = str(action_id).split("/", 2)
            context.written.add((type, key))
            if do in ("undelete", "delete"):
                (context.returned if do == "undelete" else context.removed).add(key)
            if do in ("deploy", "destroy"):
                context.deployed[(type, key)] = context.deployed.get((type, key), 0) + 1


def _resume(context: Context) -> None:
    """Settle every intent that a killed run left open, oldest first, before anything is written."""
    for entry in context.entries():
        if entry.closed is not None or entry.kind in (ON, OFF):
            continue  # switches are put on and back by looking at the org
        context.on_event(Noted(f"Continuing: looking up what became of the last {entry.kind}."))
        if entry.kind in ROW_KINDS:
            settle_rows(context, entry)
        elif entry.kind == "insert":
            finish_insert(context, entry)
        elif entry.kind == apply_files.KIND:
            apply_files.finish_file(context, entry)
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
