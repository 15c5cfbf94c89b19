"""How like production a sandbox is: metadata, installed packages, release and numbers of rows, side by side.

Two captures of metadata are compared as any two captures are; nothing here says which side is right. A rehearsal
proves as much as its sandbox resembles production, so every difference is named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from rehearse.baseline.model import Capture, Change, Package


@dataclass(frozen=True)
class Side:
    """What was read of one org: its capture, and rows by object (None: the object is not there or not readable)."""

    capture: Capture
    counts: Mapping[str, int | None]


@dataclass(frozen=True)
class PackagePair:
    """One installed package on both sides; None where it is not installed."""

    name: str
    production: str | None
    sandbox: str | None


@dataclass(frozen=True)
class CountPair:
    """Rows of one object on both sides; None where the object is not there or not readable."""

    object: str
    production: int | None
    sandbox: int | None


@dataclass(frozen=True)
class Fidelity:
    """Everything that differs: `changes` as if production were the `before` side. `components` counts production's."""

    components: int
    changes: tuple[Change, ...]
    packages: tuple[PackagePair, ...]
    counts: tuple[CountPair, ...]
    releases: tuple[str, str]
    not_read: tuple[str, ...]

    @property
    def alike(self) -> bool:
        """Whether metadata, packages and release are the same; numbers of rows differ in every living org."""
        return not self.changes and not self.differing_packages and self.releases[0] == self.releases[1]

    @property
    def differing_packages(self) -> tuple[PackagePair, ...]:
        return tuple(one for one in self.packages if one.production != one.sandbox)


def build_fidelity(production: Side, sandbox: Side, changes: Sequence[Change]) -> Fidelity:
    """Put both sides together; `changes` is the comparison of their components, production first."""
    ours, theirs = _versions(production.capture.packages), _versions(sandbox.capture.packages)
    names = {one.namespace or one.name: one.name for one in (*production.capture.packages, *sandbox.capture.packages)}
    return Fidelity(
        components=production.capture.component_count,
        changes=tuple(changes),
        packages=tuple(
            PackagePair(names[key], ours.get(key), theirs.get(key)) for key in sorted(ours.keys() | theirs.keys())
        ),
        counts=tuple(
            CountPair(one, production.counts.get(one), sandbox.counts.get(one))
            for one in sorted(production.counts.keys() | sandbox.counts.keys())
        ),
        releases=(production.capture.release, sandbox.capture.release),
        not_read=tuple(sorted({*_not_read(production.capture), *_not_read(sandbox.capture)})),
    )


def count_rows(objects: Collection[str], count: Callable[[str], int | None]) -> dict[str, int | None]:
    """Rows by object; `count` answers None for an object that cannot be counted."""
    return {one: count(one) for one in sorted(objects)}


def _versions(packages: Sequence[Package]) -> dict[str, str]:
    return {one.namespace or one.name: one.version for one in packages}


def _not_read(capture: Capture) -> list[str]:
    """Types of metadata that this side could not give: nothing is said about them."""
    states = ("not-retrieved", "not-listable", "unreadable")
    return [one.name for one in capture.coverage if one.kind == "metadata" and one.state in states]
