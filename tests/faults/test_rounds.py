"""Rounds of rehearsal and reset on one sandbox, each held against the org's own tables.

Every other baseline is built on the one before it, every plan and proof on the baseline; ids that came back under
another name stay so from round to round, and between two steps anything may be purged. An increment must hold what a
whole capture holds, and a proof of the whole must say what the proof said.
"""

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

from rehearse import clock
from rehearse.baseline import capture_rows
from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.model import Scope
from rehearse.reset.gather import GatherRequest, gather
from rehearse.reset.live_capture import capture_live
from rehearse.reset.plan import build_plan
from rehearse.reset.prove import ProofRequest, prove

FIRST, COUNT = (int(one) for one in os.environ.get("REHEARSE_SEEDS", "1+1").split("+"))
LONG = os.environ.get("REHEARSE_TEST") == "all"
SEEDS = range(FIRST, FIRST + (max(COUNT, 40) if LONG and "REHEARSE_SEEDS" not in os.environ else COUNT))
TYPES = (
    "CustomObject", "CustomLabels", "Flow", "FlowDefinition", "PermissionSet", "Layout", "ApexClass", "ApexTrigger",
    "Report", "GlobalValueSet",
)  # fmt: skip


@pytest.fixture(autouse=True)
def small_objects_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Build on a base whatever its stamps allow, however few rows it has."""
    real = capture_rows.can_build
    monkeypatch.setattr(capture_rows, "can_build", lambda base, scope, schema, _: real(base, scope, schema, 0))


def purge(lab: Any, rng: random.Random) -> str:
    """The bin is emptied, and what it held is in no query any more."""
    if rng.random() < 0.5:
        return ""
    with lab.org.transaction() as db:
        found = db.execute("SELECT id, object FROM recycle_bin").fetchall()
        gone = rng.sample(found, rng.randint(0, len(found)))
        for id, object in gone:
            db.execute("DELETE FROM recycle_bin WHERE id = ?", (id,))
            db.execute(f'DELETE FROM "{object}" WHERE "Id" = ? AND "IsDeleted" = 1', (id,))
    return f"purged {gone}"


class Rounds:
    """One sandbox, rehearsed on and reset again and again."""

    def __init__(self, lab: Any, rng: random.Random, parts: tuple[Any, Any, Any], with_metadata: bool) -> None:
        self.lab, self.rng, self.with_metadata = lab, rng, with_metadata
        self.chance, self.chance_metadata, self.judge = parts
        many = rng.random() < 0.5 and LONG
        self.objects = self.chance.OBJECTS if many else tuple(rng.sample(self.chance.OBJECTS, 7 if LONG else 3))
        self.said: list[str] = []
        self.base: Any = None

    def baseline(self) -> Any:
        """A baseline, on top of the last one, and the same one read whole."""
        lab = self.lab
        scope = Scope(metadata_include=TYPES if self.with_metadata else (), objects=self.objects)
        found = capture(lab.writer.reader, CaptureRequest("UATFULL", scope, base=self.base), lab.store)
        if self.base is not None:
            whole = capture(lab.writer.reader, CaptureRequest("UATFULL", scope), lab.store)
            assert found.snapshot_id == whole.snapshot_id, "\n".join([*self.said, "an increment is not the whole"])
        self.base = found
        return found

    def rehearse(self) -> None:
        for _ in range(2):
            if self.with_metadata:
                self.said += self.chance_metadata.hold(self.lab, self.rng, self.rng.randint(0, 2))
            self.said += self.chance.hold(self.lab, self.rng, self.rng.randint(1, 7), self.objects)
            self.said.append(purge(self.lab, self.rng))

    def plan(self, before: Any) -> Any:
        lab = self.lab
        live = capture_live(lab.writer.reader, lab.store, before, lambda event: None, before)
        asked = GatherRequest("UATFULL", "B1", before, live, clock.now(), lab.ids.load())
        return build_plan(gather(lab.writer.reader, lab.store, asked))

    def prove(self, before: Any, plan: Any, report: Any, full: bool) -> Any:
        lab = self.lab
        asked = ProofRequest("B1", before, clock.now(), plan, report, lab.ids.load(), full=full)
        return prove(lab.writer.reader, lab.store, asked)

    def hold(self) -> None:
        before = self.baseline()
        picture = self.judge.take_picture(self.lab)
        self.rehearse()
        rehearsed = self.judge.take_picture(self.lab)
        plan = self.plan(before)
        report = self.lab.apply(plan, ask_more=lambda rows: True)
        self.said.append(purge(self.lab, self.rng))
        proof, full = (self.prove(before, plan, report, one) for one in (False, True))
        self.said.append(f"-- {proof.verdict}")
        finding = self.judge.judge(self.lab, proof, picture, rehearsed, set(self.objects))
        assert not finding.wrong, "\n".join([*self.said, *finding.wrong])
        assert outcomes(proof) == outcomes(full), "\n".join(
            [*self.said, *map(str, sorted(outcomes(proof).items() ^ outcomes(full).items()))]
        )


def outcomes(proof: Any) -> dict[tuple[str, str], str]:
    return {(one.type, one.key): one.outcome for one in proof.items} | {("", ""): proof.verdict}


@pytest.mark.parametrize("with_metadata", [False, True] if LONG else [False])
@pytest.mark.parametrize("seed", SEEDS)
def test_round_after_round_no_proof_says_more_than_the_tables(
    lab_at: Callable[..., Any], chance: Any, chance_metadata: Any, judge: Any, seed: int, with_metadata: bool
) -> None:
    rng = random.Random(f"rounds {seed}")
    rounds = Rounds(lab_at(), rng, (chance, chance_metadata, judge), with_metadata)
    for _ in range(rng.randint(2, 4) if LONG else 1):
        rounds.hold()
    rounds.baseline()
