"""The passes of an apply, to a fixed point, with the org's own automation silenced where the scope says so.

While a switch is on, the rows and components that it is made of are left alone; what the plan has to do with them is
done after the switches are back, in further passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rehearse.baseline.model import Capture
from rehearse.baseline.part_authors import fetch_part_authors
from rehearse.baseline.set_up_ids import find_new_ids
from rehearse.events import Finished
from rehearse.reset.apply_bypass import find_places, switch_off, switch_on
from rehearse.reset.apply_context import Context, Tools
from rehearse.reset.gather import GatherRequest, gather
from rehearse.reset.live_capture import capture_live
from rehearse.reset.model import Action, ResetPlan
from rehearse.reset.newer_edits import fetch_newer, note_newer
from rehearse.reset.next_pass import keep_allowed
from rehearse.reset.phases import run_phases
from rehearse.reset.plan import build_fingerprint, build_plan


def run_passes(context: Context, tools: Tools) -> int:
    """Passes until nothing is left to do, nothing moves any more, or the limit is reached; answers how many."""
    original = context.plan
    silenced = switch_on(tools, original.bypass if original.actions else (), context.user_id)
    context.silent = frozenset(find_places(tools, silenced))
    held_back = [one for one in original.actions if (one.type, one.key) in context.silent]
    context.plan = _without(original, context.silent)
    passes = _run_until_fixed(context, original)
    switch_off(tools)
    if held_back:
        context.silent = frozenset()
        live = _capture(context)
        context.plan, context.after = _plan_again(context, original, live), live
        passes += _run_until_fixed(context, original)
    _drop_captures(context)
    return passes


def _capture(context: Context) -> Capture:
    """The sandbox as it is now, on top of what was read last; queues that are back own what they owned."""
    live = capture_live(context.writer.reader, context.store, context.before, context.on_event, context.after)
    context.captured.append(live.ulid)
    context.renewed.update(find_new_ids(context.store, context.before, live))
    context.take_ids()
    return live


def _drop_captures(context: Context) -> None:
    """Destroy what only the passes needed, the newest first: each is built on the one before."""
    for ulid in reversed(context.captured):
        context.store.drop(ulid)


def _without(plan: ResetPlan, places: frozenset[tuple[str, str]]) -> ResetPlan:
    if not places:
        return plan
    left = replace(plan, actions=tuple(one for one in plan.actions if (one.type, one.key) not in places))
    return replace(left, fingerprint=build_fingerprint(left))


def _run_until_fixed(context: Context, original: ResetPlan) -> int:
    left: set[str] | None = None
    for number in range(1, context.settings.max_passes + 1):
        context.alone = False
        context.progress.start(f"reset pass {number}", context.plan.actions)
        run_phases(context)
        live = _capture(context)
        next_plan = _plan_again(context, original, live)
        context.on_event(Finished(f"reset pass {number}", f"{len(next_plan.actions):,} changes left"))
        remaining = {one.id for one in next_plan.actions}
        if not remaining or remaining == left:
            return number
        left = remaining
        context.plan, context.after = next_plan, live
        note_newer(context, fetch_newer(context, live))
    return context.settings.max_passes


def _not_edited(context: Context, live: Capture, actions: Sequence[Action]) -> tuple[Action, ...]:
    """The actions without those on components that somebody else wrote since the run began: they stay as they are."""
    authors = {(one.type, one.full_name): (one.by, one.at) for one in context.store.load_components(live.ulid)}
    parts = fetch_part_authors(context.writer.reader, {one.type for one in actions if one.kind == "component"})
    authors |= {place: (one.changed_by, one.changed_at) for place, one in parts.items() if one.changed_by}
    kept: list[Action] = []
    for action in actions:
        by, at = authors.get((action.type, action.key), ("", None)) if action.kind == "component" else ("", None)
        if at is not None and at >= context.began and by and by != context.person(context.user_id):
            context.note(action, "foreign", f"changed during the reset by {by}; not deployed")
        else:
            kept.append(action)
    return tuple(kept)


def _plan_again(context: Context, original: ResetPlan, live: Capture) -> ResetPlan:
    request = GatherRequest(
        original.sandbox, original.baseline, context.before, live, context.settings.now(), context.id_map.load()
    )
    plan = build_plan(gather(context.writer.reader, context.store, request))
    actions = keep_allowed(context, original, _without(plan, context.silent).actions)
    left = tuple(one for one in original.blocked if one not in plan.blocked)  # chosen, and still not there
    changed = replace(plan, actions=_not_edited(context, live, actions), blocked=(*plan.blocked, *left), fingerprint="")
    return replace(changed, fingerprint=build_fingerprint(changed))
