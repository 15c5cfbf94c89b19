"""From a release file or a package to its forecast: which sandbox and baseline count, what is read, what the answer is.

`rehearse forecast` shows it; `rehearse plan` asks it for rehearsals whose forecast is `auto`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from rehearse.cli.desk import Desk
from rehearse.errors import KeyUnavailable, NotFound, StoreError, UsageError

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline
    from rehearse.events import OnEvent
    from rehearse.release.model import Deed, Release, Step
    from rehearse.reset.forecast import Work
    from rehearse.reset.forecast_read import Base, Demand
    from rehearse.reset.forecast_rows import RowFile
    from rehearse.reset.model import Forecast


@dataclass(frozen=True)
class Against:
    """What a forecast is made against: a sandbox by name, and its baseline where it has one."""

    sandbox: str
    baseline: Baseline | None


def demand_of(release: Release) -> Demand:
    """The package, the files of rows and the other steps of a release.

    Raises NotFound, and UsageError, also for a release of which nobody can tell what it changes.
    """
    from rehearse.reset.forecast_read import Demand, load_package

    packages = [load_package(release.package.path, release.package.kind)] if release.package else []
    deploys = [one.do.path for one in release.runbook if one.do.kind == "deploy"]
    packages += [load_package(path) for path in deploys if path is not None]
    files = tuple(_row_file(one.id, one.do) for one in release.runbook if one.do.kind == "records")
    work = tuple(_work(one) for one in release.runbook if one.do.kind in ("manual", "apex", "shell"))
    if not (packages or files or work):
        raise UsageError(
            f"{release.name} names no package and no step that changes anything: nobody can tell what it would change.",
            "Give its file a `package` (or the steps of its `runbook`).",
        )
    return Demand(tuple(packages), files, work)


def _row_file(step: str, deed: Deed) -> RowFile:
    from rehearse.reset.forecast_rows import RowFile

    assert deed.path is not None and deed.operation
    return RowFile(step, deed.object, deed.operation, deed.path, deed.key or "Id")


def _work(step: Step) -> Work:
    from rehearse.reset.forecast import Work

    undo = step.undo
    return Work(
        step.id, step.do.kind, step.do.text, undo.kind if undo else "", undo.text if undo else "", step.no_return
    )


def choose_against(desk: Desk, sandbox: str | None, baseline: str | None) -> Against:
    """The sandbox and baseline that a user means; raises NotFound, UsageError where several could be meant."""
    from rehearse.baseline.index import pick_newest

    if sandbox:
        name = desk.workspace.sandbox(sandbox).name
        known = desk.baselines().load(name)
        if baseline:
            return Against(name, desk.baselines().find(baseline, name))
        return Against(name, pick_newest(known) if known else None)
    if baseline:
        found = desk.baselines().find(baseline)
        return Against(found.sandbox, found)
    owners = sorted({one.sandbox for one in desk.baselines().load()} & {one.name for one in desk.workspace.sandboxes})
    if len(owners) == 1:
        return Against(owners[0], pick_newest(desk.baselines().load(owners[0])))
    which = f"Several sandboxes have baselines: {', '.join(owners)}." if owners else "No sandbox has a baseline yet."
    raise UsageError(which, "Say which sandbox the rehearsal goes to: --sandbox NAME.")


def make_forecast(desk: Desk, demand: Demand, against: Against, on_event: OnEvent) -> Forecast:
    """The forecast of a demand. Without a baseline the org itself is read; it is never written.

    Of a baseline whose records were destroyed, what needs none of them is still foreseen; else raises StoreError.
    """
    from rehearse.baseline.index import check_has_records
    from rehearse.reset.forecast import build_forecast
    from rehearse.reset.forecast_read import forecast_inputs

    reader = None
    if against.baseline is None:
        reader = desk.connect_reader(desk.workspace.sandbox(against.sandbox))
    base = _base(desk, against.baseline) if against.baseline else None
    try:
        return build_forecast(forecast_inputs(demand, base, reader, desk.fetch_now(), on_event))
    except KeyUnavailable:
        if against.baseline is not None:
            check_has_records(against.baseline, desk.workspace.zone)
        raise


def _base(desk: Desk, found: Baseline) -> Base:
    from rehearse.baseline.index import check_is_here
    from rehearse.reset.forecast_read import Base

    check_is_here(found, desk.workspace.storage.folder)
    store = desk.store()
    return Base(store, store.load(found.capture))


def find_burned_until(desk: Desk, sandbox: str, now: datetime) -> tuple[datetime | None, datetime | None]:
    """When a burned sandbox may be refreshed next: possible and certain, from what the ledger holds."""
    from rehearse.cli.availability import availability_of
    from rehearse.schedule.ledger_store import load_cycles

    config = desk.workspace.sandbox(sandbox)
    found = availability_of(desk, config.name, config, load_cycles(desk.database).get(config.name, ()), now)
    dates = (found.possible_from, found.certain_from)
    return tuple(None if one is None else max(one, now) for one in dates)  # type: ignore[return-value]


def find_burning(
    desk: Desk, releases: Sequence[Release], on_event: OnEvent
) -> tuple[frozenset[tuple[str, str]], tuple[str, ...]]:
    """The rehearsals with `forecast: auto` that burn a sandbox, and sentences about those that nobody can judge.

    A release is held against the newest baseline of each sandbox; what burns one of them is planned as burning.
    """
    burning: set[tuple[str, str]] = set()
    said: list[str] = []
    for release in releases:
        auto = [one for one in release.rehearsals if one.forecast == "auto"]
        if not auto or release.package is None:
            continue
        try:
            burned = _burned_sandboxes(desk, release, on_event)
        except (NotFound, UsageError, StoreError, KeyUnavailable) as error:
            said.append(f"{release.name}: no forecast, so it is planned as undoable. {error}")
            continue
        if burned:
            burning |= {(release.name, one.name) for one in auto}
            said.append(f"{release.name}: its forecast says that it burns {', '.join(burned)}.")
    return frozenset(burning), tuple(said)


def _burned_sandboxes(desk: Desk, release: Release, on_event: OnEvent) -> list[str]:
    newest = _newest(desk)
    if not newest:
        raise NotFound("There is no baseline to compare its package with.")
    demand = demand_of(release)
    return sorted(one.sandbox for one in newest if make_forecast(desk, demand, one, on_event).verdict == "burns")


def _newest(desk: Desk) -> list[Against]:
    """The newest baseline of each configured sandbox, where its files are in this store."""
    from rehearse.baseline.index import is_here, pick_newest

    names = {one.name for one in desk.workspace.sandboxes}
    known: dict[str, list[Baseline]] = {}
    for one in desk.baselines().load():
        if one.sandbox in names:
            known.setdefault(one.sandbox, []).append(one)
    found = {name: pick_newest(of_it) for name, of_it in known.items()}
    folder = desk.workspace.storage.folder
    return [Against(one.sandbox, one) for one in found.values() if is_here(one, folder)]
