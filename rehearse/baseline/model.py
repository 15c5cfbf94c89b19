"""The nouns of a baseline: scope, capture, snapshot, change. Frozen values; no I/O.

A *capture* is an act and its files, named by a ULID. A *snapshot* is the content, named by its SHA-256: two captures
of an unchanged org carry one snapshot id. A *baseline* is a name that points to a verified capture of one org.
Record values never appear here, only keys, field names and digests; values stay in the encrypted parts of a capture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

CANONICALISER = "4"
"""Version of the canonical forms; a change of any canonical form must change this."""


@dataclass(frozen=True)
class Scope:
    """What the user asks to count, from rehearse.yaml: globs over metadata types, object names, filters.

    `may_be_empty` names objects without rows that the user knows to be empty (`all`: every one): they are not hollow.
    """

    metadata_include: tuple[str, ...] = ("*",)
    metadata_exclude: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    objects_exclude: tuple[str, ...] = ()
    where: Mapping[str, str] | None = None
    files: bool = False
    may_be_empty: tuple[str, ...] = ()
    encrypted: bool = False  # whether the login reads encrypted values in clear: the org is asked, nobody gives it

    def may_lack_rows(self, object: str) -> bool:
        """Whether the user said that an object without rows is as it should be."""
        return object in self.may_be_empty or "all" in self.may_be_empty


@dataclass(frozen=True)
class ComparableField:
    """A field that decides equality: its name and Salesforce type (the type picks the canonical form)."""

    name: str
    type: str


@dataclass(frozen=True)
class ObjectScope:
    """One object in a resolved scope: comparable fields in name order, and the filter frozen to absolute dates."""

    name: str
    fields: tuple[ComparableField, ...]
    where: str | None = None


@dataclass(frozen=True)
class ResolvedScope:
    """A scope after the org was asked: what is frozen with a baseline and reused verbatim by diff and proof."""

    types: tuple[str, ...]
    objects: tuple[ObjectScope, ...]


@dataclass(frozen=True)
class Component:
    """One metadata component (a child such as a CustomField counts on its own).

    `digest` is the SHA-256 (hex) of its canonical form; `files` are the paths, inside the capture's metadata tree,
    of the org's own files that hold it. `by` and `at` tell who last touched it, where the org said so.
    """

    type: str
    full_name: str
    digest: str
    files: tuple[str, ...]
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Part:
    """One encrypted Parquet file of an object; `path` is relative to the folder of the capture that wrote it.

    `capture` is the ULID of that capture, whose key opens the part; empty: the capture whose manifest names the part.
    `layer` is 0 for a base, and one more for each later delta: newest wins. `filled`: rows that hold each reference.
    """

    path: str
    rows: int
    sha256: str
    capture: str = ""
    layer: int = 0
    filled: Mapping[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class ObjectCapture:
    """The rows of one object: their number and the sum mod 2^128 (32 hex digits) of their 16-byte digests.

    `removed` are parts of ids: one of layer n hides their rows in all parts of layers below, as they were deleted or
    are written anew in layer n. `rows`, `digest_sum` and `filled` are of what is left.
    """

    object: str
    rows: int
    digest_sum: str
    parts: tuple[Part, ...]
    removed: tuple[Part, ...] = ()
    filled: Mapping[str, int] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Package:
    """An installed package and its version, `major.minor.patch.build`."""

    name: str
    namespace: str
    version: str


@dataclass(frozen=True)
class Schedule:
    """Scheduled work of an org (CronTrigger): what runs, when, for whom; `next_fire` is shown and never compared."""

    name: str
    job_type: str
    apex_class: str
    expression: str
    time_zone: str
    owner: str
    next_fire: str | None = None


CoverageState = Literal[
    "captured", "not-retrieved", "not-listable", "excluded", "not-metadata", "unreadable", "masked", "empty"
]


@dataclass(frozen=True)
class CoverageRow:
    """What became of one metadata type or object: how many captured, or why not."""

    kind: Literal["metadata", "records"]
    name: str
    state: CoverageState
    count: int = 0
    note: str = ""


CaptureVerdict = Literal["usable", "hollow", "partial"]


@dataclass(frozen=True)
class Capture:
    """The manifest of one capture: everything needed to read and check its files, and no record value.

    `started` and `ended` are instants of the org's own clock (getServerTimestamp). `manifest` is the frozen package
    manifest, type -> full names; `components_sha256` the digest of the component list beside it; `commit` the commit of
    its metadata tree. `release` is the platform release that was read, `read_by` the user who read. Packages and
    schedules are held whatever the scope. `listing_sha256` is the digest of what the org listed, for a later increment.
    """

    ulid: str
    snapshot_id: str
    sandbox: str
    org_id: str
    started: datetime
    ended: datetime
    api_version: str
    scope: ResolvedScope
    manifest: Mapping[str, tuple[str, ...]]
    objects: tuple[ObjectCapture, ...]
    component_count: int
    components_sha256: str
    commit: str
    coverage: tuple[CoverageRow, ...]
    verdict: CaptureVerdict
    hollow: tuple[str, ...] = ()
    release: str = ""
    read_by: str = ""
    packages: tuple[Package, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    listing_sha256: str = ""
    canonicaliser: str = CANONICALISER

    @property
    def record_count(self) -> int:
        return sum(one.rows for one in self.objects)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field (or element of a component) that differs: digests of its value on both sides, None = null or absent."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs between two captures. `before` and `after` are digests of the whole; None = absent.

    `key` is a component's full name, or a record's 18-character Id **as on the before side** (ids of re-inserted
    rows are mapped back by the generation's id map, and then `live_id` holds the Id in the org).
    `by` and `at` tell who last touched it and when, where the org said so; `note` what else is known of it.
    """

    kind: Literal["component", "record"]
    type: str
    key: str
    before: str | None
    after: str | None
    fields: tuple[FieldChange, ...] = ()
    live_id: str | None = None
    by: str = ""
    at: datetime | None = None
    note: str = ""

    @property
    def what(self) -> Literal["created", "updated", "deleted"]:
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "updated"

    def inverse(self) -> Change:
        """The change that undoes this one."""
        fields = tuple(FieldChange(one.name, one.after, one.before) for one in self.fields)
        return replace(self, before=self.after, after=self.before, fields=fields)


