"""Which baseline is meant, and the check that every use of one begins with: its files are those that were recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import not_blank

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline, Capture
    from rehearse.cli.desk import Desk

Of = Annotated[
    str | None, typer.Option(callback=not_blank, help="Sandbox, where several have a baseline of this name.")
]


def check_baseline(desk: Desk, found: Baseline, *, deep: bool, records: bool = True) -> Capture:
    """Verify the files of a baseline and that they are those of the index. Raises Damaged, KeyUnavailable, StoreError.

    `records` False takes a baseline whose records were destroyed by prune as it is.
    """
    import hashlib
    from shlex import quote

    from rehearse.baseline.index import check_has_records, check_is_here
    from rehearse.baseline.verify import require_keys, verify_capture
    from rehearse.errors import Damaged

    store = desk.store()
    check_is_here(found, desk.workspace.storage.folder)
    if records:
        check_has_records(found, desk.workspace.zone)
    try:
        taken = verify_capture(store, found.capture, deep=deep, records=records)
    except Damaged as error:
        raise Damaged(
            f"Baseline {found.name} of {found.sandbox} is damaged: {error.message}",
            (error.hint or "").replace("repair NAME", f"repair {quote(found.name)} --sandbox {found.sandbox}"),
        ) from error
    if records:
        require_keys(store, taken)
    written = hashlib.sha256((store.folder(found.capture) / "manifest.json").read_bytes()).hexdigest()
    if written != found.manifest_sha256:
        raise Damaged(
            f"The manifest of baseline {found.name} is not the one that was recorded.",
            "Take a new baseline; do not reset to this one.",
        )
    return taken
