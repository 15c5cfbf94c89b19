"""The nouns of a Salesforce org as rehearse sees them: frozen values, in our spelling.

Wire spelling (`fullName`, `nillable`, `0GQ…` status codes) stops at this room. Ids are 18 characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from rehearse.org.sandbox_model import CopyStage as CopyStage
from rehearse.org.sandbox_model import SandboxCopy as SandboxCopy
from rehearse.org.sandbox_model import SandboxRecord as SandboxRecord
from rehearse.org.sandbox_model import SandboxState as SandboxState

Value = str | int | float | bool | None
Row = Mapping[str, Value]


@dataclass(frozen=True)
class Login:
    """How to log in to one org; secrets are already resolved and never shown.

    `kind` decides which of the other fields are used:
    sf: alias · client_credentials: url, client_id, secret · jwt: url, client_id, username, key (PEM text) ·
    token: url, secret (the access token).
    """

    kind: Literal["sf", "client_credentials", "jwt", "token"]
    alias: str = ""
    url: str = ""
    username: str = ""
    client_id: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class Session:
    """A token for one org; `instance_url` has scheme, host and port, without a path."""

    instance_url: str
    access_token: str = field(repr=False)
    username: str = ""


@dataclass(frozen=True)
class Identity:
    """The Organization row of an org, read afresh, plus the running user."""

    org_id: str
    name: str
    is_sandbox: bool
    trial_expires: datetime | None
    instance: str
    host: str
    user_id: str
    username: str
    read_at: datetime


@dataclass(frozen=True)
class Field:
    """One field of an object, from describe (Salesforce API guide, DescribeSObjectResult)."""

    name: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    createable: bool = False
    updateable: bool = False
    calculated: bool = False
    auto_number: bool = False
    nillable: bool = True
    defaulted_on_create: bool = False
    unique: bool = False
    case_sensitive: bool = False
    external_id: bool = False
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    relationship_order: int | None = None
    cascade_delete: bool = False
    restricted_delete: bool = False
    compound_field: str | None = None
    encrypted: bool = False
    restricted_picklist: bool = False
    write_requires_master_read: bool = False
    controller: str | None = None

    @property
    def is_master_detail(self) -> bool:
        return self.relationship_order is not None


@dataclass(frozen=True)
class Child:
    """A relation that points at the object: the child object, its field, and what a delete does to it."""

    object: str
    field: str
    cascade_delete: bool
    restricted_delete: bool


@dataclass(frozen=True)
class Schema:
    """One object, from describe."""

    name: str
    key_prefix: str | None
    queryable: bool
    createable: bool
    updateable: bool
    deletable: bool
    undeletable: bool
    replicateable: bool
    custom_setting: bool
    fields: tuple[Field, ...]
    children: tuple[Child, ...] = ()

    def field(self, name: str) -> Field | None:
        """The field of this name, or None."""
        return next((one for one in self.fields if one.name == name), None)


@dataclass(frozen=True)
class ObjectSummary:
    """One line of the global describe."""

    name: str
    key_prefix: str | None
    queryable: bool
    custom_setting: bool
    replicateable: bool
    layoutable: bool


@dataclass(frozen=True)
class RowError:
    """Why the org refused one row: Salesforce's status code and message, verbatim."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class SaveResult:
    """What happened to one row of a write, in the order of the request. `id` is None for a failed insert."""

    id: str | None
    success: bool
    errors: tuple[RowError, ...] = ()


@dataclass(frozen=True)
class Limit:
    """One row of /limits."""

    maximum: int
    remaining: int


JobState = Literal["Open", "UploadComplete", "InProgress", "JobComplete", "Failed", "Aborted"]


@dataclass(frozen=True)
class BulkJob:
    """A Bulk API 2.0 job; `processed` and `failed` count rows; `created` is None where the org does not tell."""

    id: str
    operation: str
    object: str
    state: JobState
    processed: int = 0
    failed: int = 0
    created_by: str = ""
    message: str = ""
    created: datetime | None = None


@dataclass(frozen=True)
class BulkPage:
    """One downloaded and checked page: `rows` as promised; `nul_bytes` inside values were left out of the file."""

    path: Path
    columns: tuple[str, ...]
    rows: int
    next_locator: str | None
    nul_bytes: int = 0


@dataclass(frozen=True)
class MetadataType:
    """One row of describeMetadata."""

    name: str
    directory: str
    suffix: str | None
    in_folder: bool
    meta_file: bool
    children: tuple[str, ...] = ()


@dataclass(frozen=True)
class MetadataItem:
    """One row of listMetadata or of a retrieve's fileProperties. An instant is None where Salesforce says 1970."""

    type: str
    full_name: str
    file_name: str
    id: str = ""
    changed_at: datetime | None = None
    changed_by: str = ""
    manageable_state: str | None = None
    namespace: str | None = None
    created_at: datetime | None = None


Manifest = Mapping[str, tuple[str, ...]]
"""A package manifest: metadata type -> full names, both sorted. Never a wildcard in what we freeze."""


@dataclass(frozen=True)
class RetrieveResult:
    """A finished retrieve: the zip on disk, how many files the org says it holds, and what else it said."""

    zip_path: Path
    files: int
    messages: tuple[str, ...]


@dataclass(frozen=True)
class DeployMessage:
    """What a deployment did to one component, or why it could not."""

    type: str
    full_name: str
    success: bool
    created: bool = False
    changed: bool = False
    deleted: bool = False
    problem: str = ""
    problem_type: str = ""


@dataclass(frozen=True)
class DeployResult:
    """A deployment as the org reports it; `done` says whether it may still change, `deployed` how many of the `total`
    components are in the org so far (0 until the org has counted them)."""

    id: str
    status: str
    done: bool
    success: bool
    check_only: bool
    messages: tuple[DeployMessage, ...] = ()
    error: str = ""
    deployed: int = 0
    total: int = 0
