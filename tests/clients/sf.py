"""The Salesforce CLI as the checks call it: with --json, in the HOME that its logins are kept in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.clients.check import Failed, need, run_client, shorten
from tests.clients.world import World

ALIASES = {"production": "prod", "UATFULL": "uat", "DEV1": "dev"}


def environment(world: World, org: str = "UATFULL") -> dict[str, str]:
    """The variables that `practice connect` prints, and the node that the CLI wants first on PATH."""
    found: dict[str, str] = dict(world.client("sf", org)["environment"])
    return {**found, "PATH": f"{world.tools.node.parent}{os.pathsep}{os.environ['PATH']}"}


def sf(world: World, *arguments: str, cwd: Path | None = None, more: dict[str, str] | None = None) -> Any:
    """The `result` of a command with --json. Raises Failed with the CLI's own message."""
    status, body = sf_status(world, *arguments, cwd=cwd, more=more)
    need(status == 0, f"status {status}: {body.get('name')}: {body.get('message')} {json.dumps(body)[:400]}")
    return body["result"]


def sf_status(
    world: World, *arguments: str, cwd: Path | None = None, more: dict[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Exit code and whole JSON answer of a command."""
    variables = {**environment(world), **(more or {})}
    done = run_client([*world.tools.sf, *arguments, "--json"], world.home("sf"), variables, cwd=cwd)
    try:
        body: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise Failed(f"exit {done.returncode}, no JSON: {shorten(done.stdout)} {shorten(done.stderr)}") from None
    return done.returncode, body


def sf_text(world: World, *arguments: str, cwd: Path | None = None) -> str:
    """What a command prints without --json. Raises Failed unless it ends well."""
    done = run_client([*world.tools.sf, *arguments], world.home("sf"), environment(world), cwd=cwd)
    need(done.returncode == 0, f"exit {done.returncode}: {done.stderr[-500:]} {done.stdout[-500:]}")
    return done.stdout
