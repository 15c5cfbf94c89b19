"""A back-out package: what a team's own pipeline needs to take a release back, made before the release goes live.

Written from a baseline and the release's own package and runbook. It changes no org. What it cannot undo is listed
with the reason, from the same table of hazards that forecasts and proofs use. The folder appears whole or not at all;
it holds record values in the clear and is readable for its owner only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rehearse.baseline.writing import file_sha256, make_private_folder, waiting_folder
from rehearse.errors import Refused, UsageError
from rehearse.reset.backout_metadata import BackoutMetadata, build_backout_metadata
from rehearse.reset.backout_model import Backout, BackoutStep, RecordFile, RunStep
from rehearse.reset.backout_rows import write_record_files
from rehearse.reset.deploy_zip import write_zip
from rehearse.reset.forecast import build_forecast
from rehearse.reset.forecast_read import Base, Demand, forecast_inputs, load_known
from rehearse.reset.model import Forecast

FIRST, LAST, INSTRUCTIONS = "metadata-1.zip", "metadata-2.zip", "INSTRUCTIONS.md"


@dataclass(frozen=True)
class BackoutRequest:
    """What to take back (a demand and its runbook in order), the baseline to go back to, and where to write."""

    demand: Demand
    runbook: Sequence[RunStep]
    base: Base
    folder: Path
    now: datetime


def write_backout(request: BackoutRequest, render_instructions: Callable[[Backout], str]) -> Backout:
    """Write the package to a new folder, with the instructions that are rendered from it.

    Raises Refused where the folder is taken, NotFound, UsageError, Damaged, DiskFull.
    """
    if request.folder.exists():
        raise Refused(f"{request.folder} is there already.", "Name another folder with --output, or remove it.")
    parent = request.folder.parent
    if not parent.is_dir():
        raise UsageError(f"There is no folder {parent}.", "Make it first, or name another with --output.")
    forecast = build_forecast(forecast_inputs(request.demand, request.base, None, request.now))
    with waiting_folder(request.folder) as half:
        found = _fill(request, half, forecast)
        (half / INSTRUCTIONS).write_text(render_instructions(found), encoding="utf-8")
        half.rename(request.folder)
    return found


def _fill(request: BackoutRequest, half: Path, forecast: Forecast) -> Backout:
    base = request.base
    packages = [(one, load_known(one, base)) for one in request.demand.packages]
    metadata = build_backout_metadata(packages, base.capture, base.capture.api_version, request.now)
    for name, files in ((FIRST, metadata.first), (LAST, metadata.last)):
        if files:
            write_zip(files, half / name)
    make_private_folder(half / "records")
    records: list[RecordFile] = []
    said: dict[str, tuple[str, ...]] = {}
    added = {one.key for one in metadata.actions if one.type == "CustomObject" and one.do == "destroy"}
    for load in request.demand.files:
        written, sentences = write_record_files(base, load, half / "records", added)
        records += written
        said[load.step] = sentences
    steps = tuple(_steps(request.runbook, metadata, records, said))
    paths = sorted(one for one in half.rglob("*") if one.is_file())
    digests = {one.relative_to(half).as_posix(): file_sha256(one) for one in paths}
    return Backout(request.folder, steps, tuple(records), digests, forecast, metadata.blocked)


def _steps(
    runbook: Sequence[RunStep],
    metadata: BackoutMetadata,
    records: Sequence[RecordFile],
    said: Mapping[str, Sequence[str]],
) -> Iterator[BackoutStep]:
    """The runbook backwards; automation is stopped first, and what was added goes where it was deployed."""
    if metadata.first:
        text = "Stop the automation of the release, and bring back what it changed or deleted"
        yield BackoutStep("deploy", "deploy", text, FIRST)
    deployed = not metadata.last
    for step in reversed(runbook):
        if step.kind == "deploy" and not deployed:
            deployed = True
            yield _last()
        elif step.kind == "records":
            yield from _loads(step, records, said)
        elif step.kind in ("manual", "apex", "shell"):
            yield _by_hand(step)
    if not deployed:
        yield _last()


def _last() -> BackoutStep:
    return BackoutStep("deploy", "deploy", "Take away what the release added", LAST)


def _loads(step: RunStep, records: Sequence[RecordFile], said: Mapping[str, Sequence[str]]) -> Iterator[BackoutStep]:
    for one in records:
        if one.step == step.id:
            note = f"; {one.note}" if one.note else ""
            yield BackoutStep("load", step.id, f"{one.operation} {one.rows:,} {one.object}{note}", one.path)
    for sentence in said.get(step.id, ()):
        yield BackoutStep("by hand", step.id, sentence)


def _by_hand(step: RunStep) -> BackoutStep:
    if step.undo:
        return BackoutStep("by hand", step.id, f"{step.undo}: {step.undo_text}")
    done = "script" if step.kind == "shell" else step.kind
    return BackoutStep("unknown", step.id, f"the runbook names no undo of this {done} step: {step.text}")
