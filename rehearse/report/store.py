"""What became of a store: captures pruned or kept, exports and repairs, as pages and as data. No record value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.baseline.model import Baseline
from rehearse.baseline.store_model import Damage, Exported, Fate, Swept
from rehearse.report.baselines import size
from rehearse.report.view import Block, Cell, Page, Paragraph, Rows, build_table


def build_prune_page(fates: Sequence[Fate], swept: Swept | None, zone: ZoneInfo) -> Page:
    """Each capture with its fate and why; `swept` is None for a look without a deed."""
    word = "destroyed" if swept else "would go"
    rows: Rows = [
        [
            one.name or "-",
            one.capture[:12],
            one.sandbox,
            clock.show(one.taken, zone),
            f"{one.records:,}",
            Cell(word if one.destroyed else "kept", "warn" if one.destroyed else "plain"),
            one.why,
        ]
        for one in fates
    ]
    columns = ["baseline", "capture", "sandbox", "taken", "records", "fate", "why"]
    blocks: list[Block] = [build_table("Captures with records", columns, rows, right=(4,), empty="none")]
    if swept is not None:
        told = f"{swept.keys:,} key(s) and {swept.files:,} file(s) removed, metadata packed anew: "
        told += f"{size(swept.bytes)} came free."
        blocks.append(Paragraph(told))
    return Page("", tuple(blocks))


def build_prune_body(fates: Sequence[Fate], swept: Swept | None) -> dict[str, Any]:
    """The `prune` answer."""
    rows = [
        {
            "capture": one.capture,
            "baseline": one.name or None,
            "sandbox": one.sandbox,
            "taken_at": one.taken,
            "records": one.records,
            "fate": "destroyed" if one.destroyed else "kept",
            "why": one.why,
        }
        for one in fates
    ]
    return {"captures": rows, "swept": None if swept is None else swept.__dict__}


def build_export_page(baseline: Baseline, target: str, done: Exported | None) -> Page:
    """What an export wrote, or would write."""
    what = f"baseline {baseline.name} of {baseline.sandbox}"
    if done is None:
        told = f"Would write {what} to {target}: {baseline.records:,} records and {baseline.components:,} components."
        return Page("", (Paragraph(told),))
    told = (
        f"Wrote {what} to {target}: {done.records:,} records of {done.objects} objects, {done.files:,} metadata files, "
        f"{size(done.bytes)}, in clear text."
    )
    return Page("", (Paragraph(told, "warn"),))


def build_repair_page(baseline: Baseline, damage: Damage, named: str) -> Page:
    """What of a baseline is damaged, where it is whole, and what became of it; `named` is empty where nothing was."""
    if damage.is_whole:
        return Page("", (Paragraph(f"Baseline {baseline.name} of {baseline.sandbox} is whole.", "good"),))
    rows: Rows = []
    for what, source in _damaged(damage):
        state = Cell(f"whole in capture {source[:12]}", "warn") if source else Cell("lost", "bad")
        rows.append([what, state])
    blocks: list[Block] = [build_table(f"Damaged in baseline {baseline.name}", ["what", ""], rows)]
    if named and damage.is_mendable:
        told = (
            f"Repaired: baseline {named} is a new copy with snapshot {baseline.snapshot_id[:12]}, whole and verified."
        )
        blocks.append(Paragraph(told, "good"))
    elif named:
        told = f"What is whole is kept as baseline {named!r}, verified; what is lost is left out of its scope."
        blocks.append(Paragraph(told, "bad"))
    return Page("", tuple(blocks))


def build_repair_body(baseline: Baseline, damage: Damage, named: str) -> dict[str, Any]:
    """The `repair` answer."""
    rows = [{"what": what, "found_in": source or None} for what, source in _damaged(damage)]
    whole = damage.is_whole or (bool(named) and damage.is_mendable)
    return {"baseline": baseline.name, "sandbox": baseline.sandbox, "damaged": rows, "repaired": named, "whole": whole}


def _damaged(damage: Damage) -> list[tuple[str, str]]:
    found = [(f"rows of {name}", source) for name, source in sorted(damage.objects.items())]
    return found if damage.metadata is None else [*found, ("metadata", damage.metadata)]
