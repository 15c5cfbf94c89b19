"""The Salesforce CLI: create, resume, refresh and delete a sandbox, while the practice clock is moved."""

from __future__ import annotations

from typing import Any

from tests.clients.check import Check, need
from tests.clients.sf import sf, sf_status
from tests.clients.world import World

NAME = "CLIBOX"
STILL_RUNNING = 68  # the exit code of the CLI for a copy that is not finished
IN_TIME = ("--wait", "2")


def _process(world: World, status: int, body: dict[str, Any]) -> dict[str, Any]:
    need(status in (0, STILL_RUNNING), body)
    found: dict[str, Any] = body.get("result") or body.get("data") or body
    return found


def create(world: World) -> str:
    """sf org create sandbox --async."""
    command = ["org", "create", "sandbox", "-n", NAME, "-l", "Developer", "-o", "prod", "--async", "--no-prompt"]
    status, body = sf_status(world, *command, "--alias", "clibox")
    found = _process(world, status, body)
    need(NAME in str(found), body)
    return f"exit {status}: {found.get('Status')}"


def resume(world: World) -> str:
    """sf org resume sandbox, when the copy has ended: the CLI logs itself in."""
    world.rehearse("practice", "clock", "--move", "2d")
    status, body = sf_status(world, "org", "resume", "sandbox", "-n", NAME, "-o", "prod", *IN_TIME)
    found = _process(world, status, body)
    need(status == 0 and found.get("Status") == "Completed", body)
    shown = sf(world, "org", "display", "-o", "clibox")
    need(shown["connectedStatus"] == "Connected", shown)
    return f"{found['Status']}; {shown['username']} is logged in, org {shown['id']}"


def query_inside(world: World) -> str:
    """The login that the CLI made for the new sandbox works."""
    found = sf(world, "data", "query", "-q", "SELECT Id, IsSandbox FROM Organization", "-o", "clibox")
    need(found["records"][0]["IsSandbox"] is True, found)
    return f"Organization {found['records'][0]['Id']}"


def refresh(world: World) -> str:
    """sf org refresh sandbox --async, and a new org id after it."""
    before = sf(world, "org", "display", "-o", "clibox")["id"]
    world.rehearse("practice", "clock", "--move", "3d")
    command = ["org", "refresh", "sandbox", "-n", NAME, "-o", "prod", "--async", "--no-prompt"]
    status, body = sf_status(world, *command)
    _process(world, status, body)
    world.rehearse("practice", "clock", "--move", "2d")
    status, body = sf_status(world, "org", "resume", "sandbox", "-n", NAME, "-o", "prod", *IN_TIME)
    found = _process(world, status, body)
    need(status == 0 and found.get("Status") == "Completed", body)
    after = found["SandboxOrganization"]
    need(after[:15] != before[:15], f"{before} {after}")
    return f"{before} became {after}"


def delete(world: World) -> str:
    """sf org delete sandbox."""
    sf(world, "org", "delete", "sandbox", "-o", "clibox", "--no-prompt")
    world.rehearse("practice", "clock", "--move", "1d")
    found = sf(
        world, "data", "query", "-t", "-q", f"SELECT Id FROM SandboxInfo WHERE SandboxName = '{NAME}'", "-o", "prod"
    )
    need(found["totalSize"] == 0, found)
    return "its SandboxInfo is gone"


CHECKS = (
    Check("sf", "org create sandbox", create),
    Check("sf", "org resume sandbox", resume),
    Check("sf", "data query in the new sandbox", query_inside),
    Check("sf", "org refresh sandbox", refresh),
    Check("sf", "org delete sandbox", delete),
)
