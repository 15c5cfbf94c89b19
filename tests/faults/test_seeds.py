"""Random rehearsals, reset and proved, and every proof held against the org's own tables."""

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

FIRST, COUNT = (int(one) for one in os.environ.get("REHEARSE_SEEDS", "1+3").split("+"))
LONG = os.environ.get("REHEARSE_TEST") == "all"
ASKED = "REHEARSE_SEEDS" in os.environ
SEEDS = range(FIRST, FIRST + (max(COUNT, 120) if LONG and not ASKED else COUNT))
CASES = [(seed, way) for seed in SEEDS for way in (False, True)] if LONG or ASKED else [(2, True)]
TYPES = (
    "CustomObject", "CustomLabels", "Flow", "FlowDefinition", "Profile", "PermissionSet", "Layout", "ApexClass",
    "ApexTrigger", "Report", "GlobalValueSet",
)  # fmt: skip


def rehearse_and_judge(lab: Any, seed: int, parts: tuple[Any, Any, Any], with_metadata: bool) -> Any:
    """One rehearsal of this seed, its reset, its proof, and what the judge says."""
    chance, chance_metadata, judge = parts
    rng = random.Random(f"faults {seed}")
    objects = chance.OBJECTS if rng.random() < 0.7 else tuple(rng.sample(chance.OBJECTS, 8))
    before = lab.capture(objects=objects, types=TYPES if with_metadata else ())
    picture = judge.take_picture(lab)
    said: list[str] = []
    for _ in range(2):
        said += chance_metadata.hold(lab, rng, rng.randint(0, 3)) if with_metadata else []
        said += chance.hold(lab, rng, rng.randint(1, 9), objects)
    rehearsed = judge.take_picture(lab)
    plan = lab.plan(before)
    report = lab.apply(plan, ask_more=lambda rows: True)
    proof = lab.prove(before, plan, report)
    return said, proof, judge.judge(lab, proof, picture, rehearsed, set(objects))


@pytest.mark.parametrize(("seed", "with_metadata"), CASES)
def test_a_proof_says_what_the_tables_say(
    lab_at: Callable[..., Any], chance: Any, chance_metadata: Any, judge: Any, seed: int, with_metadata: bool
) -> None:
    said, proof, finding = rehearse_and_judge(lab_at(), seed, (chance, chance_metadata, judge), with_metadata)
    story = "\n".join([*said, proof.verdict, *finding.left])
    if path := os.environ.get("REHEARSE_FINDINGS"):
        open_items = [one for one in proof.items if one.outcome not in ("restored", "already equal", "residue")]
        with open(path, "a") as file:
            lines = [f"  {one.outcome}: {one.type} {one.key}: {one.detail}" for one in open_items]
            file.write(f"{seed} {with_metadata} {proof.verdict} wrong={finding.wrong}\n" + "\n".join(lines) + "\n")
    assert not finding.wrong, story
