"""What a check is, and the two things it does: run a client in an environment of its own, and judge what came back.

A check answers with its evidence, a sentence with figures from the client's own output, or raises Failed. A client gets
an empty HOME, the variables that `rehearse practice connect` prints for it, and nothing else of this machine but PATH.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.world import World

PATIENCE = 300  # seconds for one command of a client


class Failed(Exception):
    """The client did not do its work; the text is the evidence."""


@dataclass(frozen=True)
class Check:
    """One line of the list."""

    client: str
    name: str
    run: Callable[[World], str]


@dataclass(frozen=True)
class Result:
    """A line of the answer."""

    client: str
    name: str
    passed: bool
    evidence: str


def need(held: object, evidence: object) -> None:
    """Raise Failed with the evidence unless something holds."""
    if not held:
        raise Failed(shorten(str(evidence)))


def shorten(text: str, most: int = 300) -> str:
    """One line of bounded length."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def run_client(
    command: Sequence[str | Path], home: Path, environment: Mapping[str, str], *, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a client's command to its end. Raises Failed when it takes longer than five minutes."""
    home.mkdir(parents=True, exist_ok=True)
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb", **environment}
    try:
        return subprocess.run(
            [str(part) for part in command],
            cwd=cwd or home,
            env=variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise Failed(f"no end within {PATIENCE} s: {shorten(' '.join(map(str, late.cmd)))}") from late


def need_success(done: subprocess.CompletedProcess[str]) -> str:
    """The standard output of a command that must have ended well."""
    need(done.returncode == 0, f"exit {done.returncode}: {done.stderr[-600:]} {done.stdout[-600:]}")
    return done.stdout


def read_lines(client: str, done: subprocess.CompletedProcess[str]) -> list[Result]:
    """The results that a script printed, a JSON object each; a script that broke off is a failure of its own."""
    found: list[Result] = []
    for line in done.stdout.splitlines():
        if line.startswith('{"check"'):
            one: dict[str, Any] = json.loads(line)
            found.append(Result(client, one["check"], bool(one["passed"]), shorten(one["evidence"])))
    if done.returncode != 0 or not found:
        found.append(Result(client, "the script ends", False, shorten(done.stderr[-800:] or done.stdout[-800:])))
    return found
