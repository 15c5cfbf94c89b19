"""Baselines, captures and differences as pages and as data. Keys and field names only; values come on request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.baseline.model import Baseline, Capture, CoverageRow, Estimate
from rehearse.report.view import Block, Cell, Page, Paragraph, Rows, Tone, build_table


def build_baseline_body(baseline: Baseline, capture: Capture | None, carried: Sequence[str] = ()) -> dict[str, Any]:
    """The `baselines[]` row of formats.md; coverage only where the capture is at hand.

    `carried`: residue that was accepted before it was taken, so that the baseline holds it.
    """
    return {
        "id": baseline.snapshot_id,
        "name": baseline.name,
        "sandbox": baseline.sandbox,
        "org_id": baseline.org_id,
        "taken_at": baseline.taken_at,
        "records": baseline.records,
        "components": baseline.components,
        "bytes": baseline.bytes,
        "coverage": [] if capture is None else [one.__dict__ for one in capture.coverage],
        "verdict": baseline.verdict,
        "hollow": [] if capture is None else list(capture.hollow),
        "release": None if capture is None else capture.release,
        "packages": [] if capture is None else [one.__dict__ for one in capture.packages],
        "schedules": [] if capture is None else [one.__dict__ for one in capture.schedules],
        "capture": baseline.capture,
        "host": baseline.host,
        "store": baseline.store,
        "pruned": baseline.pruned,
        "voided": baseline.voided,
        "carried": list(carried),
        "proof": baseline.proof and {"id": baseline.proof, "verdict": baseline.proof_verdict, "at": baseline.proof_at},
    }


def build_baseline_list(baselines: Sequence[Baseline], zone: ZoneInfo, away: Collection[str] = ()) -> Page:
    """All baselines as a table; `away`: the captures whose files are on another machine or in another store."""
    rows: Rows = [
        [
            one.name,
            one.sandbox,
            clock.show(one.taken_at, zone),
            f"{one.records:,}",
            f"{one.components:,}",
            size(one.bytes),
            _verdict(one) if one.capture not in away else Cell(f"{_verdict(one).text}, on {one.host}", "faint"),
            one.proof_verdict or "-",
            one.snapshot_id[:8],
        ]
        for one in baselines
    ]
    columns = ["name", "sandbox", "taken", "records", "components", "size", "verdict", "proof", "snapshot"]
    return Page("", (build_table("Baselines", columns, rows, right=(3, 4, 5), empty="none yet"),))


def _verdict(baseline: Baseline) -> Cell:
    if baseline.pruned is not None:
        return Cell("records destroyed", "faint")
    if baseline.voided is not None:
        return Cell("void: refreshed since", "faint")
    return Cell(baseline.verdict, "good" if baseline.verdict == "usable" else "bad")


def build_baseline_page(baseline: Baseline, capture: Capture, zone: ZoneInfo, carried: Sequence[str] = ()) -> Page:
    """One baseline with its whole coverage."""
    blocks = [*_head(baseline, capture, zone), *_carried(carried), *_standing(capture, zone)]
    for kind, title in (("records", "Records"), ("metadata", "Metadata")):
        rows = [row for one in _joined([one for one in capture.coverage if one.kind == kind]) for row in one]
        rows += _filtered(capture) if kind == "records" else []
        blocks.append(build_table(title, ["name", "state", "count", "note"], rows, right=(2,)))
    return Page("", tuple(blocks))


def build_capture_page(baseline: Baseline, capture: Capture, zone: ZoneInfo, carried: Sequence[str] = ()) -> Page:
    """A baseline that was just taken: what needs a look, and everything else in one line of counts."""
    blocks = [*_head(baseline, capture, zone), *_carried(carried), Paragraph(_release(capture))]
    odd = [one for one in capture.coverage if _needs_a_look(one, capture)]
    rows: Rows = [[one.kind, one.name, Cell(one.state, _tone(one)), f"{one.count:,}", one.note] for one in odd]
    rows += [["records", *line] for line in _filtered(capture)]
    if rows:
        columns = ["kind", "name", "state", "count", "note"]
        blocks.append(build_table("Worth a look", columns, rows, right=(3,)))
    rest = Counter((one.kind, one.state) for one in capture.coverage if one not in odd)
    told = ", ".join(
        f"{number} {_THINGS[kind]} {state}" for (kind, state), number in sorted(rest.items(), reverse=True)
    )
    more = f"; {len(capture.schedules)} scheduled" if capture.schedules else ""
    blocks.append(Paragraph(f"{'Besides' if rows else 'Coverage'}: {told or 'nothing'}{more}.", "faint"))
    return Page("", tuple(blocks))


def _filtered(capture: Capture) -> Rows:
    """A row for each object of which only a part is held: its filter as it was frozen, with absolute dates."""
    return [
        [one.name, Cell("filtered", "warn"), "", f"only rows with {one.where}"]
        for one in capture.scope.objects
        if one.where
    ]


_ODD = ("not-retrieved", "unreadable", "masked")
_THINGS = {"records": "objects", "metadata": "types"}


def _head(baseline: Baseline, capture: Capture, zone: ZoneInfo) -> list[Block]:
    """What was taken of which org, the verdict, and what is hollow about it."""
    head = (
        f"Baseline {baseline.name} of {baseline.sandbox} (org {baseline.org_id}), taken "
        f"{clock.show(baseline.taken_at, zone)}: {baseline.records:,} records, {baseline.components:,} components, "
        f"{size(baseline.bytes)}. Snapshot {baseline.snapshot_id}."
    )
    tone: Tone = "good" if capture.verdict == "usable" else "bad"
    blocks: list[Block] = [Paragraph(head), Paragraph(f"Verdict: {_VERDICTS[capture.verdict]}", tone)]
    if baseline.pruned is not None:
        when = clock.show(baseline.pruned, zone)
        blocks.append(
            Paragraph(f"Its records were destroyed on {when} (storage.keep): no reset can go back to it.", "bad")
        )
    if baseline.voided is not None:
        when = clock.show(baseline.voided, zone)
        blocks.append(
            Paragraph(f"Void since {when}: the sandbox was refreshed, and no reset can go back to it.", "bad")
        )
    if capture.hollow:
        names = ", ".join(capture.hollow)
        blocks.append(Paragraph(f"Hollow: these came back empty, or with less than the org counts: {names}.", "bad"))
    return blocks


_VERDICTS = {
    "usable": "usable",
    "partial": "partial. A reset to it cannot be proven: of what the scope names, something was refused, is hidden "
    "from this login, or kept changing.",
    "hollow": "hollow. Do not reset to it: it lacks what the org has, and what it lacks would count as created since.",
}


def _carried(carried: Sequence[str]) -> list[Block]:
    """Residue that this baseline takes for what is right, because somebody accepted it before."""
    return [Paragraph(f"Holds residue that was accepted before it was taken: {one}", "warn") for one in carried]


def _needs_a_look(row: CoverageRow, capture: Capture) -> bool:
    """What a baseline lacks, what is hollow in it, and what was read with a remark."""
    empty = row.name in capture.hollow and row.state in ("captured", "empty")
    part = row.state == "excluded" and row.count > 0  # of an object in scope: the contents of its files
    return row.state in _ODD or empty or part or (row.state == "captured" and bool(row.note))


def _tone(row: CoverageRow) -> Tone:
    return "plain" if row.state == "captured" else "warn"


_TO_JOIN = ("excluded", "not-listable", "not-metadata", "empty")


def _joined(coverage: Sequence[CoverageRow]) -> list[Rows]:
    """Rows of a coverage table: what is held or missing one by one; what was left out, together for each reason."""
    told: list[Rows] = []
    groups: dict[tuple[str, str], list[CoverageRow]] = {}
    for one in coverage:
        if one.state in _TO_JOIN and not one.count:
            groups.setdefault((one.state, one.note), []).append(one)
        else:
            told.append([[one.name, Cell(one.state, _tone(one)), f"{one.count:,}", one.note]])
    for (state, note), rows in groups.items():
        told.append([[", ".join(one.name for one in rows), Cell(state, "faint"), "", note]])
    return told


def _release(capture: Capture) -> str:
    """The release of the platform and the installed packages, as a sentence; nothing where they were not asked."""
    if not capture.release:
        return ""
    packages = ", ".join(f"{one.namespace or one.name} {one.version}" for one in capture.packages) or "none"
    return f"Platform release {capture.release}, read at API {capture.api_version}. Installed packages: {packages}."


def _standing(capture: Capture, zone: ZoneInfo) -> list[Block]:
    """The release, the packages and the scheduled work that a baseline holds whatever its scope."""
    if not capture.release:
        return []
    text = _release(capture) + ("" if capture.schedules else " Scheduled work: none.")
    rows: Rows = [
        [one.name, one.apex_class, one.expression, one.owner, _instant(one.next_fire, zone)]
        for one in capture.schedules
    ]
    columns = ["scheduled work", "class", "expression", "owner", "next"]
    return [Paragraph(text), *([build_table("Scheduled work", columns, rows)] if rows else [])]


def _instant(text: str | None, zone: ZoneInfo) -> str:
    return clock.show(clock.from_iso(text), zone) if text else ""


def build_estimate_body(estimate: Estimate, sandbox: str) -> dict[str, Any]:
    """The estimate as data: totals, and a row for each object."""
    return {
        "sandbox": sandbox,
        "rows": estimate.rows,
        "bytes": estimate.bytes,
        "disk": estimate.disk,
        "calls": estimate.calls,
        "hours": round(estimate.time.total_seconds() / 3600, 3),
        "rows_per_second": round(estimate.rate),
        "measured": estimate.measured,
        "proposed": estimate.proposed,
        "metadata_calls": estimate.metadata_calls,
        "objects": [{**one.__dict__, "hours": round(one.rows / estimate.rate / 3600, 6)} for one in estimate.objects],
    }


def build_estimate_page(estimate: Estimate, sandbox: str) -> Page:
    """What a capture would take, by object; and where nothing is in scope, the line that would put it there."""
    rows: Rows = []
    for one in estimate.objects:
        time = _time(one.rows / estimate.rate)
        rows.append([one.name, f"{one.rows:,}", size(one.bytes), size(one.disk), time, f"{one.calls:,}", one.note])
    rows.append(["(metadata)", "", "", "", "", f"{estimate.metadata_calls:,}", ""])
    total = [f"{estimate.rows:,}", size(estimate.bytes), size(estimate.disk), _time(estimate.time.total_seconds())]
    rows.append(["in all", *total, f"{estimate.calls:,}", ""])
    columns = ["object", "rows", "bytes", "on disk", "time", "API calls", ""]
    known = "as the last capture read" if estimate.measured else "as one published export of a real org; not measured"
    blocks: list[Block] = [
        build_table(f"A capture of {sandbox} would read about", columns, rows, right=(1, 2, 3, 4, 5)),
        Paragraph(f"Time at {estimate.rate:,.0f} rows a second, {known}. Bytes from a sample of rows.", "faint"),
    ]
    if estimate.proposed:
        proposal = f"include: [{name_proposed(estimate)}]"
        blocks.append(Paragraph(f"Proposed for scope.records of rehearse.yaml: {proposal}"))
    return Page("", tuple(blocks))


def name_proposed(estimate: Estimate) -> str:
    """The objects of an estimate as a list for rehearse.yaml."""
    return ", ".join(sorted(one.name for one in estimate.objects))


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 1 else "< 1 s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(count: int) -> str:
    """A number of bytes for people."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return ""
