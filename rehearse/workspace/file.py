"""The shape of rehearse.yaml, key by key, as pydantic models; what they become is in model.py."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from rehearse.documents import Entry
from rehearse.workspace.calendar_file import BookingsEntry, CalendarEntry, PersonEntry, SalesforceEntry, SpanText


class SecretEntry(Entry):
    """A reference to a secret: exactly one of env, file, keyring, command. Whoever puts the secret here by mistake does
    not see it quoted."""

    may_be_quoted: ClassVar[bool] = False
    env: str = ""
    file: str = ""
    keyring: str = ""
    command: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, (self.env, self.file, self.keyring, self.command))) != 1:
            raise ValueError("give exactly one of env, file, keyring, command")
        if self.env and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.env):
            raise ValueError("env takes the name of a variable (letters, digits and _), never the secret itself")
        return self


def _no_literal(value: object) -> object:
    if isinstance(value, str):
        raise ValueError(
            "a secret is never written here; refer to it with {env: NAME}, {file: PATH} or {keyring: NAME}"
        )
    return value


Secret = Annotated[SecretEntry, BeforeValidator(_no_literal)]


class ClientCredentialsEntry(Entry):
    """OAuth client credentials at an org's own host."""

    url: str | SecretEntry
    client_id: str | SecretEntry
    client_secret: Secret


class JwtEntry(Entry):
    """OAuth JWT bearer: a certificate's private key instead of a password."""

    url: str | SecretEntry
    username: str
    client_id: str | SecretEntry
    key_file: str


class TokenEntry(Entry):
    """An access token that somebody else fetched."""

    url: str | SecretEntry
    access_token: Secret


class LoginEntry(Entry):
    """One of the login kinds."""

    sf: str = ""
    client_credentials: ClientCredentialsEntry | None = None
    jwt: JwtEntry | None = None
    token: TokenEntry | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, (self.sf, self.client_credentials, self.jwt, self.token))) != 1:
            raise ValueError("give exactly one of sf, client_credentials, jwt, token")
        return self

    def chosen(self) -> tuple[Literal["client_credentials", "jwt", "token"], Entry]:
        """The kind and its body; for `sf` the body is plain and asked for directly."""
        if self.client_credentials:
            return "client_credentials", self.client_credentials
        if self.jwt:
            return "jwt", self.jwt
        assert self.token is not None
        return "token", self.token


class ProductionEntry(Entry):
    name: str
    login: LoginEntry | None = None
    control: LoginEntry | None = None


class LastRefreshEntry(Entry):
    requested: str
    copied: str | None = None
    activated: str | None = None


class SandboxEntry(Entry):
    login: LoginEntry | None = None
    type: str | None = None
    tags: list[str] = Field(default_factory=list)
    last_refresh: LastRefreshEntry | None = None


class TlsEntry(Entry):
    ca_bundle: str


class ReadyEntry(Entry):
    """One item of the ready list: a tick of its owner, or of a query that must count `equals` rows."""

    item: str = Field(min_length=1, max_length=120)
    owner: str = ""
    types: list[str] = Field(default_factory=list)
    soql: str = ""
    equals: int = 0

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if self.soql and not re.match(r"\s*SELECT\s+COUNT\(\s*\)\s+FROM\s", self.soql, re.IGNORECASE):
            raise ValueError("soql must be SELECT COUNT() FROM …: its number is compared with equals")
        return self


class RefreshEntry(Entry):
    prefer: Literal["few", "fresh"] = "few"
    clock: Literal["learn", "request", "end", "activation"] = "learn"
    usable_during_copy: bool = True
    settle: SpanText = "6h"
    plan_with: Literal["certain", "possible"] = "certain"
    copy_time: dict[str, SpanText] = Field(default_factory=dict)
    interval: dict[str, SpanText] = Field(default_factory=dict)
    ready: list[ReadyEntry] | None = None


class MetadataScopeEntry(Entry):
    include: list[str] = Field(default_factory=lambda: ["*"])
    exclude: list[str] = Field(default_factory=list)


class RecordScopeEntry(Entry):
    include: list[str] = Field(default_factory=list)
    exclude: list[str] = Field(default_factory=list)
    where: dict[str, str] = Field(default_factory=dict)
    files: bool = False


class RowSwitchEntry(Entry):
    object: str
    where: str
    set: dict[str, str | bool | int | float | None]


DEACTIVATED = ("Flow", "ValidationRule", "WorkflowRule", "ApexTrigger", "DuplicateRule")
"""What `deactivate` can switch off and on again by deployment."""


class BypassEntry(Entry):
    """A switch of the org that silences its automation while a reset writes: exactly one kind an entry."""

    custom_permission: str = ""
    custom_setting: str = ""
    field: str = ""
    value: bool | str | int | None = None
    rows: RowSwitchEntry | None = None
    deactivate: str = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, (self.custom_permission, self.custom_setting, self.rows, self.deactivate))) != 1:
            raise ValueError("give exactly one of custom_permission, custom_setting, rows, deactivate")
        if bool(self.custom_setting) != bool(self.field):
            raise ValueError("custom_setting and field go together")
        kind, _, name = self.deactivate.partition(":")
        if self.deactivate and (kind not in DEACTIVATED or not name):
            raise ValueError(f"deactivate takes Type:Name with one of {', '.join(DEACTIVATED)}")
        return self


class ScopeEntry(Entry):
    metadata: MetadataScopeEntry = Field(default_factory=MetadataScopeEntry)
    records: RecordScopeEntry = Field(default_factory=RecordScopeEntry)
    bypass: list[BypassEntry] = Field(default_factory=list)


class BudgetEntry(Entry):
    production: str = "10%"
    sandbox: str = "50%"
    retrieves: int = Field(3, ge=1, le=10)


class NotifyEntry(Entry):
    to: Secret
    on: list[Literal["refresh", "activation", "booking", "verdict", "proof", "radar"]]


class StorageEntry(Entry):
    path: str = ".rehearse"
    database: Secret | None = Field(default_factory=lambda: SecretEntry(env="REHEARSE_DATABASE"))
    key: SecretEntry = Field(default_factory=lambda: SecretEntry(keyring="rehearse"))
    keep: SpanText = "60d"


class WorkspaceEntry(Entry):
    """The whole file."""

    version: Literal[1]
    clock: Literal["machine", "org"] = "machine"
    team: str = ""
    timezone: str
    production: ProductionEntry | None = None
    sandboxes: dict[str, SandboxEntry] = Field(default_factory=dict)
    tls: TlsEntry | None = None
    calendar: CalendarEntry = Field(default_factory=CalendarEntry)
    people: dict[str, PersonEntry] = Field(default_factory=dict)
    salesforce: SalesforceEntry = Field(default_factory=SalesforceEntry)
    bookings: BookingsEntry = Field(default_factory=BookingsEntry)
    refresh: RefreshEntry = Field(default_factory=RefreshEntry)
    licences: dict[str, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    scope: ScopeEntry = Field(default_factory=ScopeEntry)
    budget: BudgetEntry = Field(default_factory=BudgetEntry)
    storage: StorageEntry = Field(default_factory=StorageEntry)
    notify: list[NotifyEntry] = Field(default_factory=list)

    def not_acted_on(self) -> tuple[str, ...]:
        """What the file asks for and this version does not do, one sentence each."""
        asked = {
            "notify is not acted on yet: nothing is sent": self.notify,
        }
        return tuple(sentence for sentence, value in asked.items() if value)
