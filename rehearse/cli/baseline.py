"""`rehearse baseline capture | list | show | verify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, not_blank, say
from rehearse.cli.gate import Wait, check_quiet, read_wait
from rehearse.errors import Refused, UsageError

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline, Capture, Scope
    from rehearse.cli.desk import Desk
    from rehearse.events import OnEvent
    from rehearse.org.reader import OrgReader
    from rehearse.reset.gates import Patience

app = typer.Typer(help="Capture, list, show and verify baselines.", no_args_is_help=True, rich_markup_mode=None)


_Name = Annotated[str | None, typer.Option(callback=not_blank, help="Name of the baseline; B1, B2, … unless given.")]
_MayBeEmpty = Annotated[
    list[str] | None,
    typer.Option(metavar="OBJECT", help="This object is meant to have no rows (`all`: any object). Repeatable."),
]
_Of = Annotated[
    str | None, typer.Option(callback=not_blank, help="Sandbox, where several have a baseline of this name.")
]


@app.command()
def capture(
    sandbox: Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml, or `production` (only read).")],
    name: _Name = None,
    metadata_only: Annotated[bool, typer.Option("--metadata-only", help="Capture no records, on purpose.")] = False,
    allow_empty: _MayBeEmpty = None,
    estimate: Annotated[
        bool, typer.Option("--estimate", "--dry-run", help="Show what it would read and take, and capture nothing.")
    ] = False,
    wait: Wait = "0m",
    despite_writes: Annotated[
        bool, typer.Option("--despite-writes", help="Capture although others wrote in the last 10 minutes.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Keep what a sandbox holds now, to put it back later.

    Reads the metadata and the records in scope of rehearse.yaml; records are stored encrypted. Exit 3 when something
    is missing from it, so that a reset to it could not be proven; 4 when the API budget is used up: run it again later.

    Example: rehearse baseline capture UATFULL
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.baselines import build_baseline_body, build_baseline_page
    from rehearse.reset.gates import Patience

    patience = Patience(read_wait(wait), strict=not despite_writes)
    with open_desk() as desk:
        org = desk.name_org(sandbox)
        scope = build_scope(desk, metadata_only=metadata_only, may_be_empty=tuple(allow_empty or ()))
        called = _new_name(desk, org, name)
        if estimate or not (scope.objects or metadata_only):
            _estimate(desk, org, scope, refuse=not estimate, as_json=as_json)
            return
        taken = _capture(desk, org, scope, patience)
        baseline = add_to_index(desk, taken, called)
        page = build_baseline_page(baseline, taken, desk.workspace.zone)
        finish("baseline", desk.fetch_now(), build_baseline_body(baseline, taken), page, as_json=as_json)
        _say_next(baseline, taken)


def _capture(desk: Desk, org: str, scope: Scope, patience: Patience) -> Capture:
    from rehearse.baseline.capture import CaptureRequest
    from rehearse.baseline.capture import capture as take
    from rehearse.cli import progress
    from rehearse.lock import hold

    for sentence in desk.workspace.not_acted_on:
        say(f"note: {sentence}")
    with hold(desk.database, org, "baseline capture", desk.fetch_now()), progress.shown() as on_event:
        reader = desk.connect_org(org)
        _check_quiet(desk, reader, scope, patience, on_event)
        return take(reader, CaptureRequest(org, scope), desk.store(), on_event)


@app.command("list")
def list_(
    sandbox: Annotated[str, typer.Argument(help="Only the baselines of this sandbox.")] = "", as_json: Json = False
) -> None:
    """List the baselines.

    Example: rehearse baseline list
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.baselines import build_baseline_body, build_baseline_list

    with open_desk() as desk:
        found = desk.baselines().load(desk.name_org(sandbox) if sandbox else None)
        body = {"baselines": [build_baseline_body(one, None) for one in found]}
        finish("baselines", desk.fetch_now(), body, build_baseline_list(found, desk.workspace.zone), as_json=as_json)


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="Name, or the start of a snapshot or capture id.")],
    sandbox: _Of = None,
    as_json: Json = False,
) -> None:
    """Show what a baseline covers, and what it does not.

    Example: rehearse baseline show B1 --sandbox UATFULL
    """
    from rehearse.baseline.index import check_is_here
    from rehearse.cli.desk import open_desk
    from rehearse.report.baselines import build_baseline_body, build_baseline_page

    with open_desk() as desk:
        found = desk.baselines().find(name, sandbox)
        check_is_here(found, desk.workspace.storage.folder)
        taken = desk.store().load(found.capture)
        page = build_baseline_page(found, taken, desk.workspace.zone)
        finish("baseline", desk.fetch_now(), build_baseline_body(found, taken), page, as_json=as_json)


