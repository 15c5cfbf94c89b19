"""`rehearse diff`: what differs between a sandbox now and its baseline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, not_blank, say
from rehearse.cli.output import Form, check_output, render_page, write_output
from rehearse.errors import GenerationChanged, NotFound, UsageError

if TYPE_CHECKING:
    from rehearse.baseline.left_filter import Comparison
    from rehearse.baseline.model import Baseline, Capture, Change
    from rehearse.cli.desk import Desk
    from rehearse.events import OnEvent
    from rehearse.report.diff import Difference, Values
    from rehearse.report.view import Page


_FEW = 5
_Every = Annotated[bool, typer.Option("--all", help="Show every component and record, not only a few of each type.")]


def diff(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml, or `production` (only read).")],
    baseline: Annotated[
        str | None, typer.Option(callback=not_blank, help="Baseline to compare with; the newest unless given.")
    ] = None,
    every: _Every = False,
    values: Annotated[bool, typer.Option("--values", help="Show record values, not only field names.")] = False,
    form: Annotated[Form, typer.Option("--format", help="What to write.")] = Form.text,
    output: Annotated[
        Path | None, typer.Option(help="File to write, with every change; readable by you alone.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what changed in a sandbox since its baseline.

    Reads the sandbox again, in exactly the scope of the baseline, and keeps nothing of it. A summary comes first, then
    each component and record. Exit 3 when anything differs.

    Example: rehearse diff UATFULL --format html --output diff.html
    """
    from rehearse.cli.desk import PRODUCTION, open_desk
    from rehearse.report.diff import build_diff_body, build_diff_page

    if as_json and form is not Form.text:
        raise UsageError("--json and --format say two things.", "Leave out one of the two.")
    check_output(output)
    with open_desk() as desk:
        base = find_baseline(desk, desk.name_org(sandbox), baseline)
        _tell_who_works(desk, base)
        found = _compare(desk, base, values=values)
        page = build_diff_page(found, None if every or output or form is Form.html else _FEW)
        if output is None and form is Form.text:
            page = replace(page, title="")
            finish("diff", desk.fetch_now(), build_diff_body(found), page, as_json=as_json)
        else:
            _put(_render(desk, None if as_json else form, page, build_diff_body(found)), output)
    if found.changes:
        if base.sandbox != PRODUCTION:
            say(f"To undo this: rehearse reset plan {base.sandbox}")
        raise typer.Exit(3)


def _tell_who_works(desk: Desk, base: Baseline) -> None:
    """A comparison takes no lock, and shows what a reset has not put back, be it under way or broken off."""
    from rehearse.cli.leftovers import tell_of_leftovers
    from rehearse.lock import is_dead, load_locks

    works = [one for one in load_locks(desk.database) if one.sandbox == base.sandbox and not is_dead(one)]
    for one in works:
        say(f"note: {one.who} on {one.host} is at work in {one.sandbox} ({one.what}): what differs may be gone soon.")
    if not works:
        tell_of_leftovers(desk, base.sandbox, base.org_id)


def _compare(desk: Desk, base: Baseline, *, values: bool) -> Difference:
    """Capture the sandbox, compare, and look up what only the org can tell."""
    from rehearse.baseline.compare import compare
    from rehearse.baseline.flow_notes import load_flow_notes
    from rehearse.baseline.left_filter import Comparison, recheck_filtered
    from rehearse.baseline.part_authors import with_authors
    from rehearse.baseline.schema_changes import compare_schemas
    from rehearse.cli import progress
    from rehearse.report.diff import Difference
    from rehearse.reset.gather import fetch_schemas
    from rehearse.reset.id_map import IdMap
    from rehearse.reset.people import fetch_names

    with progress.shown() as on_event, _live(desk, base, on_event) as (before, after):
        store, reader = desk.store(), desk.connect_org(base.sandbox)
        ids = IdMap(desk.database, base.org_id).load()
        of = Comparison(reader, store, before, after, ids)
        changes = with_authors(reader, recheck_filtered(of, compare(store, before, after, ids)))
        return Difference(
            base.sandbox,
            base.name,
            changes,
            load_values(of, changes) if values else {},
            compare_schemas(before, fetch_schemas(reader, before, after)),
            load_flow_notes(store, before, after, changes),
            fetch_names(reader, [one.by for one in changes if one.kind == "record"]),
            before.started,
        )


