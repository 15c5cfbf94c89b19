"""simple-salesforce, zeep and pyforce: scripts run in the Python of the clients and print a line for each step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.clients.check import Result, read_lines, run_client
from tests.clients.world import World

FOLDER = Path(__file__).parent / "scripts"


def describe(world: World, client: str, org: str) -> dict[str, Any]:
    """What a script needs to know of the world, secrets read from the files that connect names."""
    access, one = world.access(org), world.org(org)
    return {
        "url": access["url"],
        "http_url": access["http_url"],
        "now": json.loads(world.rehearse("practice", "status", "--json"))["clock"]["now"],
        "token": one["access_token"],
        "org_id": one["org_id"],
        "username": one["username"],
        "client_id": one["client_id"],
        "client_secret": Path(one["client_secret_file"]).read_text(encoding="ascii"),
        "password": Path(access["password_file"]).read_text(encoding="ascii"),
        "security_token": Path(access["security_token_file"]).read_text(encoding="ascii"),
        "jwt_key_file": access["jwt_key_file"],
        "partner_wsdl": str(world.tools.modules / "jsforce" / "src" / "api" / "soap" / "wsdl.xml"),
        **{name: value for name, value in world.client(client, org)["settings"].items() if name == "metadata"},
    }


def run_script(client: str, script: str, org: str, world: World) -> Iterator[Result]:
    """The results of one script."""
    variables = dict(world.client(client, org)["environment"])
    command: list[str | Path] = [world.tools.python, FOLDER / script, json.dumps(describe(world, client, org))]
    yield from read_lines(client, run_client(command, world.home(script), variables))


SCRIPTS: dict[str, Callable[[World], Iterator[Result]]] = {
    "simple-salesforce logins": partial(run_script, "simple-salesforce", "simple_salesforce_logins.py", "UATFULL"),
    "simple-salesforce work": partial(run_script, "simple-salesforce", "simple_salesforce_work.py", "DEV2"),
    "soap": partial(run_script, "soap", "zeep_metadata.py", "DEV2"),
    "pyforce": partial(run_script, "soap", "pyforce_work.py", "DEV2"),
    "soap enterprise": partial(run_script, "soap", "zeep_enterprise.py", "UATFULL"),
    "soap partner": partial(run_script, "soap", "zeep_partner.py", "UATFULL"),
}