@app.command()
def verify(
    name: Annotated[str, typer.Argument(help="Name, or the start of a snapshot or capture id.")] = "",
    sandbox: _Of = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decrypt every row and recompute every digest.")] = False,
    proof: Annotated[Path | None, typer.Option(help="Verify a proof file instead, offline.")] = None,
    as_json: Json = False,
) -> None:
    """Check that a baseline, or a proof, is as it was written.

    Without --deep the digests of all files are checked; with --proof the signature of a proof file, without any org.

    Example: rehearse baseline verify B1 --deep
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.baselines import build_baseline_body
    from rehearse.report.view import Page, Paragraph

    if bool(name) == bool(proof):
        raise UsageError("Give the name of a baseline or --proof FILE, one of the two.", "See --help.")
    with open_desk() as desk:
        if proof is not None:
            from rehearse.cli.proof import show_proof

            show_proof(desk, proof, as_json=as_json)
            return
        found = desk.baselines().find(name, sandbox)
        taken = check_baseline(desk, found, deep=deep)
        what = "every row and component was read and its digest recomputed" if deep else "the digests of all files hold"
        page = Page("", (Paragraph(f"Baseline {found.name} of {found.sandbox} is whole: {what}.", "good"),))
        body = {**build_baseline_body(found, taken), "whole": True, "deep": deep}
        finish("baseline", desk.fetch_now(), body, page, as_json=as_json)


def check_baseline(desk: Desk, found: Baseline, *, deep: bool) -> Capture:
    """Verify the files of a baseline and that they are those of the index. Raises Damaged, StoreError."""
    import hashlib

    from rehearse.baseline.index import check_is_here
    from rehearse.baseline.verify import verify_capture
    from rehearse.errors import Damaged

    store = desk.store()
    check_is_here(found, desk.workspace.storage.folder)
    taken = verify_capture(store, found.capture, deep=deep)
    written = hashlib.sha256((store.folder(found.capture) / "manifest.json").read_bytes()).hexdigest()
    if written != found.manifest_sha256:
        raise Damaged(
            f"The manifest of baseline {found.name} is not the one that was recorded.",
            "Take a new baseline; do not reset to this one.",
        )
    return taken


def build_scope(desk: Desk, *, metadata_only: bool = False, may_be_empty: tuple[str, ...] = ()) -> Scope:
    """The scope of rehearse.yaml as the baseline room understands it; raises UsageError for a name outside it."""
    from rehearse.baseline.model import Scope

    asked = desk.workspace.scope
    for name in may_be_empty:
        if name != "all" and name not in asked.objects:
            raise UsageError(
                f"--allow-empty {name}: scope.records.include of rehearse.yaml names no object {name!r}.",
                f"Named there: {', '.join(asked.objects) or 'none'}.",
            )
    return Scope(
        metadata_include=asked.metadata_include,
        metadata_exclude=asked.metadata_exclude,
        objects=() if metadata_only else asked.objects,
        objects_exclude=asked.objects_exclude,
        where=dict(asked.where),
        files=asked.files,
        may_be_empty=may_be_empty,
    )


def _check_quiet(desk: Desk, reader: OrgReader, scope: Scope, patience: Patience, on_event: OnEvent) -> None:
    """The quiet gate before a capture, which is expected to take half as long again as the last one of this org."""
    from rehearse.baseline.scope import match_objects
    from rehearse.reset.gates import RECENT

    past = [one for one in desk.store().load_all() if one.org_id == reader.org_id]
    long = max(RECENT, (past[-1].ended - past[-1].started) * 1.5) if past else RECENT
    check_quiet(
        reader, match_objects(scope, reader.fetch_objects()), patience, reader.fetch_server_time() + long, on_event
    )


def _say_next(baseline: Baseline, taken: Capture) -> None:
    """What to do with the new baseline, on stderr; end with 3 where it cannot be relied on."""
    if taken.verdict == "usable":
        if baseline.sandbox != "production":
            say(f"After the rehearsal: rehearse diff {baseline.sandbox}")
        return
    counts = {one.object: one.rows for one in taken.objects}
    empty = [one for one in taken.hollow if counts.get(one) == 0]
    if empty:
        flags = " ".join(f"--allow-empty {one}" for one in empty)
        say(f"hint: Where no rows are as it should be: rehearse baseline capture {baseline.sandbox} {flags}")
    else:
        say("hint: See what is missing in the tables above; mend it, or leave it out of the scope, and capture again.")
    raise typer.Exit(3)


def add_to_index(desk: Desk, taken: Capture, name: str) -> Baseline:
    """Give a capture a name in the index."""
    import hashlib
    import socket

    from rehearse.baseline.model import Baseline

    store = desk.store()
    baseline = Baseline(
        name=name,
        sandbox=taken.sandbox,
        org_id=taken.org_id,
        capture=taken.ulid,
        snapshot_id=taken.snapshot_id,
        taken_at=taken.started,
        records=taken.record_count,
        components=taken.component_count,
        bytes=store.size(taken.ulid),
        verdict=taken.verdict,
        host=socket.gethostname(),
        store=str(desk.workspace.storage.folder.resolve()),
        manifest_sha256=hashlib.sha256((store.folder(taken.ulid) / "manifest.json").read_bytes()).hexdigest(),
    )
    desk.baselines().add(baseline)
    return baseline


def _new_name(desk: Desk, sandbox: str, name: str | None) -> str:
    """The given name, checked before hours of reading; else B1, B2, …: the first that the sandbox has not."""
    if name:
        desk.baselines().check_new_name(sandbox, name)
        return name
    taken = {one.name for one in desk.baselines().load(sandbox)}
    number = 1
    while f"B{number}" in taken:
        number += 1
    return f"B{number}"


def _estimate(desk: Desk, name: str, scope: Scope, *, refuse: bool, as_json: bool) -> None:
    """Tell what a capture would take; without records in scope, refuse and propose the objects that hold rows."""
    from rehearse.baseline.estimate import fetch_estimate
    from rehearse.report.baselines import build_estimate_body, build_estimate_page

    reader, store = desk.connect_org(name), desk.store()
    past = [one for one in store.load_all() if one.org_id == reader.org_id]
    found = fetch_estimate(reader, scope, past)
    body = build_estimate_body(found, name)
    finish("estimate", desk.fetch_now(), body, build_estimate_page(found, name), as_json=as_json and not refuse)
    if refuse:
        raise Refused(
            f"rehearse.yaml puts no records in scope, so a baseline of {name} could not bring one back.",
            "Name objects under scope.records.include (the table proposes some), or use --metadata-only.",
        )
