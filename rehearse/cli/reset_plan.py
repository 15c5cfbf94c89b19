"""`rehearse reset plan`: compare a sandbox with its baseline, and save the ordered steps that undo the difference."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, not_blank, own_words, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rehearse.cli.desk import Desk
    from rehearse.org.connect import OrgReader
    from rehearse.reset.model import Allowed, Choices, ResetPlan, Switch

Egress = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-egress",
        help="A way out that may stay open while it writes: email, or an endpoint's name (* takes many). Repeatable.",
    ),
]


Sandbox = Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")]
BaselineName = Annotated[
    str | None, typer.Option(callback=not_blank, help="Baseline to go back to; the newest unless given.")
]
NoCreate = Annotated[bool, typer.Option("--no-create", help="Bring back nothing that is missing.")]
NoUpdate = Annotated[bool, typer.Option("--no-update", help="Leave changed things as they are.")]
NoDelete = Annotated[
    bool, typer.Option("--no-delete", "--keep-created", help="Delete nothing that the rehearsal added.")
]
Participants = Annotated[
    list[str] | None,
    typer.Option(help="Who took part besides the user of this login: user name, alias or Id. Repeatable."),
]
DeleteOthers = Annotated[
    bool, typer.Option("--delete-others", help="Delete also rows that people made who took no part.")
]
LeaveOut = Annotated[list[str] | None, typer.Option(help="A record Id or component name to leave alone. Repeatable.")]
Why = Annotated[str | None, typer.Option(callback=own_words, help="Why that way out may stay open.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan, and save nothing.")]
Full = Annotated[
    bool, typer.Option("--full", help="Read every row, also those whose stamps are older than the baseline.")
]


def plan(
    sandbox: Sandbox,
    baseline: BaselineName = None,
    no_create: NoCreate = False,
    no_update: NoUpdate = False,
    no_delete: NoDelete = False,
    participant: Participants = None,
    delete_others: DeleteOthers = False,
    leave_out: LeaveOut = None,
    allow_egress: Egress = None,
    reason: Why = None,
    full: Full = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Save a plan that puts a sandbox back to its baseline.

    Compares the sandbox with the baseline and orders the steps that undo the difference. Changes nothing in the
    sandbox. Rows that people made who took no part stay. Exit 3 when something cannot be undone.

    Example: rehearse reset plan UATFULL --participant loader
    """
    from rehearse.cli.desk import open_desk
    from rehearse.reset.model import Choices

    with open_desk() as desk:
        for sentence in desk.workspace.not_acted_on:
            say(f"note: {sentence}")
        people = _fetch_participants(desk, sandbox, participant or ())
        left_out = frozenset(leave_out or ())
        choices = Choices(not no_create, not no_update, not no_delete, people, delete_others, left_out)
        made = _fetch_plan(desk, sandbox, baseline, (choices, build_allowed(allow_egress, reason)), full=full)
        _end(desk, made, dry_run=dry_run, as_json=as_json)


def _end(desk: Desk, made: ResetPlan, *, dry_run: bool, as_json: bool) -> None:
    """Show a plan, keep it unless only its sight was wanted, and end with its exit code."""
    from rehearse.report.resets import build_plan_page
    from rehearse.reset.plan import plain

    if dry_run:
        desk.store().drop(made.live_capture)
        finish("reset-plan", made.made_at, plain(made), build_plan_page(made), as_json=as_json, code=_blocks(made))
        return
    _keep_plan(desk, made, as_json=as_json)


def build_allowed(names: Sequence[str] | None, reason: str | None) -> tuple[Allowed, ...]:
    """What `--allow-egress` lets through, with its reason. Raises UsageError without one."""
    from rehearse.errors import UsageError
    from rehearse.reset.model import Allowed

    if names and not reason:
        raise UsageError("--allow-egress needs a --reason.", "Say why that way out is harmless; the proof keeps it.")
    return tuple(Allowed(one, reason or "") for one in dict.fromkeys(names or ()))


def load_given_plan(desk: Desk, given: str) -> ResetPlan:
    """A saved plan by its id, a unique start of it, or its file. Raises NotFound, AmbiguousId, Damaged."""
    from rehearse.ids import find_by_prefix
    from rehearse.reset.plan_file import load_plan

    if given.endswith(".json"):
        return load_plan(Path(given))
    folder = desk.workspace.storage.plans
    known = [one.stem for one in folder.glob("*.json")] if folder.exists() else []
    return load_plan(folder / f"{find_by_prefix(given, known, 'reset plan')}.json")


