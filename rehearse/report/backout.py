"""A back-out package as a page (also its INSTRUCTIONS.md) and as JSON: what to do, in order, and what stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.report.view import Cell, Page, Paragraph, Rows, Table, Tone, build_table
from rehearse.reset.backout_model import Backout, BackoutStep

_TONES: dict[str, Tone] = {"residue": "warn", "manual": "bad", "impossible": "bad", "unknown": "warn"}
_DEPLOY = "sf project deploy start --single-package --ignore-warnings --metadata-dir {file} --target-org ORG"
_LOADS = {
    "update": "sf data update bulk --wait 60 --sobject {object} --file {file} --target-org ORG",
    "insert": "sf data import bulk --wait 60 --sobject {object} --file {file} --target-org ORG",
    "find and delete": "sf data delete bulk --wait 60 --sobject {object} --file IDS.csv --target-org ORG",
    "undelete": "undelete these Ids from the recycle bin (undelete() of Apex or of the SOAP API)",
}


def build_backout_body(found: Backout, about: dict[str, Any]) -> dict[str, Any]:
    """The JSON answer; `about` says of what release and baseline it is."""
    return {
        **about,
        "folder": str(found.folder),
        "steps": [
            {"do": one.do, "step": one.step, "text": one.text, "file": one.file, "command": _command(found, one)}
            for one in found.steps
        ],
        "stays": _stays(found),
        "files": [{"path": path, "sha256": digest} for path, digest in sorted(found.digests.items())],
        "warnings": list(found.forecast.warnings),
    }


def build_backout_page(found: Backout, about: dict[str, Any], taken_at: datetime, zone: ZoneInfo) -> Page:
    """The page; `about` names release, org and baseline. ORG in a command is the org of the team's own pipeline."""
    since, org, baseline = clock.show(taken_at, zone), about["org"], about["baseline"]
    blocks: list[Table | Paragraph] = [
        Paragraph(
            f"This takes back {about['release']} in {org}, to what baseline {baseline} held at {since}. "
            "What changed later is not in it."
        ),
    ]
    rows: Rows = [
        [str(number), one.do, one.step, one.text, Cell(_command(found, one), code=True)]
        for number, one in enumerate(found.steps, 1)
    ]
    blocks.append(build_table("What to do, in order", ["", "do", "step", "what", "command"], rows, right=(0,)))
    stays: Rows = [
        [one["type"], one["key"], Cell(one["grade"], _TONES[one["grade"]]), one["reason"]] for one in _stays(found)
    ]
    if stays:
        blocks.append(build_table("What does not simply come back", ["type", "key", "grade", "reason"], stays))
    blocks += [Paragraph(f"warning: {one}", "warn") for one in found.forecast.warnings]
    if found.records:
        blocks.append(Paragraph("The files under records/ hold values of records in the clear. Delete them after use."))
    blocks.append(Paragraph("ORG is the org of your own pipeline: rehearse writes to no production org."))
    blocks.append(Paragraph(f"Afterwards, see what is left: rehearse diff {org} --baseline {baseline}."))
    return Page("", tuple(blocks))


def _command(found: Backout, step: BackoutStep) -> str:
    if step.do == "deploy":
        return _DEPLOY.format(file=step.file)
    one = next((one for one in found.records if one.path == step.file), None) if step.file else None
    return _LOADS[one.operation].format(object=one.object, file=one.path) if one else ""


def _stays(found: Backout) -> list[dict[str, Any]]:
    """What the forecast grades as less than exact, and what the two deployments leave out besides."""
    listed = [
        {"type": one.type, "key": one.key, "grade": one.grade, "reason": one.reason, "source": one.source}
        for one in found.forecast.items
        if one.grade != "exact"
    ]
    known = {(one["type"], one["key"]) for one in listed}
    listed += [
        {"type": one.type, "key": one.key, "grade": one.grade, "reason": one.reason, "source": one.source}
        for one in found.blocked
        if (one.type, one.key) not in known
    ]
    return listed
