"""A way out where no single change helps: several rules clash at once, and as few of them as it takes are changed.

Which rules must give way is asked first; then each is changed as far as its kind of change goes, and back to the least
that still fits. Checked by solving again, like every way out.
"""

from __future__ import annotations

import time
from itertools import islice, product

from rehearse.schedule.clash import Clash, shrink
from rehearse.schedule.fit import Fit
from rehearse.schedule.model import Repair, Wish
from rehearse.schedule.repairs import list_ways
from rehearse.schedule.rows import Row, list_rows

_TRIED = 12
_ROWS = 4

Picks = tuple[tuple[Row, int, int], ...]
"""For each rule the number of its kind of change, and how far it goes."""


def find_together(wish: Wish, clash: Clash, until: float) -> tuple[Repair, ...]:
    """One repair of several changes with which the set fits, or none. Raises TimeoutError when the time is over."""
    rows, fit = list_rows(wish, clash.keys), Fit(wish, until)
    if not fit.fits(clash.keys, frozenset(rows)):
        return ()
    must = shrink(rows, lambda some: fit.fits(clash.keys, frozenset(some)))
    if not 1 < len(must) <= _ROWS:
        return ()
    kinds = [range(len(list_ways(wish, (row,)))) for row in must]
    for chosen in islice(product(*kinds), _TRIED):
        picks = tuple((row, kind, -1) for row, kind in zip(must, chosen, strict=True))
        if _fits(wish, clash, picks, until):
            return (_build(wish, _least(wish, clash, picks, until)),)
    return ()


def _least(wish: Wish, clash: Clash, picks: Picks, until: float) -> Picks:
    """The same kinds of change, each no larger than it must be."""
    for number, (row, kind, _) in enumerate(picks):
        for size in range(_sizes(wish, row, kind)):
            smaller = (*picks[:number], (row, kind, size), *picks[number + 1 :])
            if time.monotonic() < until and _fits(wish, clash, smaller, until):
                picks = smaller
                break
    return picks


def _sizes(wish: Wish, row: Row, kind: int) -> int:
    return len(list_ways(wish, (row,))[kind].tries)


def _fits(wish: Wish, clash: Clash, picks: Picks, until: float) -> bool:
    changed = _change(wish, picks)
    return changed is not None and Fit(changed[1], until).fits(clash.keys)


def _change(wish: Wish, picks: Picks) -> tuple[list[tuple[str, str]], Wish] | None:
    """The wish after all changes, one after another, with what each is; None where one leaves no room for the next."""
    said = []
    for row, kind, size in picks:
        ways = list_ways(wish, (row,))
        if kind >= len(ways) or size >= len(ways[kind].tries):
            return None
        text, wish = ways[kind].tries[size]
        said.append((ways[kind].change, text))
    return said, wish


def _build(wish: Wish, picks: Picks) -> Repair:
    changed = _change(wish, picks)
    assert changed is not None
    names, texts = zip(*changed[0], strict=True)
    return Repair("+".join(names), f"Together: {' '.join(texts)}", True)
