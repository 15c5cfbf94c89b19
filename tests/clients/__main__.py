"""`python -m tests.clients [part of a client's or check's name …]`: real clients do their ordinary work.

Installs the clients where they are missing, starts practice worlds of their own for them, runs the list and prints
PASS or FAIL with the evidence for each. Exit 1 on any FAIL. Needs npm and network only while a client is missing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from tests.clients import cumulusci, jsforce, python_clients, sf_data, sf_metadata, sf_org, sf_sandbox, sfdmu
from tests.clients.check import Check, Failed, Result, shorten
from tests.clients.install import Tools, install
from tests.clients.world import World, open_world

AT_ONCE = 4  # groups that run beside each other


@dataclass(frozen=True)
class Group:
    """Checks that share a world of their own, one after the other; `first` is done silently unless it fails."""

    checks: Sequence[Check] = ()
    first: Sequence[Check] = ()
    scripts: dict[str, Callable[[World], Iterator[Result]]] = field(default_factory=dict)

    def choose(self, wanted: list[str]) -> Group:
        """The part of this group whose names hold one of the texts; all of it for none."""
        if not wanted:
            return self
        checks = [one for one in self.checks if any(text in f"{one.client} {one.name}" for text in wanted)]
        scripts = {name: run for name, run in self.scripts.items() if any(text in name for text in wanted)}
        return Group(checks, self.first if checks else (), scripts)


GROUPS = (
    Group(sf_data.CHECKS, sf_org.LOGINS),
    Group(sf_metadata.CHECKS, sf_org.LOGINS),
    Group(sf_sandbox.CHECKS, sf_org.LOGINS),
    Group(sf_org.CHECKS, sf_org.LOGINS),
    Group(cumulusci.CHECKS),
    Group(sfdmu.CHECKS),
    Group(scripts=jsforce.SCRIPTS),
    Group(scripts=python_clients.SCRIPTS),
)


def run_group(tools: Tools, group: Group) -> list[Result]:
    """Every result of a group, printed as it comes."""
    results: list[Result] = []
    with open_world(tools) as world:
        for one in (run_check(world, check) for check in group.first if check not in group.checks):
            if not one.passed:
                results.append(show(one))
        for check in group.checks:
            results.append(show(run_check(world, check)))
        for name, run in group.scripts.items():
            try:
                results += [show(one) for one in run(world)]
            except Failed as failure:
                results.append(show(Result(name, "the script runs", False, str(failure))))
    return results


def show(one: Result) -> Result:
    """Print a line, and hand it on."""
    print(f"{'PASS' if one.passed else 'FAIL'}  {one.client:18} {one.name:40} {one.evidence}", flush=True)
    return one


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
    tools = install()
    groups = [part for group in GROUPS if (part := group.choose(wanted)).checks or part.scripts]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = [pool.submit(run_group, tools, group) for group in groups]
        results = [one for done in as_completed(running) for one in done.result()]
    failed = [one for one in results if not one.passed]
    for one in failed:
        print(f"FAILED: {one.client}: {one.name}: {one.evidence}")
    print(f"{len(results) - len(failed)} of {len(results)} passed in {time.monotonic() - started:.0f} s")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
