"""`rehearse baseline export`: a baseline as clear text, for auditors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rehearse.cli.answers import Json, finish, say
from rehearse.cli.baseline_check import Of


def export(
    name: Annotated[str, typer.Argument(help="Name, or the start of a snapshot or capture id.")],
    to: Annotated[Path, typer.Option(help="Folder to make; it must not exist yet.")],
    sandbox: Of = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Write a baseline as plain CSV and a git folder.

    In clear text, personal data and all: for auditors, and for other engines. The folder is readable by you alone.

    Example: rehearse baseline export B1 --to /secure/b1
    """
    from rehearse.baseline.export import check_target, export_capture
    from rehearse.cli.baseline_check import check_baseline
    from rehearse.cli.desk import open_desk
    from rehearse.report.baselines import build_baseline_body
    from rehearse.report.store import build_export_page

    with open_desk() as desk:
        found = desk.baselines().find(name, sandbox)
        target = to.expanduser().absolute()
        check_target(target)
        taken = check_baseline(desk, found, deep=False)
        done = None
        if not dry_run:
            say(f"note: {target} will hold {found.records:,} records in clear text. Delete it when it has served.")
            done = export_capture(desk.store(), taken, found.name, target)
        body = {**build_baseline_body(found, taken), "to": str(target), "written": done}
        finish("export", desk.fetch_now(), body, build_export_page(found, str(target), done), as_json=as_json)
