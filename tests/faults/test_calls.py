"""One call goes wrong, any call of any phase, in any way; or the process dies there. Then the same command again.

A world is rehearsed once and copied for each case. The judge is the practice org's own database: whatever went wrong,
the sandbox ends as it was, nothing twice, and the proof says what the tables say.
"""

import json
import os
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from rehearse.errors import RehearseError
from rehearse.practice import faults
from rehearse.practice.faults import ALLOWED, JOB_DEEDS, WIRE, Deed, Fault

LONG = os.environ.get("REHEARSE_TEST") == "all"
OBJECTS = ("Account", "Invoice__c", "InvoiceLine__c", "Routing__c", "Machine__c")
TYPES = ("CustomObject", "CustomLabels", "PermissionSet")
DEEDS = (*WIRE, "kill before", "kill after")
ANSWERS = ("empty", "406")
"""The org shows no rows, or refuses: things may then be left undone or unread, and nobody may say more than that."""
QUICK = {"stall": 0.2, "slow": 0.2}
"""Seconds that a fault takes which would take longer."""
PHASES = {"capture": 60, "plan": 60, "apply": 150, "prove": 60}
"""Phase -> about how many calls it makes; a case beyond the last call tests nothing and passes."""
SOME = [("capture", 36, "401"), ("prove", 17, "kill after")]
TRIES = 4


class Killed(BaseException):
    """What a kill looks like from inside: nothing may catch it."""


def cases() -> list[tuple[str, int, str]]:
    if not LONG:
        return SOME
    rng = random.Random("calls")
    return [(phase, k, deed) for phase, count in PHASES.items() for k in range(count) for deed in rng.sample(DEEDS, 2)]


def rehearse(lab: Any) -> None:
    routes = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 4')
    lab.update("Routing__c", {"Id": routes[0], "Remark__c": "changed\r\n#N/A"}, {"Id": routes[1], "Bank__c": None})
    lab.delete(routes[2], hard=True)
    lab.insert("Routing__c", {"Code__c": "NEW-1"}, {"Code__c": "NEW-2"})
    free = '"Id" NOT IN (SELECT "Invoice__c" FROM "Payment__c" WHERE "Invoice__c" IS NOT NULL)'
    invoices = lab.pick(f'"Invoice__c" WHERE {free} AND "LineCount__c" > 1 ORDER BY "Id" LIMIT 2')
    lab.insert("InvoiceLine__c", {"Invoice__c": invoices[0], "Quantity__c": 3})
    lab.delete(*invoices)
    (machine,) = lab.insert("Machine__c", {"Name": "New"})
    one, two = lab.pick('"Machine__c" WHERE "SerialNumber__c" IS NOT NULL ORDER BY "Id" LIMIT 2')
    numbers = [lab.value("Machine__c", id, "SerialNumber__c") for id in (one, two)]
    lab.update("Machine__c", {"Id": one, "SerialNumber__c": "for a moment"})
    lab.update("Machine__c", {"Id": two, "SerialNumber__c": numbers[0]})
    lab.update("Machine__c", {"Id": one, "SerialNumber__c": numbers[1]}, {"Id": machine, "State__c": "Down"})
    lab.deploy(
        {
            "objects/Routing__c.object": '<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">'
            "<fields><fullName>Extra__c</fullName><label>Extra</label><length>20</length><type>Text</type></fields>"
            "<validationRules><fullName>Extra_Rule</fullName><active>true</active><errorConditionFormula>"
            "LEN(Bank__c) &gt; 80</errorConditionFormula><errorMessage>no</errorMessage></validationRules>"
            "</CustomObject>"
        }
    )


@pytest.fixture(scope="module")
def worlds(seeded_folder: Path, module_folder: Path, lab_opener: Any) -> dict[str, Path]:
    """Phase -> a world that stands right before it; `before.json` in it names the baseline's capture."""
    found: dict[str, Path] = {}
    folder = module_folder / "work"
    shutil.copytree(seeded_folder, folder / "estate")

    def keep(phase: str, known: dict[str, Any]) -> None:
        (folder / "known.json").write_text(json.dumps(known))
        found[phase] = Path(shutil.copytree(folder, module_folder / phase))

    keep("capture", {})
    lab = lab_opener(folder)
    before = lab.capture(objects=OBJECTS, types=TYPES)
    rehearse(lab)
    lab.close()
    keep("plan", {"before": before.ulid})
    lab = lab_opener(folder)
    plan = lab.plan(lab.store.load(before.ulid))
    lab.close()
    keep("apply", {"before": before.ulid})
    lab = lab_opener(folder)
    lab.apply(plan)
    lab.close()
    keep("prove", {"before": before.ulid})
    return found


