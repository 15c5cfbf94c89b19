"""The shape of plans/RELEASE.yaml, key by key, as pydantic models; what the keys become is in model.py."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from rehearse.documents import Entry
from rehearse.workspace.calendar_file import HoursEntry, SpanText


class NeedsEntry(Entry):
    type: str | list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    start: Literal["any", "baseline", "fresh"] = "any"
    data_age: SpanText = ""


class PinEntry(Entry):
    sandbox: str = ""
    at: str = ""


class RehearsalEntry(Entry):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=60)
    kind: Literal["mock", "dry-run", "dress"]
    duration: SpanText
    needs: NeedsEntry = Field(default_factory=NeedsEntry)
    before_go_live: SpanText = ""
    after: str = ""
    gap: SpanText = ""
    target: SpanText = ""
    hold: SpanText = ""
    forecast: Literal["auto", "undoable", "burns"] = "auto"
    not_before: str = ""
    not_after: str = ""
    pin: PinEntry = Field(default_factory=PinEntry)
    people: list[str] = Field(default_factory=list)
    hours: Literal["calendar", "any", "go_live"] | HoursEntry = "calendar"
    timezone: str = ""


class PackageEntry(Entry):
    mdapi: str = ""
    source: str = ""
    zip: str = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, (self.mdapi, self.source, self.zip))) != 1:
            raise ValueError("give exactly one of mdapi, source, zip")
        return self


class ManualEntry(Entry):
    where: str
    value: str = ""
    already: str = ""


class RecordsEntry(Entry):
    object: str
    insert: str = ""
    update: str = ""
    upsert: str = ""
    delete: str = ""
    key: str = ""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, (self.insert, self.update, self.upsert, self.delete))) != 1:
            raise ValueError("give exactly one of insert, update, upsert, delete")
        if self.upsert and not self.key:
            raise ValueError("an upsert needs key: (an external id field)")
        return self


class CheckEntry(Entry):
    soql: str
    equals: str | int | float | bool | None = None


class DoEntry(Entry):
    """One thing to do: exactly one of the kinds."""

    manual: ManualEntry | None = None
    deploy: str = ""
    records: RecordsEntry | None = None
    apex: str = ""
    shell: list[str] = Field(default_factory=list)
    soql: str = ""

    @model_validator(mode="after")
    def _kind(self) -> Self:
        if sum(map(bool, (self.manual, self.deploy, self.records, self.apex, self.shell, self.soql))) != 1:
            raise ValueError("give exactly one of manual, deploy, records, apex, shell, soql")
        return self


class SpecifiedTests(Entry):
    specified: list[str] = Field(min_length=1)


class StepEntry(DoEntry):
    id: str
    title: str = ""
    needs: list[str] = Field(default_factory=list)
    owner: str = ""
    takes: SpanText = ""
    tests: Literal["none", "local"] | SpecifiedTests | None = None
    mode: Literal["deploy", "validate+quick"] = "deploy"
    check: CheckEntry | None = None
    undo: DoEntry | None = None
    no_return: bool = False


class ReleaseEntry(Entry):
    """The whole file."""

    version: Literal[1]
    release: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=60)
    title: str = ""
    go_live: str
    ready: str = ""
    window: SpanText = "0m"
    advance: SpanText = "4h"
    priority: int = Field(default=3, ge=1, le=4)
    package: PackageEntry | None = None
    rehearsals: list[RehearsalEntry]
    runbook: list[StepEntry] = Field(default_factory=list)
