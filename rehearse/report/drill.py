"""A drill as a page and as JSON: whether the canary came back, and what the drill settled about this org."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rehearse.report.view import Cell, Page, Paragraph, Rows, Table, build_table
from rehearse.reset.model import ProofItem, Settled


def build_drill_body(
    sandbox: str, clean: bool, items: Sequence[ProofItem], facts: Sequence[Settled]
) -> dict[str, Any]:  # fmt: skip
    """The `drill` answer."""
    return {
        "sandbox": sandbox,
        "verdict": "clean" if clean else "dirty",
        "items": [
            {"kind": one.kind, "type": one.type, "key": one.key, "grade": one.outcome, "detail": one.detail}
            for one in items
        ],
        "facts": [asdict(one) for one in facts],
    }


def build_drill_page(sandbox: str, clean: bool, items: Sequence[ProofItem], facts: Sequence[Settled]) -> Page:
    """The verdict, what became of the canary, and the answers."""
    head = (
        Paragraph(f"The drill in {sandbox} is CLEAN: everything of the canary came back.", "good")
        if clean
        else Paragraph(f"The drill in {sandbox} is DIRTY: not everything of the canary came back.", "bad")
    )
    blocks: list[Table | Paragraph] = [head]
    counted = Counter((one.type, one.outcome) for one in items)
    rows: Rows = [[type, outcome, f"{count:,}"] for (type, outcome), count in sorted(counted.items())]
    blocks.append(build_table("What became of the canary", ["type", "outcome", "items"], rows, right=(2,)))
    failed: Rows = [
        [one.type, one.key, Cell(one.outcome, "bad"), one.detail]
        for one in items
        if one.outcome not in ("restored", "already equal")
    ]
    if failed:
        blocks.append(build_table("Not restored", ["type", "key", "outcome", "detail"], failed))
    if facts:
        lines: Rows = [
            [one.detail or one.question, Cell(one.answer, "plain" if one.settled else "warn")] for one in facts
        ]
        blocks.append(build_table("Settled for this production", ["question", "answer"], lines))
    return Page("", tuple(blocks))
