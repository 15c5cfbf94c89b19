"""`python -m tests.clients [part of a client's or check's name …]`: real clients do their ordinary work.

Installs the clients where they are missing, starts a practice world of its own, runs the list and prints PASS or FAIL
with the evidence for each. Exit 1 on any FAIL. Needs npm and network only while a client is missing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

from tests.clients import cumulusci, jsforce, python_clients, sf_data, sf_metadata, sf_org, sf_sandbox, sfdmu
from tests.clients.check import Check, Failed, Result, shorten
from tests.clients.install import install
from tests.clients.world import World, open_world

SUITES = (sf_org, sf_data, sf_metadata, sf_sandbox, cumulusci, sfdmu)
SCRIPTS = (jsforce, python_clients)


def run_checks(world: World, wanted: list[str]) -> Iterator[Result]:
    """Every result, as it comes; a login of the CLI is done whatever is wanted."""
    for suite in SUITES:
        for check in suite.CHECKS:
            if not wanted or check in sf_org.LOGINS or any(one in f"{check.client} {check.name}" for one in wanted):
                yield run_check(world, check)
    for script in SCRIPTS:
        for name, run in script.SCRIPTS.items():
            if not wanted or any(one in name for one in wanted):
                try:
                    yield from run(world)
                except Failed as failure:
                    yield Result(name, "the script runs", False, str(failure))


def run_check(world: World, check: Check) -> Result:
    """One check; what it raises is its evidence."""
    try:
        return Result(check.client, check.name, True, shorten(check.run(world)))
    except Failed as failure:
        return Result(check.client, check.name, False, str(failure))
    except (KeyError, IndexError, ValueError, RuntimeError, OSError) as error:
        return Result(check.client, check.name, False, shorten(f"{type(error).__name__}: {error}"))


def main(wanted: list[str]) -> int:
    """Run the list; the exit code."""
    started = time.monotonic()
    with open_world(install()) as world:
        results = []
        for one in run_checks(world, wanted):
            results.append(one)
            print(f"{'PASS' if one.passed else 'FAIL'}  {one.client:18} {one.name:40} {one.evidence}", flush=True)
    failed = sum(1 for one in results if not one.passed)
    print(f"{len(results) - failed} of {len(results)} passed in {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