def _fetch_participants(desk: Desk, sandbox: str, names: Sequence[str]) -> frozenset[str]:
    """The Ids of those who took part: the user of this login, and whoever was named."""
    from rehearse.reset.people import fetch_users

    reader = desk.connect_reader(desk.workspace.sandbox(sandbox))
    return frozenset({reader.fetch_identity().user_id, *fetch_users(reader, names).values()})


def _fetch_plan(
    desk: Desk, sandbox: str, baseline: str | None, wanted: tuple[Choices, tuple[Allowed, ...]], *, full: bool
) -> ResetPlan:
    from rehearse.cli import progress
    from rehearse.cli.baseline_check import check_baseline
    from rehearse.cli.diff import check_generation, find_baseline
    from rehearse.reset.gather import GatherRequest, gather
    from rehearse.reset.id_map import IdMap
    from rehearse.reset.live_capture import capture_live
    from rehearse.reset.plan import build_plan

    config = desk.workspace.sandbox(sandbox)
    base = find_baseline(desk, config.name, baseline)
    reader, store = desk.connect_reader(config), desk.store()
    check_generation(base, reader.fetch_identity().org_id)
    before = check_baseline(desk, base, deep=False)
    ids = IdMap(desk.database, base.org_id).load()
    with progress.shown() as on_event:
        live = capture_live(reader, store, before, on_event, None if full else before)
        request = GatherRequest(
            config.name, base.name, before, live, desk.fetch_now(), ids, wanted[0], _switches(desk), wanted[1],
            _fields_kept_before(desk, base.capture),
        )  # fmt: skip
        made = build_plan(gather(reader, store, request))
        if made.actions:
            _check_switches(reader, made)
    _warn_of_egress(reader, desk.connect_production(), made)
    return made


def _fields_kept_before(desk: Desk, capture: str) -> frozenset[str]:
    """The fields that earlier plans back to this baseline kept for the values in them."""
    from rehearse.reset.housed_values import find_kept_before

    return find_kept_before(_plans_that_leave_rows(desk), capture)


def _plans_that_leave_rows(desk: Desk) -> Iterator[ResetPlan]:
    """One after the other, because a large one fills memory by itself; a damaged one is told."""
    from rehearse.errors import Damaged
    from rehearse.reset.plan_file import load_plan, may_leave_rows

    for path in sorted(desk.workspace.storage.plans.glob("*.json")):
        try:
            if may_leave_rows(path):
                yield load_plan(path)
        except Damaged as error:
            say(f"note: {error.message} Whether it kept a field for the values in it cannot be told.")


def _switches(desk: Desk) -> tuple[Switch, ...]:
    """The switches of the scope, as a plan keeps them."""
    from rehearse.reset.model import Switch

    return tuple(Switch(one.kind, one.name, one.where, one.values) for one in desk.workspace.scope.bypass)


def _check_switches(reader: OrgReader, made: ResetPlan) -> None:
    """Raise UsageError already now for a switch that the org does not have: apply would stop at it."""
    from rehearse.reset.apply_bypass import fetch_before

    fetch_before(reader, made.bypass, reader.fetch_identity().user_id)


def _warn_of_egress(reader: OrgReader, production: OrgReader | None, made: ResetPlan) -> None:
    """Say already now what would keep the gate closed; e-mail is asked when the plan is applied."""
    from rehearse.reset.egress import fetch_shared, list_asked

    for sentence in list_asked(fetch_shared(reader, production) if made.actions else (), [x.name for x in made.egress]):
        say(f"note: {sentence}")


def _keep_plan(desk: Desk, made: ResetPlan, *, as_json: bool) -> None:
    """Save a plan, show it, and end with its exit code."""
    from rehearse.errors import StoreError
    from rehearse.report.resets import build_plan_page
    from rehearse.reset.plan import plain
    from rehearse.reset.plan_file import save_plan

    path = desk.workspace.storage.plans / f"{made.id}.json"
    try:
        save_plan(made, path)
    except StoreError:
        desk.store().drop(made.live_capture)  # only this plan needed it
        raise
    finish("reset-plan", made.made_at, {**plain(made), "file": str(path)}, build_plan_page(made), as_json=as_json)
    if not as_json:
        say(f"Saved {path}.")
        if made.actions:
            say(f"Apply it with: rehearse reset apply {made.id[:12]} --confirm {made.sandbox}")
        else:
            say(f"It writes nothing. Prove what {made.sandbox} holds with: rehearse reset prove {made.sandbox}")
    raise typer.Exit(_blocks(made))


def _blocks(made: ResetPlan) -> int:
    """3: something stays that the plan cannot undo; what the platform derives from other rows follows them."""
    return 3 if any(one.grade != "unknown" for one in made.blocked) else 0
