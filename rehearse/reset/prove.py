"""The proof after a reset: capture again, compare with the baseline, and grade every change that ever was.

It believes nothing that apply said about the org: what counts is what a fresh capture shows. The report of apply only
explains (restored by us, refused, somebody's edit). `clean` needs an empty comparison and no residue; a re-inserted row
is always a residue, because its Id is not the one that it had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rehearse.baseline.manifest import MANIFEST
from rehearse.baseline.model import Capture, Change
from rehearse.baseline.part_authors import with_authors
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.writing import file_sha256
from rehearse.events import Noted, OnEvent, ignore
from rehearse.ids import build_ulid
from rehearse.org.connect import OrgReader
from rehearse.reset.assumptions import BY_STAMP, OLDER_RULES, list_unconfirmed
from rehearse.reset.bypass_proof import fetch_bypass_items
from rehearse.reset.cut_off import list_cut_off
from rehearse.reset.gather import GatherRequest, gather
from rehearse.reset.grading import Evidence, grade_changes, place_of
from rehearse.reset.inputs import PlanInputs
from rehearse.reset.live_capture import capture_live
from rehearse.reset.made_again import with_made_again
from rehearse.reset.model import Allowed, ApplyReport, Proof, ProofItem, ResetPlan, Settled, Verdict
from rehearse.reset.outside import count_outside
from rehearse.reset.people import fetch_names, user_ids, with_names
from rehearse.reset.pictures import list_pictures
from rehearse.reset.remade_flows import with_remade_flows
from rehearse.reset.row_marks import hides_rows
from rehearse.reset.setup_changes import fetch_setup_changes
from rehearse.reset.stillness import find_moved
from rehearse.reset.uncompared import first_second, list_installed, list_reowned, list_uncompared

MOST_LOOKS = 3
"""So often is an org looked at that does not stand still; then no statement covers it."""


@dataclass(frozen=True)
class ProofRequest:
    """What to prove: that `before` is what the sandbox holds. `plan` and `report` explain what was done, if anything.

    `ids` is the generation's id map; `now` is when the proof is made; `egress` is what was let out meanwhile;
    `answers` is what drills settled for this production; `full`: read every row, also those whose stamps are older than
    the baseline; `carried`: residue that was accepted before this baseline was taken; `busy`: what the quiet gate let
    pass, in sentences: the proof holds if nobody goes on from there.
    """

    baseline: str
    before: Capture
    now: datetime
    plan: ResetPlan | None = None
    report: ApplyReport | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    egress: tuple[Allowed, ...] = ()
    answers: Mapping[str, Settled] = field(default_factory=dict)
    full: bool = False
    carried: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()


def prove(reader: OrgReader, store: CaptureStore, request: ProofRequest, on_event: OnEvent = ignore) -> Proof:
    """The proof for a sandbox as it is now. Raises GenerationChanged, Damaged, OrgError; never guesses a grade."""
    base = None if request.full else request.before
    for number in range(1, MOST_LOOKS + 1):
        live = capture_live(reader, store, request.before, on_event, base)
        proof, base = _prove(reader, store, request, live), live
        moved = find_moved(reader, store, live)
        if not moved:
            return proof
        if number < MOST_LOOKS:
            on_event(Noted(f"Something was written while the proof was made; looking again ({moved[0]})."))
    unread = tuple(sorted({*proof.not_compared, *moved}))
    return replace(proof, not_compared=unread, verdict="dirty" if proof.verdict == "dirty" else "partial")


def _prove(reader: OrgReader, store: CaptureStore, request: ProofRequest, live: Capture) -> Proof:
    """The proof by one capture of the sandbox."""
    gathered = gather(
        reader,
        store,
        GatherRequest(request.before.sandbox, request.baseline, request.before, live, request.now, request.ids),
    )
    gathered = replace(gathered, changes=with_authors(reader, gathered.changes))
    user_id = reader.fetch_identity().user_id
    since = store.load(request.plan.live_capture).started if request.plan else None
    items = _with_people(reader, grade_changes(Evidence(gathered, request.plan, request.report, user_id, since)))
    items = with_made_again(store, (request.before, live), items, request.plan)
    items = with_remade_flows(reader, store, request.before, items) + _switches(reader, request)
    proof = _build(store, request, gathered, items)
    changes, unasked = fetch_setup_changes(reader, first_second(request.before))
    told = {*list_uncompared(reader, request.before, live), *list_reowned(request.before, request.plan)}
    told |= {*list_installed(store, request.before, live)}
    told |= {*list_cut_off(request.before, gathered.schemas, gathered.ids), *list_pictures(request.plan)}
    uncounted: list[str] = []
    outside = count_outside(reader, request.before, uncounted)
    unread = tuple(sorted({*told, *uncounted, *([unasked] if unasked else [])}))
    return replace(proof, outside_scope=outside, setup_changes=changes, not_compared=unread)


def _switches(reader: OrgReader, request: ProofRequest) -> tuple[ProofItem, ...]:
    """What silenced the org's automation while the reset wrote, and whether it is as it was."""
    if request.report is None or not request.report.silenced:
        return ()
    planned = {(one.type, one.key) for one in request.plan.actions} if request.plan else set()
    return fetch_bypass_items(reader, request.report.silenced, planned)


