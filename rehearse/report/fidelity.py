"""How like production a sandbox is, as a page and as JSON: a summary first, then what differs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rehearse.baseline.fidelity import CountPair, Fidelity
from rehearse.baseline.model import Change
from rehearse.report.view import Block, Cell, Page, Paragraph, Rows, Tone, build_table

_WORDS = {"deleted": "only in production", "created": "only in the sandbox", "updated": "differs"}
_TONES: dict[str, Tone] = {"deleted": "bad", "created": "warn", "updated": "warn"}


def build_fidelity_body(found: Fidelity, sandbox: str) -> dict[str, Any]:
    """The JSON answer: `production` and `sandbox` beside each other, null for what one side has not."""
    return {
        "sandbox": sandbox,
        "alike": found.alike,
        "releases": {"production": found.releases[0] or None, "sandbox": found.releases[1] or None},
        "summary": {name: _count(found, what) for what, name in _names()},
        "components": [
            {"type": one.type, "key": one.key, "where": _WORDS[one.what], "fields": [each.name for each in one.fields]}
            for one in found.changes
        ],
        "packages": [
            {"name": one.name, "production": one.production, "sandbox": one.sandbox} for one in found.packages
        ],
        "rows": [{"object": one.object, "production": one.production, "sandbox": one.sandbox} for one in found.counts],
        "not_read": list(found.not_read),
    }


def _names() -> list[tuple[str, str]]:
    return [("deleted", "only_in_production"), ("created", "only_in_sandbox"), ("updated", "differing")]


def _count(found: Fidelity, what: str) -> int:
    return sum(1 for one in found.changes if one.what == what)


def build_fidelity_page(found: Fidelity, sandbox: str, most: int | None) -> Page:
    """The page; at most `most` components of each type are named."""
    blocks: list[Block] = [_verdict(found, sandbox)]
    if found.releases[0] != found.releases[1]:
        text = f"Production runs release {found.releases[0] or '?'}, {sandbox} runs {found.releases[1] or '?'}."
        blocks.append(Paragraph(text, "warn"))
    shown = _first(found.changes, most)
    lines: Rows = [
        [one.type, one.key, Cell(_WORDS[one.what], _TONES[one.what]), ", ".join(each.name for each in one.fields[:3])]
        for one in shown
    ]
    if lines:
        blocks.append(build_table("Metadata", ["type", "name", "where", "what"], lines))
    if len(shown) < len(found.changes):
        left = Counter(one.type for one in found.changes) - Counter(one.type for one in shown)
        more = ", ".join(f"{count:,} {name}" for name, count in sorted(left.items()))
        blocks.append(Paragraph(f"Not shown: {more}. See them with --all.", "faint"))
    packages: Rows = [
        [one.name, one.production or "not installed", one.sandbox or "not installed"]
        for one in found.differing_packages
    ]
    if packages:
        blocks.append(build_table("Installed packages that differ", ["package", "production", sandbox], packages))
    if found.counts:
        columns = ["object", "production", sandbox, "difference"]
        blocks.append(build_table("Rows", columns, [_row(one) for one in found.counts], right=(1, 2, 3)))
    if found.not_read:
        blocks.append(Paragraph(f"Not read, so nothing is said about: {', '.join(found.not_read)}.", "warn"))
    return Page("", tuple(blocks))


def _verdict(found: Fidelity, sandbox: str) -> Paragraph:
    if found.alike:
        return Paragraph(f"{sandbox} has the metadata, packages and release of production.", "good")
    parts = [f"{_count(found, what):,} {name.replace('_', ' ')}" for what, name in _names() if _count(found, what)]
    said = f"{', '.join(parts)} of {found.components:,} components" if parts else "no component differs"
    return Paragraph(f"{sandbox} is not like production: {said}.", "warn")


def _first(changes: tuple[Change, ...], most: int | None) -> list[Change]:
    if most is None:
        return list(changes)
    seen: Counter[str] = Counter()
    found = []
    for one in changes:
        seen[one.type] += 1
        if seen[one.type] <= most:
            found.append(one)
    return found


def _row(one: CountPair) -> list[Cell | str]:
    left, right = (f"{count:,}" if count is not None else "not there" for count in (one.production, one.sandbox))
    if one.production is None or one.sandbox is None:
        return [one.object, left, right, ""]
    gap = one.sandbox - one.production
    return [one.object, left, right, Cell(f"{gap:+,}" if gap else "", "warn" if gap else "plain")]