def _render(desk: Desk, form: Form | None, page: Page, body: dict[str, object]) -> str:
    """The page in its form, or the answer for scripts where there is none."""
    now = desk.fetch_now()
    if form is not None:
        return render_page(form, page, now, desk.workspace.zone)
    from rehearse.report.json import render_answer

    return render_answer("diff", now, body) + "\n"


def _put(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_output(output, text.encode(), 0o600)


def find_baseline(desk: Desk, sandbox: str, name: str | None) -> Baseline:
    """The named baseline of a sandbox, or the newest that can be gone back to; raises NotFound with what to do.

    What is wrong with it is said.
    """
    from rehearse.baseline.index import pick_newest
    from rehearse.cli.baseline_unlisted import tell_of_unlisted

    if name:
        return _told(desk.baselines().find(name, sandbox))
    known = desk.baselines().load(sandbox)
    if not known:
        tell_of_unlisted(desk, sandbox)
        raise NotFound(
            f"There is no baseline of {sandbox}.", f"Capture one with `rehearse baseline capture {sandbox}`."
        )
    found = pick_newest(known)
    if found.name != known[-1].name:
        why = "is hollow" if known[-1].verdict == "hollow" else "has no records any more"
        say(f"note: The newest baseline, {known[-1].name}, {why}; this is against {found.name}.")
    return _told(found)


def _told(base: Baseline) -> Baseline:
    if base.verdict != "usable":
        say(f"note: Baseline {base.name} is {base.verdict}: what it lacks is not compared, and nothing can be proven.")
    return base


def check_generation(base: Baseline, org_id: str) -> None:
    """Raise GenerationChanged when a sandbox is no longer the org that its baseline was taken of."""
    if base.org_id != org_id:
        raise GenerationChanged(
            f"{base.sandbox} was refreshed since baseline {base.name}: its org id was {base.org_id}, now {org_id}.",
            f"The baseline is void. Capture a new one with `rehearse baseline capture {base.sandbox}`.",
        )


@contextmanager
def _live(desk: Desk, base: Baseline, on_event: OnEvent) -> Iterator[tuple[Capture, Capture]]:
    """The baseline's capture and a fresh one in its frozen scope, which is destroyed at the end of the block."""
    from rehearse.cli.baseline_check import check_baseline
    from rehearse.reset.live_capture import capture_live

    reader = desk.connect_org(base.sandbox)
    check_generation(base, reader.fetch_identity().org_id)
    before = check_baseline(desk, base, deep=False)
    store = desk.store()
    after = capture_live(reader, store, before, on_event)
    try:
        yield before, after
    finally:
        store.drop(after.ulid)


def load_values(of: Comparison, changes: Sequence[Change]) -> Values:
    """The values of the changed fields of records, from the encrypted parts of both captures.

    Those of a row that left the filter are in no capture: they are read from the org.
    """
    from rehearse.baseline.canonical import value_text
    from rehearse.baseline.left_filter import LEFT

    found: dict[tuple[str, str], dict[str, tuple[str | None, str | None]]] = {}
    records = [one for one in changes if one.kind == "record" and one.fields]
    for kind in sorted({one.type for one in records}):
        chosen = [one for one in records if one.type == kind]
        fields = sorted({field.name for one in chosen for field in one.fields})
        rows = of.store.load_rows(of.before.ulid, kind, {one.key for one in chosen}, fields)
        old = {str(row["Id"]): row for row in rows}
        live = {one.live_id or one.key for one in chosen}
        new = {str(row["Id"]): row for row in of.store.load_rows(of.after.ulid, kind, live, fields)}
        left = [one.live_id or one.key for one in chosen if one.note == LEFT]
        for id, row in of.reader.fetch_by_ids(kind, left, fields).items() if left else ():
            new[id] = {name: value_text(value) for name, value in row.items()}
        for one in chosen:
            before, after = old.get(one.key, {}), new.get(one.live_id or one.key, {})
            found[(kind, one.key)] = {
                field.name: (before.get(field.name), after.get(field.name)) for field in one.fields
            }
    return found