@dataclass(frozen=True)
class Baseline:
    """One row of the index: a name for a verified capture, the store that holds its files, and its last proof.

    `voided`: since when the sandbox is another org, so that nothing can be put back to this any more.
    """

    name: str
    sandbox: str
    org_id: str
    capture: str
    snapshot_id: str
    taken_at: datetime
    records: int
    components: int
    bytes: int
    verdict: CaptureVerdict
    host: str
    store: str
    manifest_sha256: str
    proof: str | None = None
    proof_verdict: str | None = None
    proof_at: datetime | None = None
    voided: datetime | None = None
    pruned: datetime | None = None  # since when its records are destroyed; manifest, metadata and proofs stay


@dataclass(frozen=True)
class ObjectEstimate:
    """One object: rows as counted; bytes over the line, bytes on disk and API calls as estimated."""

    name: str
    rows: int
    bytes: int
    disk: int
    calls: int
    note: str = ""


@dataclass(frozen=True)
class Estimate:
    """A whole capture. `proposed`: no records were in scope, so the objects are a proposal. `rate` in rows a second."""

    objects: tuple[ObjectEstimate, ...]
    metadata_calls: int
    rate: float
    measured: bool
    proposed: bool

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.objects)

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.objects)

    @property
    def disk(self) -> int:
        return sum(one.disk for one in self.objects)

    @property
    def calls(self) -> int:
        return self.metadata_calls + sum(one.calls for one in self.objects)

    @property
    def time(self) -> timedelta:
        return timedelta(seconds=self.rows / self.rate)
