"""`rehearse baseline capture`: keep what an org holds now, or tell first what that would take."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from itertools import chain
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, not_blank, say, show
from rehearse.cli.gate import QuietGate, Wait, check_masked, expect_reading, read_wait
from rehearse.errors import Refused, UsageError

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline, Capture, Scope
    from rehearse.cli.desk import Desk
    from rehearse.reset.gates import Patience

_Sandbox = Annotated[str, typer.Argument(help="Name of the sandbox in rehearse.yaml, or `production` (only read).")]
_Name = Annotated[str | None, typer.Option(callback=not_blank, help="Name of the baseline; B1, B2, … unless given.")]
_MetadataOnly = Annotated[bool, typer.Option("--metadata-only", help="Capture no records, on purpose.")]
_MayBeEmpty = Annotated[
    list[str] | None,
    typer.Option(metavar="OBJECT", help="This object is meant to have no rows (`all`: any object). Repeatable."),
]
_Estimate = Annotated[
    bool, typer.Option("--estimate", "--dry-run", help="Show what it would read and take, and capture nothing.")
]
_Full = Annotated[bool, typer.Option("--full", help="Read everything, also what did not change since the last one.")]
_DespiteWrites = Annotated[
    bool,
    typer.Option(
        "--despite-writes",
        help="Capture although others wrote in the last 10 minutes; of production, although anything runs.",
    ),
]
_Unmasked = Annotated[
    bool, typer.Option("--unmasked", help="Capture although masking has not finished since the refresh.")
]


def capture(
    sandbox: _Sandbox,
    name: _Name = None,
    metadata_only: _MetadataOnly = False,
    allow_empty: _MayBeEmpty = None,
    estimate: _Estimate = False,
    full: _Full = False,
    wait: Wait = "0m",
    despite_writes: _DespiteWrites = False,
    unmasked: _Unmasked = False,
    as_json: Json = False,
) -> None:
    """Keep what a sandbox holds now, to put it back later.

    Reads the metadata and the records in scope of rehearse.yaml; records are stored encrypted. A later baseline of the
    same generation reads only what may have changed, and shares the rest with the one before. Exit 3 when something is
    missing from it, so that a reset to it could not be proven; 4 when the API budget is used up or the org went away:
    run it again, it goes on.

    Example: rehearse baseline capture UATFULL
    """
    from rehearse.baseline.load_ahead import ROWS, load_ahead
    from rehearse.cli.desk import open_desk

    bound = read_wait(wait)
    with open_desk() as desk:
        org = desk.name_org(sandbox)
        scope = build_scope(desk, metadata_only=metadata_only, may_be_empty=tuple(allow_empty or ()))
        called = choose_name(desk, org, name)
        if estimate or not (scope.objects or metadata_only):
            _estimate(desk, org, scope, refuse=not estimate, as_json=as_json)
            return
        import_module("rehearse.baseline.capture")  # what is needed first is there before the rest is loaded
        if scope.objects:
            load_ahead(ROWS)
        _enter(desk, org, unmasked=unmasked or not scope.objects)
        how = (called, _patience(org, bound, despite_writes=despite_writes))
        baseline, taken = take_baseline(desk, org, scope, how, full=full)
        _tell(desk, baseline, taken, as_json=as_json)


def _patience(org: str, bound: timedelta, *, despite_writes: bool) -> Patience:
    """How long to wait for quiet; nobody stops what production does, so there `despite_writes` lets all of it pass."""
    from rehearse.cli.desk import PRODUCTION
    from rehearse.reset.gates import Patience

    found = Patience(bound, strict=not despite_writes)
    if org != PRODUCTION:
        return found
    return replace(found, open=despite_writes, running=found.otherwise)


def _enter(desk: Desk, org: str, *, unmasked: bool) -> None:
    """Log in, with a key at hand for what will be read. Raises KeyUnavailable, GateClosed."""
    desk.store().keys.require_ready()
    desk.connect_at_once(org)
    check_masked(desk, org, unmasked=unmasked)


def take_baseline(
    desk: Desk, org: str, scope: Scope, how: tuple[str, Patience], *, full: bool = False
) -> tuple[Baseline, Capture]:
    """Capture an org under its lock and give the capture a name; `how` is the name, and how long to wait for quiet.

    Raises GateClosed while somebody writes to the org, Locked, OrgError and StoreError; run again it continues.
    """
    from rehearse.baseline.index import describe_capture

    name, patience = how
    taken = _capture(desk, org, scope, patience, full=full)
    baseline = describe_capture(desk.store(), taken, name)
    desk.baselines().add(baseline)
    return baseline, taken


def _capture(desk: Desk, org: str, scope: Scope, patience: Patience, *, full: bool) -> Capture:
    """Capture under the lock of the sandbox; on top of the newest baseline of this generation unless `full`."""
    from rehearse.baseline.capture import CaptureRequest
    from rehearse.baseline.capture import capture as take
    from rehearse.cli import progress
    from rehearse.cli.leftovers import tell_of_leftovers
    from rehearse.errors import Damaged, KeyUnavailable
    from rehearse.lock import hold

    for sentence in desk.workspace.not_acted_on:
        say(f"note: {sentence}")
    desk.store().keys.require_ready()
    with hold(desk.database, org, "baseline capture", desk.fetch_now()), progress.shown() as on_event:
        reader = desk.connect_org(org)
        tell_of_leftovers(desk, org, reader.org_id)
        past = load_past(desk, reader.org_id)
        last = next(past, None)
        request = CaptureRequest(
            org, scope, gate=QuietGate(reader, scope, patience, expect_reading(last) if last else None, on_event)
        )
        base = None if full or last is None else _find_base(desk, chain([last], past), scope)
        if base is not None:
            try:
                return take(reader, replace(request, base=base), desk.store(), on_event)
            except (Damaged, KeyUnavailable) as error:
                say(f"note: {error.message} Reading everything instead.")
        return take(reader, request, desk.store(), on_event)


def load_past(desk: Desk, org_id: str) -> Iterator[Capture]:
    """The captures of the baselines of this generation whose manifests are here as recorded, newest first."""
    from rehearse.baseline.index import check_is_here
    from rehearse.baseline.manifest import MANIFEST
    from rehearse.baseline.writing import file_sha256
    from rehearse.errors import NotFound, StoreError

    store = desk.store()
    for one in reversed(desk.baselines().load()):
        if one.org_id == org_id:
            try:
                check_is_here(one, desk.workspace.storage.folder)
                found = store.load(one.capture)
                if file_sha256(store.folder(one.capture) / MANIFEST) == one.manifest_sha256:  # else another's word
                    yield found
            except (StoreError, NotFound):
                continue


def _find_base(desk: Desk, past: Iterable[Capture], scope: Scope) -> Capture | None:
    """The newest usable capture of this generation, with its key; one with rows where rows are asked for."""
    keys = desk.store().keys
    usable = (one for one in past if one.verdict == "usable" and keys.has(one.ulid))
    return next((one for one in usable if one.objects or not scope.objects), None)


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


def _tell(desk: Desk, baseline: Baseline, taken: Capture, *, as_json: bool) -> None:
    """Show what was taken, with what needs a look, and say where all of it is and what to do next."""
    from rehearse.cli.proof import load_carried
    from rehearse.report.baselines import build_baseline_body, build_capture_page

    carried = load_carried(desk, baseline)
    page = build_capture_page(baseline, taken, desk.workspace.zone, carried)
    finish("baseline", desk.fetch_now(), build_baseline_body(baseline, taken, carried), page, as_json=as_json)
    if not as_json:
        say(f"See all of it: rehearse baseline show {quote(baseline.name)} --sandbox {quote(baseline.sandbox)}")
    _say_next(baseline, taken)


def _say_next(baseline: Baseline, taken: Capture) -> None:
    """What to do with the new baseline, on stderr; end with 3 where it cannot be relied on."""
    if taken.verdict == "usable":
        if baseline.sandbox != "production":
            say(f"After the rehearsal: rehearse diff {baseline.sandbox}")
        else:
            say("What takes a release back to it: rehearse backout plans/RELEASE.yaml")
        return
    again = f"rehearse baseline capture {baseline.sandbox}"
    hints = [f"hint: {one}" for one in _what_is_missing(taken)]
    counts = {one.object: one.rows for one in taken.objects}
    empty = [one for one in taken.hollow if counts.get(one) == 0]
    if empty:
        flags = " ".join(f"--allow-empty {one}" for one in empty)
        hints.append(f"hint: Where no rows are as it should be: {again} {flags}")
    else:
        hints.append(f"Then capture again: {again}")
    for one in hints:
        say(one)
    raise typer.Exit(3)


def _what_is_missing(taken: Capture) -> list[str]:
    """What to do about each class of what a capture lacks."""
    states = {one.state for one in taken.coverage}
    told = {
        "unreadable": "What is unreadable: give the login a permission set that reads it, or leave its object out.",
        "not-retrieved": "What was not retrieved: try again, or leave its type out (scope.metadata.exclude).",
    }
    said = [text for state, text in told.items() if state in states]
    return said or ["See above what is missing or kept changing."]


def choose_name(desk: Desk, sandbox: str, name: str | None) -> str:
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
    from rehearse.report.baselines import build_estimate_body, build_estimate_page, name_proposed

    reader = desk.connect_org(name)
    found = fetch_estimate(reader, scope, list(load_past(desk, reader.org_id)))
    if not refuse:
        body = build_estimate_body(found, name)
        then = "" if found.proposed else f"rehearse baseline capture {name}"
        finish("estimate", desk.fetch_now(), body, build_estimate_page(found, name), as_json=as_json, then=then)
        return
    if not as_json:  # scripts read one object, and that is the refusal
        show(build_estimate_page(found, name))
    raise Refused(
        f"rehearse.yaml puts no records in scope, so a baseline of {name} could not bring one back.",
        f"Name objects under scope.records.include, for example [{name_proposed(found)}], or use --metadata-only.",
    )
