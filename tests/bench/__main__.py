"""`python -m tests.bench`: timings as ratios against a named reference of the same run. Prints, and never asserts.

Each benchmark runs several rounds, interleaved with its reference; the median and the range are shown. The practice
world is made in a temporary folder, or kept in `--folder` for the next time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from tests.bench import capture, compare, components, plan, reset_calls, serve, start
from tests.bench.measure import show


def main() -> None:
    """Run the benchmarks that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    known = ["start", "serve", "capture", "components", "compare", "reset", "plan"]
    parser.add_argument("--only", choices=known, help="one benchmark instead of all")
    parser.add_argument("--records", type=int, default=200_000, help="how many records the captured org holds")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each benchmark")
    parser.add_argument("--folder", type=Path, help="keep the seeded worlds here between runs")
    asked = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    show(f"{cores} cores, load {' '.join(f'{one:.1f}' for one in os.getloadavg())}, {asked.rounds} rounds")
    with tempfile.TemporaryDirectory(prefix="rehearse-bench-") as own:
        folder = asked.folder or Path(own)
        folder.mkdir(parents=True, exist_ok=True)
        if asked.only in (None, "start"):
            start.run(folder, asked.rounds * 2)
        if asked.only in (None, "serve"):
            serve.run(folder, asked.rounds, asked.records)
        if asked.only in (None, "capture"):
            capture.run(folder, asked.rounds, asked.records)
        if asked.only in (None, "components"):
            components.run(folder, asked.rounds)
        if asked.only in (None, "compare"):
            compare.run(folder, asked.rounds, asked.records)
        if asked.only in (None, "reset"):
            reset_calls.run(folder)
        if asked.only in (None, "plan"):
            plan.run(asked.rounds)


if __name__ == "__main__":
    main()
