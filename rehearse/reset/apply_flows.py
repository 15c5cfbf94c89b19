"""Flows go through versions: which one is active, and which of them exist (Tooling API).

Redeploying an old flow file would only make a newer version (facts/metadata.md 0, 5), so a flow that exists is put back
by activating the version of the baseline and deleting the versions that came after it. A version is deleted only when
it is not active.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rehearse.errors import NotFound, OrgBusy, OrgRejected, OrgUncertain
from rehearse.reset import settle
from rehearse.reset.apply_context import NOTHING_DONE, Context
from rehearse.reset.inputs import FlowState
from rehearse.reset.model import Action


def apply_flows(context: Context, actions: Sequence[Action]) -> None:
    """Activate and delete flow versions, each only from the state that the plan saw."""
    for action in actions:
        state = settle.fetch_flow(context, action.key)
        if action.do == "activate-flow":
            _activate(context, action, state)
        else:
            _delete_version(context, action, state)


def _activate(context: Context, action: Action, state: FlowState) -> None:
    goal = int(action.fields[0])
    if state.active == goal:
        context.note_equal(action)
    elif action.expects is not None and state.active != int(action.expects):
        context.note(action, "foreign", f"version {state.active} was activated since the plan was made")
    else:
        _send(context, action, lambda: context.writer.set_active_flow_version(action.key, goal))


def _delete_version(context: Context, action: Action, state: FlowState) -> None:
    number = int(action.fields[0])
    if number not in state.versions:
        context.note_equal(action)
    elif number == state.active:
        context.note(action, "waiting", "the version is still active")
    else:
        _send(context, action, lambda: context.writer.delete_flow_version(action.key, number))


def _send(context: Context, action: Action, call: Callable[[], None]) -> None:
    entry = context.journal.open("flow", {"actions": [action.id], "do": action.do, "flow": action.key,
                                          "version": int(action.fields[0])})  # fmt: skip
    failed: dict[str, str] = {}
    try:
        call()
    except OrgUncertain:
        settle.settle_flow(context, entry)
        context.note(action, "waiting", "the reply was lost; the next pass looks again")
        return
    except (OrgRejected, NotFound) as error:
        failed[action.id] = error.org_code if isinstance(error, OrgRejected) else "NOT_FOUND"
        context.note(action, "failed", failed[action.id])
    except (OrgBusy, *NOTHING_DONE):
        context.journal.close(entry, {"ok": [], "failed": {}, "void": True})
        raise
    else:
        context.note(action, "done")
    context.journal.close(entry, {"ok": [] if failed else [action.id], "failed": failed})
