"""Killed at every call: before it is sent, and after it took effect but before anybody wrote that down; then continued.

One world with every kind of record change and some metadata is rehearsed once and copied for each kill. The judge is
the practice org's own database: after the continued reset it holds what it held before the rehearsal, no row twice.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OBJECTS = ("Account", "Contact", "Invoice__c", "InvoiceLine__c", "Routing__c", "Project__c", "ProjectMember__c")
TYPES = ("CustomObject", "ValidationRule", "CustomField", "CustomLabels")
UNPAID = '"Id" NOT IN (SELECT "Invoice__c" FROM "Payment__c" WHERE "Invoice__c" IS NOT NULL)'
NOT_SET_BY_INSERT = ("CreatedDate", "CreatedById", "Name", "Number__c", "GateCode__c")
RULE = """<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">
    <validationRules><fullName>Added_By_Rehearsal</fullName><active>true</active>
        <errorConditionFormula>LEN(Bank__c) &gt; 80</errorConditionFormula>
        <errorMessage>Too long</errorMessage></validationRules>
</CustomObject>
"""


WRITES, SURELY = 70, 50
LONG = os.environ.get("REHEARSE_TEST") == "all"
MOMENTS = ("before", "after")
SOME = [(24, "after")]
KILLS = [(kill, moment) for kill in range(WRITES) for moment in MOMENTS] if LONG else SOME
"""Which calls to kill at. A full run makes about 66 that are not GET, fewer where a slow machine asks less often how
far a job is, but more than SURELY; tests/faults/test_moments.py has the
moments that matter most by name."""


class Killed(BaseException):
    """What a kill looks like from inside: nothing may catch it."""


def rehearse(lab: Any) -> None:
    """Every kind of record change, and a little metadata."""
    (account,) = lab.insert("Account", {"Name": "Slipway & Sons"})
    (invoice,) = lab.insert("Invoice__c", {"Account__c": account, "Status__c": "Draft"})
    lab.insert("InvoiceLine__c", {"Invoice__c": invoice, "Quantity__c": 2}, {"Invoice__c": invoice, "Quantity__c": 3})
    (umbrella,) = lab.insert("Project__c", {"Name": "Umbrella"})
    kept, other, gone = lab.pick(
        '"Project__c" WHERE "Id" <> ? AND "MemberCount__c" > 0 ORDER BY "Id" LIMIT 3', umbrella
    )
    lab.update("Project__c", {"Id": kept, "Parent__c": umbrella, "Story__c": None}, automation=False)
    lab.update("Project__c", {"Id": other, "Parent__c": gone}, automation=False)
    routes = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 5')
    lab.update("Routing__c", {"Id": routes[0], "Remark__c": "changed"}, {"Id": routes[1], "Bank__c": None})
    lab.delete(routes[2])
    lab.delete(routes[3], hard=True)
    members = lab.pick('"ProjectMember__c" WHERE "Project__c" = ?', gone)
    lab.delete(*members, gone, hard=True)
    lab.delete(*lab.pick(f'"Invoice__c" WHERE {UNPAID} AND "LineCount__c" > 1 ORDER BY "Id" LIMIT 2'))
    lab.deploy({"objects/Routing__c.object": RULE})


@pytest.fixture(scope="module")
def rehearsed(seeded_folder: Path, module_folder: Path) -> tuple[Path, dict[str, Any]]:
    """A world with a baseline, a rehearsal and a saved plan; and what it held before the rehearsal."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("reset_lab", Path(__file__).with_name("conftest.py"))
    assert spec is not None and spec.loader is not None
    lab_file = importlib.util.module_from_spec(spec)
    sys.modules["reset_lab"] = lab_file
    spec.loader.exec_module(lab_file)
    folder = module_folder / "rehearsed"
    shutil.copytree(seeded_folder, folder / "estate")
    lab = lab_file.open_lab(folder)
    try:
        before = lab.capture(objects=OBJECTS, types=TYPES)
        picture = comparable(lab.photograph(OBJECTS), {})
        rehearse(lab)
        lab.plan(before)
    finally:
        lab.close()
    return folder, {"before": before.ulid, "picture": picture}


def comparable(picture: Any, ids: dict[str, str]) -> dict[str, Any]:
    """A photograph with new ids mapped back, without what no insert can set on rows that have a new id."""
    back = {new: old for old, new in ids.items()}
    found: dict[str, Any] = {"components": picture.components, "flows": picture.flows}
    for object, rows in picture.rows.items():
        for id, row in rows.items():
            found[f"{object} {back.get(id, id)}"] = {
                name: back.get(value, value) if isinstance(value, str) else value for name, value in row.items()
            }
    return found


def assert_back(lab: Any, known: dict[str, Any]) -> None:
    ids = lab.ids.load()
    after, before = comparable(lab.photograph(OBJECTS), ids), known["picture"]
    for place in {*after, *before}:
        now, then = after.get(place), before.get(place)
        if place.partition(" ")[2] in ids and now and then:
            now, then = ({k: v for k, v in one.items() if k not in NOT_SET_BY_INSERT} for one in (now, then))
        assert now == then, place


def is_write(method: str, path: str) -> bool:
    """Not GET; the SOAP calls of retrieves are among them, which only makes the loop longer."""
    return method != "GET" and "/jobs/query" not in path


@pytest.mark.parametrize(("kill", "moment"), KILLS)
def test_killed_at_a_write_and_continued(
    rehearsed: tuple[Path, dict[str, Any]], lab_at: Callable[..., Any], tmp_path: Path, kill: int, moment: str
) -> None:
    folder, known = rehearsed
    work = shutil.copytree(folder, tmp_path / "work")
    lab = lab_at(work)
    run_killed(lab, kill, moment)
    lab.hook = None
    proof = lab.continue_and_prove(known["before"])
    assert_back(lab, known)
    assert proof.verdict == "clean-with-residue"


def run_killed(lab: Any, kill: int, moment: str) -> int:
    """Apply, killed at write number `kill`; answers how many writes there were, one more when it was killed."""
    heard = 0

    def hook(when: str, method: str, path: str) -> None:
        nonlocal heard
        if not is_write(method, path):
            return
        if when == "before":
            heard += 1
        if heard == kill + 1 and when == moment:
            raise Killed

    lab.hook = hook
    try:
        lab.apply(lab.saved_plan())
    except Killed:
        return heard + 1
    return heard


@pytest.mark.parametrize("kill", range(0, WRITES, 7) if LONG else (16,))
def test_a_process_that_is_really_killed(
    rehearsed: tuple[Path, dict[str, Any]], lab_at: Callable[..., Any], tmp_path: Path, kill: int
) -> None:
    """SIGKILL: no cleanup, no closed file, and the lock of the dead process is taken over."""
    folder, known = rehearsed
    work = shutil.copytree(folder, tmp_path / "work")
    lab = lab_at(work)
    child = Path(__file__).with_name("killed_child.py")
    given = [sys.executable, str(child), str(work), lab.server.http_url, *lab.tokens(), str(kill)]
    here = {**os.environ, "TMPDIR": str(tmp_path)}  # where a killed process leaves its temporary folder
    ended = subprocess.run(given, timeout=120, check=False, env=here).returncode
    assert ended == -signal.SIGKILL or (kill > SURELY and ended == 0)
    proof = lab.continue_and_prove(known["before"])
    assert_back(lab, known)
    assert proof.verdict == "clean-with-residue"
