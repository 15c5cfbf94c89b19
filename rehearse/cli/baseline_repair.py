"""`rehearse baseline repair`: a new capture of what is whole; the damaged one stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, say
from rehearse.cli.baseline_check import Of

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline, Capture
    from rehearse.baseline.record_store import CaptureStore
    from rehearse.cli.desk import Desk


def repair(
    name: Annotated[str, typer.Argument(help="Name, or the start of a snapshot or capture id.")],
    sandbox: Of = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what is damaged, and write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Rebuild a damaged baseline from what is whole.

    Reads every row, and takes what is damaged from other captures that hold exactly the same, proven by the snapshot
    id. The repaired copy is new and takes over the name; the damaged files stay. Where something is lost, the copy
    without it gets a name of its own. Exit 3 when something is lost. A capture that no baseline names, because the
    workspace database was lost, is listed again by its id.

    Example: rehearse baseline repair B1
    """
    from rehearse.baseline.index import check_has_records, check_is_here
    from rehearse.baseline.repair import find_damage, repair_capture
    from rehearse.cli.desk import open_desk
    from rehearse.report.store import build_repair_body, build_repair_page

    with open_desk() as desk:
        store = desk.store(alone=True)
        found = _find(desk, name, sandbox, dry_run=dry_run)
        check_is_here(found, desk.workspace.storage.folder)
        check_has_records(found, desk.workspace.zone)
        capture = _load(store, found)
        damage = find_damage(store, capture)
        named, aside = "", ""
        if not (dry_run or damage.is_whole):
            repaired = repair_capture(store, capture, damage)
            named, aside = _name(desk, store, found, repaired, whole=damage.is_mendable)
        page = build_repair_page(found, damage, named)
        body = build_repair_body(found, damage, named)
        finish("repair", desk.fetch_now(), body, page, as_json=as_json)
        if aside and aside != found.name:
            say(f"The damaged files stay, as baseline {aside!r}.")
        if not damage.is_mendable or (dry_run and not damage.is_whole):
            raise typer.Exit(3)


def _find(desk: Desk, name: str, sandbox: str | None, *, dry_run: bool) -> Baseline:
    """The baseline of this name, or a capture that is listed again. Raises NotFound."""
    from rehearse.cli.baseline_unlisted import list_again
    from rehearse.errors import NotFound

    try:
        return desk.baselines().find(name, sandbox)
    except NotFound:
        again = list_again(desk, name, sandbox, dry_run=dry_run)
        if again is None:
            raise
        return again


def _load(store: CaptureStore, found: Baseline) -> Capture:
    """The manifest that the index recorded. Raises Damaged: without it nobody knows what there was."""
    from rehearse.baseline.manifest import MANIFEST
    from rehearse.baseline.writing import file_sha256
    from rehearse.errors import Damaged, NotFound

    hint = "Restore the folder of the store from a copy, or capture anew."
    try:
        capture = store.load(found.capture)
    except (Damaged, NotFound) as error:
        raise Damaged(f"The manifest of baseline {found.name} is lost, and with it what there was.", hint) from error
    if file_sha256(store.folder(found.capture) / MANIFEST) != found.manifest_sha256:
        raise Damaged(f"The manifest of baseline {found.name} is not the one that was recorded.", hint)
    return capture


def _name(desk: Desk, store: CaptureStore, found: Baseline, repaired: Capture, *, whole: bool) -> tuple[str, str]:
    """Put the repaired capture into the index; returns its name and that of the damaged one."""
    from rehearse.baseline.manifest import MANIFEST
    from rehearse.baseline.writing import file_sha256

    new = replace(
        found,
        capture=repaired.ulid,
        snapshot_id=repaired.snapshot_id,
        records=repaired.record_count,
        components=repaired.component_count,
        bytes=store.size(repaired.ulid),
        verdict=repaired.verdict,
        manifest_sha256=file_sha256(store.folder(repaired.ulid) / MANIFEST),
    )
    if whole:
        return found.name, desk.baselines().replace(found, new)
    known = {one.name for one in desk.baselines().load(found.sandbox)}
    named, number = f"{found.name} rest", 2
    while named in known:
        named, number = f"{found.name} rest {number}", number + 1
    desk.baselines().add(replace(new, name=named, proof=None, proof_verdict=None, proof_at=None))
    return named, found.name
