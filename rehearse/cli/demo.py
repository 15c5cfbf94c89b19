"""`rehearse demo`: the whole story on a practice org, with the same commands that a user types, each printed first."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rehearse.cli.answers import Json, say
from rehearse.errors import Interrupted, RehearseError

SANDBOX = "UATFULL"


@dataclass(frozen=True)
class Scene:
    """One command of the story: what to say before it, and the exit codes that the story expects."""

    words: str
    command: tuple[str, ...]
    expected: tuple[int, ...] = (0,)


STORY = (
    Scene("A practice org starts: production, five sandboxes, a company's data.", ("practice", "up")),
    Scene("When can each sandbox be refreshed?", ("sandboxes",)),
    Scene("Where do the rehearsals of release R41 go?", ("plan", "plans/r41.yaml", "--book")),
    Scene("Before the rehearsal: a baseline, metadata and records, encrypted.", ("baseline", "capture", SANDBOX)),
    Scene("The team holds the rehearsal, outside this tool. It goes wrong.", ("practice", "play", SANDBOX)),
    Scene("What did it change?", ("diff", SANDBOX), (3,)),
    Scene("Would a refresh be the way out?", ("refresh", "check", SANDBOX), (3,)),
    Scene("No. So the sandbox is put back: first the plan …", ("reset", "plan", SANDBOX), (0, 3)),
    Scene(
        "… then the reset itself, which ends with the proof.",
        (
            *("reset", "apply", "PLAN", "--confirm", SANDBOX, "--delete-side-effects"),
            *("--allow-egress", "Ledger", "--allow-egress", "Rates", "--reason", "nobody answers there"),
        ),
    ),
    Scene("And for the team: a page and a calendar.", ("report", "--format", "html", "--output", "report.html")),
    Scene("", ("report", "--format", "ics", "--output", "sandboxes.ics")),
)


Runner = Callable[[Sequence[str], bool], tuple[int, str]]
"""Runs one command; quiet or not; its exit code and, where it was quiet, what it printed."""


def demo(
    folder: Annotated[Path | None, typer.Option(help="Empty folder to work in; a new one unless given.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the practice org running at the end.")] = False,
    as_json: Json = False,
) -> None:
    """Run the whole story on a practice org.

    Windows, plan, baseline, a rehearsal that fails, reset, proof, report: under a minute, without a Salesforce
    login. Every command that it runs is printed.

    Example: rehearse demo
    """
    home = _prepare(folder)
    tell = say if as_json else typer.echo
    tell(f"Everything happens in {home}.")
    started = time.monotonic()
    before = Path.cwd()
    os.chdir(home)
    run = _build_runner()
    try:
        proof = _tell(run, as_json=as_json)
    finally:
        if not keep:
            run(("practice", "down"), True)
        os.chdir(before)
    tell(f"\nDone in {time.monotonic() - started:.0f} s. The report is {home / 'report.html'}; open it in a browser.")
    if as_json:
        typer.echo(json.dumps(proof, ensure_ascii=False))


def _prepare(folder: Path | None) -> Path:
    """An empty folder; `practice up` puts the example releases into it."""
    if folder is not None and folder.exists() and any(folder.iterdir()):
        raise RehearseError(f"{folder} is not empty.", "Give an empty folder, or none.")
    home = folder or Path(tempfile.mkdtemp(prefix="rehearse-demo-"))
    home.mkdir(parents=True, exist_ok=True)
    return home.resolve()


def _tell(run: Runner, *, as_json: bool) -> dict[str, object]:
    """Run the scenes; with `as_json` their answers are read as data and the proof comes back."""
    proof: dict[str, object] = {}
    plan_id = ""
    for scene in STORY:
        command = tuple(plan_id if one == "PLAN" else one for one in scene.command)
        words = f"\n{scene.words}\n" if scene.words else ""
        (say if as_json else typer.echo)(f"{words}$ rehearse {shlex.join(command)}")
        wants_data = command[:2] in (("reset", "plan"), ("reset", "apply"))
        code, text = run((*command, "--json") if wants_data and as_json else command, as_json)
        if code not in scene.expected:
            raise RehearseError(
                f"The demo expected `rehearse {' '.join(command)}` to end with {scene.expected}, it ended with {code}.",
                "This is a bug: please report it with the lines above.",
            )
        if command[:2] == ("reset", "plan"):
            plan_id = json.loads(text)["id"][:12] if as_json else _newest_plan()
        if command[:2] == ("reset", "apply") and as_json:
            proof = json.loads(text)
    return proof


def _newest_plan() -> str:
    return max(one.stem for one in (Path.cwd() / ".rehearse" / "plans").glob("*.json"))[:12]


def _build_runner() -> Runner:
    """Commands are run in this process, by the very program that was started, with all its verbs."""
    from rehearse.cli import verbs
    from rehearse.cli.app import app

    verbs.register(app)  # until now it knows nothing but `demo`
    program = typer.main.get_command(app)

    def run(command: Sequence[str], quiet: bool) -> tuple[int, str]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out) if quiet else contextlib.nullcontext():
            try:
                code = program.main(list(command), standalone_mode=False, prog_name="rehearse")
            except SystemExit as ended:
                code = ended.code
        if code == Interrupted.exit_code:
            raise KeyboardInterrupt
        sys.stdout.flush()
        return int(code or 0), out.getvalue()

    return run
