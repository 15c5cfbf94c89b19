"""Reset plans and proofs as pages. Keys, field names and grades; never a record value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.report.view import Cell, Page, Paragraph, Rows, Table, Tone, build_table
from rehearse.reset.model import Allowed, Proof, ProofItem, ResetPlan

_TONES: dict[str, Tone] = {
    "restored": "good",
    "already equal": "good",
    "residue": "warn",
    "manual": "bad",
    "impossible": "bad",
    "failed": "bad",
    "changed by someone else": "bad",
    "exact": "good",
    "unknown": "warn",
}
_SHOWN = 40
_NAMED = 6


def build_plan_page(plan: ResetPlan) -> Page:
    """What a reset would do, counted by phase, and what it cannot undo."""
    counted = Counter((one.phase, one.do, one.type, one.grade) for one in plan.actions)
    rows: Rows = [
        [str(phase), do, kind, f"{count:,}", Cell(grade, _TONES[grade])]
        for (phase, do, kind, grade), count in sorted(counted.items())
    ]
    title = f"Reset plan {plan.id[:8]} for {plan.sandbox}, back to baseline {plan.baseline}"
    blocks: list[Table | Paragraph] = [
        build_table(title, ["phase", "do", "type", "count", "grade"], rows, right=(0, 3), empty="nothing to undo")
    ]
    blocks += _nearly(plan)
    if plan.blocked:
        blocks.append(_blocked(plan))
        if any(one.grade == "impossible" for one in plan.blocked):
            burned = f"What is impossible burns {plan.sandbox}: it stays until a refresh."
            blocks.append(Paragraph(f"{burned} When may it be? rehearse refresh check {plan.sandbox}", "bad"))
    if plan.created:
        made: Rows = [
            [one.by, one.type, f"{one.count:,}", Cell("stays", "warn") if one.stay else "deleted"]
            for one in plan.created
        ]
        title = "Rows, and values in added fields, that the baseline does not have, by who wrote them"
        blocks.append(build_table(title, ["by", "type", "rows", "plan"], made, right=(2,)))
    if plan.actions:  # a plan that writes nothing touches no switch
        blocks += [Paragraph(f"bypass while it writes: {one}", "faint") for one in plan.bypass]
    blocks += _let_out("let out", plan.egress)
    blocks += [Paragraph(f"warning: {one}", "warn") for one in plan.warnings]
    return Page("", tuple(blocks))


def _let_out(head: str, allowed: Sequence[Allowed], *, whole: bool = False) -> list[Paragraph]:
    """What was let through, a line a reason."""
    reasons: dict[str, list[str]] = {}
    for one in allowed:
        reasons.setdefault(one.reason, []).append(one.name)
    most = {reason: len(names) if whole else _SHOWN for reason, names in reasons.items()}
    return [Paragraph(f"{head}: {_listed(names, most[one])} ({one})", "warn") for one, names in reasons.items()]


def _listed(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def _nearly(plan: ResetPlan) -> list[Table | Paragraph]:
    """What does not come back exactly, and why; what an undelete leaves open is told although it is exact as a rule."""
    counted = Counter((one.type, one.do, one.grade, one.reason) for one in plan.actions if one.grade != "exact")
    rows: Rows = [
        [kind, do, f"{count:,}", Cell(grade, _TONES[grade]), reason]
        for (kind, do, grade, reason), count in sorted(counted.items())
    ]
    undeleted = Counter(one.reason for one in plan.actions if (one.do, one.grade) == ("undelete", "exact"))
    told = [Paragraph(f"{count:,} row(s) {reason}.", "faint") for reason, count in undeleted.items() if reason]
    columns = ["type", "do", "count", "grade", "reason"]
    return [*([build_table("Comes back only nearly", columns, rows, right=(2,))] if rows else []), *told]


def _blocked(plan: ResetPlan) -> Table:
    """What the plan leaves, one by one; where that would be many, those of one kind and reason are counted together."""
    same: dict[tuple[str, str, str], list[str]] = {}
    for one in plan.blocked:
        same.setdefault((one.type, one.grade, one.reason), []).append(one.key)
    lines: Rows = []
    for (kind, grade, reason), keys in same.items():
        many = len(plan.blocked) > _SHOWN and len(keys) > 1
        for key in [f"{len(keys):,} of them, as {keys[0]}"] if many else keys:
            lines.append([kind, key, Cell(grade, _TONES[grade]), reason])
    return build_table("Not undone by this plan", ["type", "key", "grade", "reason"], lines)


def build_proof_page(proof: Proof, zone: ZoneInfo, *, whole: bool = False) -> Page:
    """The verdict, what became of each change, and what the verdict rests on; `whole`: every item, and the digests."""
    tone: Tone = {"clean": "good", "clean-with-residue": "warn"}.get(proof.verdict, "bad")  # type: ignore[assignment]
    accepted = f", accepted by {proof.accepted_by}: {proof.accept_reason}" if proof.accepted_by else ""
    head = f"{proof.sandbox} is {proof.verdict.upper()} against baseline {proof.baseline}{accepted}"
    blocks: list[Table | Paragraph] = [Paragraph(f"{head}. Proven {clock.show(proof.at, zone)}.", tone)]
    rows: Rows = [
        [Cell(name, _TONES.get(name, "plain")), f"{count:,}"] for name, count in proof.counts.items() if count
    ]
    blocks.append(build_table("What became of each change", ["outcome", "items"], rows, right=(1,), empty="no change"))
    blocks += _notable(proof, whole=whole)
    scope = ", ".join(f"{len(names)} {kind}" for kind, names in sorted(proof.scope.items()) if kind != "filters")
    blocks.append(
        Paragraph(
            f"Scope: {scope}. Snapshot of the baseline {proof.baseline_snapshot[:12]}, now {proof.live_snapshot[:12]}."
        )
    )
    blocks += [Paragraph(f"Only the rows that a filter chose: {one}", "warn") for one in proof.scope.get("filters", ())]
    if proof.outside_scope:
        outside = ", ".join(f"{name} {count:,}" for name, count in proof.outside_scope.items())
        blocks.append(Paragraph(f"Changed outside the scope, not covered by this verdict: {outside}.", "warn"))
    if proof.setup_changes:
        seen = proof.setup_changes if whole else proof.setup_changes[:_SHOWN]
        entries: Rows = [[one.by, one.section, one.action, f"{one.count:,}"] for one in seen]
        title = "Setup since the baseline, by the org's audit trail"
        blocks.append(build_table(title, ["by", "section", "action", "entries"], entries, right=(3,)))
        if len(seen) < len(proof.setup_changes):
            more = f"… and {len(proof.setup_changes) - len(seen):,} more lines: see --json."
            blocks.append(Paragraph(more, "faint"))
    blocks += [Paragraph(f"accepted before this baseline was taken: {one}", "faint") for one in proof.carried]
    blocks += _let_out("let out while it wrote", proof.egress, whole=whole)
    if proof.not_compared:
        blocks.append(build_table("Not compared", ["what", "why"], _by_reason(proof.not_compared)))
    if proof.assumptions:
        assumed: Rows = [[Cell(one, "faint")] for one in proof.assumptions]
        blocks.append(build_table("The verdict rests on", ["assumption"], assumed))
    return Page("", (*blocks, *_evidence(proof)) if whole else tuple(blocks))


def _notable(proof: Proof, *, whole: bool) -> list[Table | Paragraph]:
    """What did not simply come back: all of it, or where that is much a few of each outcome and type, and the count."""
    notable = [one for one in proof.items if one.outcome not in ("restored", "already equal")]
    shown = notable if whole or len(notable) <= _SHOWN else _first_of_each(notable)
    told: list[Table | Paragraph] = [_items("Not simply restored", shown)] if notable else []
    if len(shown) < len(notable):
        left = Counter((one.outcome, one.type) for one in notable) - Counter((one.outcome, one.type) for one in shown)
        more = ", ".join(f"{count:,} {kind} {outcome}" for (outcome, kind), count in sorted(left.items()))
        told.append(Paragraph(f"… and {more}: see --json.", "faint"))
    return told


def _first_of_each(items: Sequence[ProofItem]) -> list[ProofItem]:
    """A few of each outcome and type, so that thousands of one do not hide the only one of another."""
    counted: Counter[tuple[str, str]] = Counter()
    found = []
    for one in items:
        counted[one.outcome, one.type] += 1
        if counted[one.outcome, one.type] <= _NAMED:
            found.append(one)
    return found[:_SHOWN]


def _evidence(proof: Proof) -> list[Table]:
    """What a change board keeps: the scope by name, all that came back, and the digests that the signed file holds."""
    back = [one for one in proof.items if one.outcome in ("restored", "already equal")]
    named = {
        "proof": proof.id,
        "org": proof.org_id,
        "snapshot of the baseline": proof.baseline_snapshot,
        "snapshot now": proof.live_snapshot,
        **{name.replace("_", " "): digest for name, digest in proof.digests.items()},
    }
    digests: Rows = [[name, value] for name, value in named.items()]
    items = [_items("Back as it was", back)] if back else []
    scope: Rows = [[kind, ", ".join(names)] for kind, names in proof.scope.items()]
    return [
        *items,
        build_table("Scope", ["kind", "names"], scope),
        build_table("Evidence", ["what", "id or digest"], digests),
    ]


def _items(title: str, items: Sequence[ProofItem]) -> Table:
    lines: Rows = [[one.type, one.key, Cell(one.outcome, _TONES[one.outcome]), one.detail, one.by] for one in items]
    return build_table(title, ["type", "key", "outcome", "detail", "by"], lines)


def _by_reason(sentences: Sequence[str]) -> Rows:
    """`kind name: reason` gathered by reason; the proof itself names every one."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in sentences:
        what, _, why = one.partition(": ")
        kind, _, name = what.partition(" ")
        reason = why.partition(": ")[0] if why.startswith("its rows are metadata") else why
        found.setdefault((kind, reason), []).append(name)
    rows: Rows = []
    for (kind, reason), names in found.items():
        rows.append([Cell(f"{kind} {_listed(names, _NAMED)}", "warn"), reason])
    return rows
