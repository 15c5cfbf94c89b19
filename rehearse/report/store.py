"""What became of a store: captures pruned or kept, exports and repairs, as pages and as data. No record value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.baseline.model import Baseline
from rehearse.baseline.store_model import Exported, Fate, Swept
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
        told = f"{swept.keys:,} key(s) and {swept.files:,} file(s) removed, {size(swept.bytes)} came free."
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
