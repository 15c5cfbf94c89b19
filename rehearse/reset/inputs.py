"""Everything that a reset plan is built from, as frozen values: two captures, their difference, and what was read.

Values of records are here in memory only; a plan that is saved keeps keys, field names and digests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from rehearse.baseline.model import Capture, Change, Component
from rehearse.org.model import Schema
from rehearse.reset.model import Allowed, Choices, Switch
from rehearse.reset.row_state import Values

Bin = Literal["live", "bin", "absent"]
"""Where a deleted row is now: alive after all, in the recycle bin, or in neither."""


@dataclass(frozen=True)
class RowBook:
    """The changed rows of one object, by key (the Id in the baseline; the live Id of a created row).

    `before` and `after` are canonical; references in `after` are mapped back to the Ids of the baseline.
    """

    before: Mapping[str, Values] = field(default_factory=dict)
    after: Mapping[str, Values] = field(default_factory=dict)
    bin: Mapping[str, Bin] = field(default_factory=dict)
    older: frozenset[str] = frozenset()
    """Created rows whose CreatedDate is before the baseline: they came into a filter, out of the bin, or into sight."""
    creators: Mapping[str, str] = field(default_factory=dict)
    """Created row -> the Id of the user who made it, where the object says."""
    masters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Row in the recycle bin -> the rows below which it lies there, by their Ids in the baseline."""
    buried: frozenset[str] = frozenset()
    """Rows that show in the bin and were deleted before the row above them: nothing brings these back."""


@dataclass(frozen=True)
class Carrier:
    """A deleted row that the plan itself is not to bring back, and below which rows of the baseline lie in the bin.

    `there`: it can come back (and go again). `masters`: below what it lies itself; `went`: the stamp of its deletion.
    """

    object: str
    masters: tuple[str, ...] = ()
    there: bool = True
    went: str = ""


@dataclass(frozen=True)
class FlowState:
    """One flow: the number of its active version (0: inactive) and all its version numbers."""

    active: int
    versions: tuple[int, ...]


@dataclass(frozen=True)
class MetadataBook:
    """Components and files on both sides, and the versions of flows where they were recorded.

    `held`: the objects of which the baseline holds every row, with the fields that it holds; `types`: the types in its
    scope; both None where nobody knows. `renamed`: components that have another name now, old to new and back.
    `absent`: what changed components of the baseline name, and the org lacks, outside the scope. `editable`: the fields
    that our login may fill once they are made anew, by the access that the baseline holds; None where nobody knows.
    """

    before: Mapping[tuple[str, str], Component] = field(default_factory=dict)
    after: Mapping[tuple[str, str], Component] = field(default_factory=dict)
    files_before: Mapping[str, bytes] = field(default_factory=dict)
    files_after: Mapping[str, bytes] = field(default_factory=dict)
    flows_before: Mapping[str, FlowState] = field(default_factory=dict)
    flows_after: Mapping[str, FlowState] = field(default_factory=dict)
    held: Mapping[str, frozenset[str]] | None = None
    types: frozenset[str] | None = None
    renamed: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    absent: frozenset[tuple[str, str]] = frozenset()
    editable: frozenset[str] | None = None


@dataclass(frozen=True)
class PlanInputs:
    """What `build_plan` reads: nothing else decides. `schemas` are live describes; `ids` maps old Ids to new ones.

    `ghosts` are rows in the bin that the rehearsal made and deleted again, by object and Id, with their references:
    undeleting a row of the baseline may bring them back with it. `housed`: the rows in objects that the rehearsal
    added, by object and by who made them, and in the same way the rows with values in added fields.
    """

    sandbox: str
    baseline: str
    before: Capture
    after: Capture
    changes: tuple[Change, ...]
    schemas: Mapping[str, Schema]
    rows: Mapping[str, RowBook]
    metadata: MetadataBook
    made_at: datetime
    ids: Mapping[str, str] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)
    ghosts: Mapping[str, Mapping[str, Values]] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)
    """Id of a user -> name, for the sentences of a plan."""
    bypass: tuple[Switch, ...] = ()
    egress: tuple[Allowed, ...] = ()
    housed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    inactive: frozenset[str] = frozenset()
    """Users who owned changed rows in the baseline and are inactive now."""
    carriers: Mapping[str, Carrier] = field(default_factory=dict)
    """By Id: what has to come back for a while, because rows of the baseline lie below it in the recycle bin."""
    gone: frozenset[str] = frozenset()
    """Ids outside the scope that changed rows named in the baseline, and that no living row has."""
