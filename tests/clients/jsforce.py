"""jsforce: its script runs in the node of the clients and prints a line for each step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.clients.check import Result, read_lines, run_client
from tests.clients.python_clients import describe
from tests.clients.world import World

SCRIPT = Path(__file__).parent / "scripts" / "jsforce_work.js"


def run_script(world: World) -> Iterator[Result]:
    """The results of the script."""
    variables = {"NODE_PATH": str(world.tools.modules), **world.client("jsforce", "UATFULL")["environment"]}
    command: list[str | Path] = [world.tools.node, SCRIPT, json.dumps(describe(world, "jsforce", "UATFULL"))]
    yield from read_lines("jsforce", run_client(command, world.home("jsforce"), variables))


SCRIPTS: dict[str, Callable[[World], Iterator[Result]]] = {"jsforce": run_script}
