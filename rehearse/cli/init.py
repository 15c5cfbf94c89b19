"""`rehearse init`: write a rehearse.yaml to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rehearse.cli.answers import Json, tell
from rehearse.errors import UsageError

TEMPLATE = """\
version: 1
team: {team}
timezone: {timezone}
production:
  name: production
  login: {{sf: my-production-alias}}        # an org that the Salesforce CLI is logged in to; used to read
sandboxes:
  UATFULL:                                # the sandbox's own name
    login: {{sf: my-uatfull-alias}}
    tags: []
calendar:
  hours: {{days: [mon, tue, wed, thu, fri], from: "09:00", to: "18:00"}}
  blackouts: []
scope:
  metadata: {{include: ["*"], exclude: []}}
  records: {{include: [], exclude: []}}     # name the objects whose records a reset must bring back
storage: {{path: .rehearse, key: {{keyring: rehearse}}}}
"""


def init(
    team: Annotated[str, typer.Option(help="Name of the team.")] = "Release Management",
    timezone: Annotated[str, typer.Option(help="IANA time zone of the calendar.")] = "UTC",
    plans: Annotated[
        bool, typer.Option("--plans", help="Also write the example releases, into plans/, to copy from.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the file, and write nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Write a rehearse.yaml to start from. An existing file is never touched.

    Example: rehearse init --timezone Europe/Dublin
    """
    import json

    from rehearse import clock
    from rehearse.cli.examples import copy_plans

    clock.zone(timezone)
    text = TEMPLATE.format(team=json.dumps(team, ensure_ascii=False), timezone=timezone)
    if dry_run and not as_json:
        typer.echo(text, nl=False)
        return
    path = Path.cwd() / "rehearse.yaml"
    examples = None
    if not dry_run:
        _write(path, text)
        examples = copy_plans(path.parent) if plans else None
    words = f"Wrote {path.name}. Name your orgs in it, then run `rehearse sandboxes`."
    if plans:
        words += (
            " The example releases are in plans/." if examples else " There is a plans/ already; it stays as it is."
        )
    body = {"file": path, "text": text, "written": not dry_run, "plans": examples}
    tell("init", clock.now(), body, words, as_json=as_json)


def _write(path: Path, text: str) -> None:
    """Write a new file, whole or not at all."""
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError as error:
        raise UsageError("There is a rehearse.yaml here already; it was not touched.", "Edit it instead.") from error
    try:
        with file:
            file.write(text)
    except OSError:
        path.unlink(missing_ok=True)
        raise