def _with_people(reader: OrgReader, items: tuple[ProofItem, ...]) -> tuple[ProofItem, ...]:
    """The items with names in place of the Ids of users."""
    names = fetch_names(reader, user_ids(text for one in items for text in (one.by, one.detail)))
    return tuple(replace(one, by=with_names(one.by, names), detail=with_names(one.detail, names)) for one in items)


def _build(store: CaptureStore, request: ProofRequest, gathered: PlanInputs, items: tuple[ProofItem, ...]) -> Proof:
    """The proof but for what changed outside its scope."""
    before, plan, live = request.before, request.plan, gathered.after
    digests = {
        "baseline_manifest": file_sha256(store.folder(before.ulid) / MANIFEST),
        "live_manifest": file_sha256(store.folder(live.ulid) / MANIFEST),
    }
    if plan is not None:
        digests["plan"] = plan.fingerprint
    return Proof(
        id=build_ulid(request.now),
        sandbox=before.sandbox,
        org_id=before.org_id,
        baseline=request.baseline,
        baseline_snapshot=before.snapshot_id,
        live_snapshot=live.snapshot_id,
        plan=None if plan is None else plan.id,
        at=request.now,
        verdict=find_verdict(items, gathered.changes, before, live),
        items=items,
        counts=dict(sorted(Counter(one.outcome for one in items).items())),
        scope=_scope(before),
        outside_scope={},
        assumptions=_assumptions(request, live),
        digests=digests,
        ids=dict(gathered.ids),
        egress=request.egress,
        carried=request.carried,
    )


def _scope(before: Capture) -> dict[str, tuple[str, ...]]:
    """What the verdict speaks of, by name; a filter, where there is one, as it was frozen."""
    objects = before.scope.objects
    filters = tuple(f"{one.name}: {one.where}" for one in objects if one.where)
    named = {"types": before.scope.types, "objects": tuple(one.name for one in objects)}
    return {**named, "filters": filters} if filters else named


def _assumptions(request: ProofRequest, live: Capture) -> tuple[str, ...]:
    """What nobody has confirmed and the proof rests on: open facts, stamps, and that others have stopped writing."""
    going_on = (f"nobody goes on with this after the proof: {one}" for one in request.busy)
    older = (OLDER_RULES,) if request.before.canonicaliser != live.canonicaliser else ()
    return (*list_unconfirmed(request.answers), *(() if request.full else (BY_STAMP,)), *older, *going_on)


def find_verdict(items: tuple[ProofItem, ...], changes: tuple[Change, ...], before: Capture, live: Capture) -> Verdict:
    """clean: nothing differs and nothing is residue · clean-with-residue: only named residue · partial: a capture is
    incomplete or hides rows, so that no statement covers the scope · dirty: anything else."""
    if before.verdict != "usable" or live.verdict != "usable" or hides_rows(before) or hides_rows(live):
        return "partial"
    outcomes = {one.outcome for one in items}
    explained = {(one.type, one.key) for one in items if one.outcome == "residue"}
    if outcomes - {"restored", "already equal", "residue"}:
        return "dirty"
    if any(place_of(one) not in explained for one in changes):
        return "dirty"
    return "clean-with-residue" if "residue" in outcomes else "clean"
