"""`rehearse diff`: what differs between a sandbox now and its baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, not_blank, say
from rehearse.errors import GenerationChanged, NotFound

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline, Capture, Change
    from rehearse.baseline.record_store import CaptureStore
    from rehearse.cli.desk import Desk
    from rehearse.events import OnEvent
    from rehearse.report.baselines import Values
    from rehearse.workspace.model import SandboxConfig


_FEW = 5


def diff(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml.")],
    baseline: Annotated[
        str | None, typer.Option(callback=not_blank, help="Baseline to compare with; the newest unless given.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every record, not only a few of each object.")] = False,
    values: Annotated[bool, typer.Option("--values", help="Show record values, not only field names.")] = False,
    as_json: Json = False,
) -> None:
    """Show what changed in a sandbox since its baseline.

    Reads the sandbox again, in exactly the scope of the baseline, and keeps nothing of it. Exit 3 when anything
    differs.

    Example: rehearse diff UATFULL --values
    """
    from rehearse.baseline.compare import compare
    from rehearse.cli import progress
    from rehearse.cli.desk import open_desk
    from rehearse.report.baselines import build_diff_body, build_diff_page
    from rehearse.reset.id_map import IdMap

    with open_desk() as desk:
        config = desk.workspace.sandbox(sandbox)
        base = find_baseline(desk, config.name, baseline)
        with progress.shown() as on_event, _live(desk, config, base, on_event) as (before, after):
            changes = compare(desk.store(), before, after, IdMap(desk.database, base.org_id).load())
            shown = load_values(desk.store(), before, after, changes) if values else {}
        page = build_diff_page(base.name, changes, shown, None if every else _FEW)
        body = build_diff_body(base.name, changes, shown)
        finish("diff", desk.fetch_now(), body, page, as_json=as_json)
    if changes:
        say(f"To undo this: rehearse reset plan {config.name}")
        raise typer.Exit(3)


def find_baseline(desk: Desk, sandbox: str, name: str | None) -> Baseline:
    """The named baseline of a sandbox, or its newest; raises NotFound with what to do."""
    if name:
        return desk.baselines().find(name, sandbox)
    known = desk.baselines().load(sandbox)
    if not known:
        raise NotFound(
            f"There is no baseline of {sandbox}.", f"Capture one with `rehearse baseline capture {sandbox}`."
        )
    return known[-1]


def check_generation(base: Baseline, org_id: str) -> None:
    """Raise GenerationChanged when a sandbox is no longer the org that its baseline was taken of."""
    if base.org_id != org_id:
        raise GenerationChanged(
            f"{base.sandbox} was refreshed since baseline {base.name}: its org id was {base.org_id}, now {org_id}.",
            f"The baseline is void. Capture a new one with `rehearse baseline capture {base.sandbox}`.",
        )


@contextmanager
def _live(desk: Desk, config: SandboxConfig, base: Baseline, on_event: OnEvent) -> Iterator[tuple[Capture, Capture]]:
    """The baseline's capture and a fresh one in its frozen scope, which is destroyed at the end of the block."""
    from rehearse.cli.baseline import check_baseline
    from rehearse.reset.live_capture import capture_live

    reader = desk.connect_reader(config)
    check_generation(base, reader.fetch_identity().org_id)
    before = check_baseline(desk, base, deep=False)
    store = desk.store()
    after = capture_live(reader, store, before, on_event)
    try:
        yield before, after
    finally:
        store.drop(after.ulid)


def load_values(store: CaptureStore, before: Capture, after: Capture, changes: Sequence[Change]) -> Values:
    """The values of the changed fields of records, from the encrypted parts of both captures."""
    found: dict[tuple[str, str], dict[str, tuple[str | None, str | None]]] = {}
    records = [one for one in changes if one.kind == "record" and one.fields]
    for kind in sorted({one.type for one in records}):
        chosen = [one for one in records if one.type == kind]
        fields = sorted({field.name for one in chosen for field in one.fields})
        old = {row["Id"]: row for row in store.load_rows(before.ulid, kind, {one.key for one in chosen}, fields)}
        live = {one.live_id or one.key for one in chosen}
        new = {row["Id"]: row for row in store.load_rows(after.ulid, kind, live, fields)}
        for one in chosen:
            left, right = old.get(one.key, {}), new.get(one.live_id or one.key, {})
            found[(kind, one.key)] = {field.name: (left.get(field.name), right.get(field.name)) for field in one.fields}
    return found
