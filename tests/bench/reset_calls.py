"""How many API calls a reset of 1,000 mixed changes takes, beside the least that the API allows.

The least: for each object and operation one write for 200 rows and one read before it for 2,000. Counted at our wire,
and held against the number of requests that the practice org itself answered. What reads the org again after the
writes, to see whether anything is left, is proof and is told apart.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench.measure import show

OBJECTS = (
    "Account", "Contact", "Opportunity", "Case", "Event", "Task", "Routing__c", "Product2", "Machine__c",
)  # fmt: skip
CHANGED = {
    "Account": "Description",
    "Contact": "Description",
    "Opportunity": "Description",
    "Case": "Subject",
    "Event": "Subject",
    "Task": "Description",
    "Product2": "Description",
}
MADE = {
    "Account": {"Name": "New {}"},
    "Contact": {"LastName": "New {}"},
    "Case": {"Subject": "New {}"},
    "Routing__c": {"Code__c": "NEW-{}"},
    "Product2": {"Name": "New {}"},
}
RECORDS = 20_000
WRITTEN = 200
READ = 2_000


def run(folder: Path) -> None:
    """Print the ratio, and where the calls went."""
    lab = _open_lab(folder)
    try:
        before = lab.capture(objects=OBJECTS)
        _rehearse(lab)
        plan = lab.plan(before)
        work = Counter((one.type, one.do) for one in plan.actions)
        least = sum(-(-count // WRITTEN) + -(-count // READ) for count in work.values())
        with _counting(lab) as calls:
            report = lab.apply(plan, keep_newer=False)
        verdict = lab.prove(before, plan, report).verdict
    finally:
        lab.close()
    told = ", ".join(f"{object} {do} {count}" for (object, do), count in sorted(work.items()))
    show(f"{sum(work.values()):,} changes undone, {verdict}: {told}")
    spent = calls["write"] + calls["read"]
    show(f"API calls of the reset / the least: {spent / least:.2f} x ({spent} / {least}); wanted: 1.5 x")
    show(
        f"  writes {calls['write']}, reads {calls['read']}; before them {calls['gate']} to see whether the "
        f"plan is stale, after them {calls['proof']} of the passes' own proof"
    )
    for (kind, what), count in sorted(calls["by"].items(), key=lambda one: -one[1]):
        show(f"    {kind:5} {count:4}  {what}")


def _rehearse(lab: Any) -> None:
    """About 1,000 changes over nine objects: 490 updates, 350 rows made, 160 deleted."""
    for object, field in CHANGED.items():
        rows = lab.pick(f'"{object}" WHERE "IsDeleted" = 0 ORDER BY "Id" LIMIT 70')
        lab.update(object, *({"Id": one, field: "rehearsal"} for one in rows), automation=False)
    for object, values in MADE.items():
        made = [{name: text.format(number) for name, text in values.items()} for number in range(70)]
        lab.insert(object, *made, by="release", automation=False)
    lab.delete(*lab.pick('"Task" WHERE "IsDeleted" = 0 ORDER BY "Id" DESC LIMIT 80'))
    free = '"Id" NOT IN (SELECT "Machine__c" FROM "ServiceVisit__c" WHERE "Machine__c" IS NOT NULL)'
    lab.delete(*lab.pick(f'"Machine__c" WHERE "IsDeleted" = 0 AND {free} ORDER BY "Id" LIMIT 80'))


@contextmanager
def _counting(lab: Any) -> Iterator[Any]:
    """Counts the calls of the writer's wire by kind; those made while a pass captures count as proof."""
    from rehearse.reset import apply as apply_begin
    from rehearse.reset import apply_passes

    calls: Any = {"write": 0, "read": 0, "proof": 0, "gate": 0, "by": Counter()}
    state = {"now": ""}
    capture, again = apply_passes.capture_live, apply_passes._plan_again
    gate = apply_begin._fetch_moved

    def heard(when: str, method: str, path: str) -> None:
        if when != "before":
            return
        writes = method in ("PATCH", "DELETE", "PUT") or (method == "POST" and "/jobs/ingest" in path)
        kind = state["now"] or ("write" if writes else "read")
        calls[kind] += 1
        calls["by"][(kind, f"{method} {path.partition('/services/')[2]}")] += 1

    def marked(kind: str, act: Any) -> Any:
        def acting(*given: Any) -> Any:
            state["now"] = kind
            try:
                return act(*given)
            finally:
                state["now"] = ""

        return acting

    lab.hook, apply_passes.capture_live = heard, marked("proof", capture)
    apply_passes._plan_again, apply_begin._fetch_moved = marked("proof", again), marked("gate", gate)
    try:
        yield calls
    finally:
        lab.hook, apply_passes.capture_live, apply_passes._plan_again = None, capture, again
        apply_begin._fetch_moved = gate


def _open_lab(folder: Path) -> Any:
    """The laboratory of tests/reset over a world of its own."""
    from rehearse.practice import seed
    from rehearse.practice.tls import ensure_certificate

    seeded = folder / f"lab-{RECORDS}"
    if not seeded.exists():
        seed.build(seeded, 1, records=RECORDS).close()
        ensure_certificate(seeded)
    place = folder / "reset-calls"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(seeded, place / "estate")
    path = Path(__file__).parents[1] / "reset" / "conftest.py"
    spec = importlib.util.spec_from_file_location("reset_lab", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["reset_lab"] = module
    spec.loader.exec_module(module)
    return module.open_lab(place)