@pytest.fixture(scope="module")
def picture(worlds: dict[str, Path], module_folder: Path, lab_opener: Any, judge: Any) -> Any:
    """What the org held before the rehearsal."""
    lab = lab_opener(Path(shutil.copytree(worlds["capture"], module_folder / "first")))
    try:
        return judge.take_picture(lab)
    finally:
        lab.close()


def go_wrong(lab: Any, place: int, deed: str) -> None:
    """Let call number `place` from now on go wrong."""
    heard = -1

    def hook(when: str, method: str, path: str) -> None:
        nonlocal heard
        heard += when == "before"
        if heard != place:
            return
        if deed.startswith("kill"):
            if deed.endswith(when):
                lab.hook = None
                raise Killed
        elif when == "before":
            lab.hook = None
            soap = "/services/Soap/" in path
            point, pattern = ("SOAP", ".") if soap else (method, re.escape(path))
            lab.server.faults.put(Fault(point, pattern, 1, cast("Deed", deed), amount=QUICK.get(deed, 0.0)))

    lab.hook = hook


def again(act: Callable[[], Any]) -> Any:
    """The same command again, as a user does after an error."""
    for left in range(TRIES, -1, -1):
        try:
            return act()
        except (RehearseError, Killed):
            if not left:
                raise
    raise AssertionError


def put_back_and_judge(lab: Any, phase: str, picture: Any, judge: Any) -> tuple[Any, Any]:
    """Everything from this phase on, each command again after an error; the proof, and what the judge says of it."""
    known = json.loads((lab.folder / "known.json").read_text())
    if phase == "capture":
        before = again(lambda: lab.capture(objects=OBJECTS, types=TYPES))
        lab.hook = None
        rehearse(lab)
    else:
        before = lab.store.load(known["before"])
    rehearsed = judge.take_picture(lab)
    plan = again(lambda: lab.plan(before)) if phase in ("capture", "plan") else lab.saved_plan()
    report = again(lambda: lab.apply(plan)) if phase != "prove" else None
    proof = again(lambda: lab.prove(before, plan, report))
    return proof, judge.judge(lab, proof, picture, rehearsed, set(OBJECTS))


@pytest.mark.parametrize(("phase", "place", "deed"), cases())
def test_one_call_goes_wrong(
    worlds: dict[str, Path], picture: Any, lab_at: Any, tmp_path: Path, judge: Any, phase: str, place: int, deed: str
) -> None:
    lab = lab_at(Path(shutil.copytree(worlds[phase], tmp_path / "work")))
    go_wrong(lab, place, deed)
    proof, finding = put_back_and_judge(lab, phase, picture, judge)
    assert not finding.wrong or (deed in ANSWERS and proof.verdict == "partial")
    if deed not in ANSWERS:
        assert not finding.left
        assert proof.verdict == "clean-with-residue"


JOBS = {
    "capture": ("retrieve",),
    "plan": ("retrieve",),
    "apply": ("retrieve", "ingest", "deploy"),
    "prove": ("retrieve",),
}
WAITED_FOR = ("never-end",)
"""A job that never ends is waited for until somebody stops it; what was killed meanwhile waits for it again."""


def job_cases() -> list[tuple[str, str, str, str]]:
    found = [
        (phase, kind, deed, nth)
        for phase, kinds in JOBS.items()
        for kind in kinds
        for deed in JOB_DEEDS[f"{kind}-job"]
        for nth in ("1", "2")
        if deed not in WAITED_FOR
    ]
    return found if LONG else [("apply", "ingest", "some-fail", "1")]


@pytest.mark.parametrize("case", job_cases(), ids="-".join)
def test_one_job_goes_wrong_inside_the_org(
    worlds: dict[str, Path], picture: Any, lab_at: Any, tmp_path: Path, judge: Any, case: tuple[str, str, str, str]
) -> None:
    phase, kind, deed, nth = case
    lab = lab_at(Path(shutil.copytree(worlds[phase], tmp_path / "work")))
    lab.server.faults.put(faults.place(deed, f"{kind}-job", nth=int(nth), amount=QUICK.get(deed, 0.0)))
    proof, finding = put_back_and_judge(lab, phase, picture, judge)
    assert not finding.wrong
    assert not finding.left
    assert proof.verdict == "clean-with-residue"


def test_every_fault_of_the_practice_org_is_in_a_case() -> None:
    """But for those of sandbox copies, which tests/refresh and tests/practice meet."""
    jobs = {deed for kinds in JOBS.values() for kind in kinds for deed in JOB_DEEDS[f"{kind}-job"]}
    assert {*DEEDS, *jobs, *ALLOWED["COPY"]} == {*faults.DEEDS, "kill before", "kill after"}
