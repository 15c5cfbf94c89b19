"""What a capture holds whatever its scope: installed packages with their versions, scheduled work, and the release.

Packages come from Tooling (InstalledSubscriberPackage) and schedules from CronTrigger, as components of their own in
files of ours, so that a comparison sees a version that moved or a schedule that is lost. When a schedule fires next is
kept beside them and never compared. Neither can be put back by a deployment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote
from xml.sax.saxutils import escape

from rehearse.baseline.canonical_xml import NAMESPACE
from rehearse.baseline.components import OWN
from rehearse.baseline.model import CoverageRow, Package, Schedule
from rehearse.errors import OrgRejected
from rehearse.ids import to_18
from rehearse.org.model import Value
from rehearse.org.reader import OrgReader

T = TypeVar("T")
PACKAGE, CRON = "InstalledPackage", "CronTrigger"
_NUMBERS = ("MajorVersion", "MinorVersion", "PatchVersion", "BuildNumber")
_PACKAGES = (
    "SELECT Id, SubscriberPackage.Name, SubscriberPackage.NamespacePrefix, "
    + ", ".join(f"SubscriberPackageVersion.{one}" for one in _NUMBERS)
    + " FROM InstalledSubscriberPackage"
)
_SCHEDULES = (
    "SELECT Id, CronJobDetail.Name, CronJobDetail.JobType, CronExpression, TimeZoneSidKey, OwnerId, NextFireTime, "
    "State FROM CronTrigger"
)
_CLASSES = "SELECT Id, CronTriggerId, ApexClassId FROM AsyncApexJob WHERE JobType = 'ScheduledApex'"
_OVER = ("DELETED", "COMPLETE", "ERROR")


@dataclass(frozen=True)
class Standing:
    """Packages and schedules as components (path -> file) and as values, the release, and what could not be asked."""

    release: str
    packages: tuple[Package, ...]
    schedules: tuple[Schedule, ...]
    coverage: tuple[CoverageRow, ...]

    @property
    def knows_packages(self) -> bool:
        """Whether Tooling told the packages, so that the Metadata API need not be asked for them."""
        return all(one.name != PACKAGE for one in self.coverage)

    def files(self) -> dict[str, bytes]:
        """A file for each package and for each name of scheduled work."""
        found = {
            f"{OWN}installedPackages/{_file_name(one.namespace or one.name)}.installedPackage": _render_package(one)
            for one in self.packages
        }
        by_name: dict[str, list[Schedule]] = {}
        for one in self.schedules:
            by_name.setdefault(one.name, []).append(one)
        for name, jobs in by_name.items():
            found[f"{OWN}cronTriggers/{_file_name(name)}.cronTrigger"] = _render_schedules(jobs)
        return found


def fetch_standing(reader: OrgReader) -> Standing:
    """Ask for all three at once; what the org refuses to tell is a coverage row. Raises OrgError where it fails."""
    with ThreadPoolExecutor(2) as pool:
        packages, schedules = pool.submit(_fetch_packages, reader), pool.submit(_fetch_schedules, reader)
        release = reader.fetch_release()
        refused: list[CoverageRow] = []
        return Standing(
            release, _told(packages, PACKAGE, refused), _told(schedules, CRON, refused), coverage=tuple(refused)
        )


def _told(asked: Future[tuple[T, ...]], type: str, refused: list[CoverageRow]) -> tuple[T, ...]:
    """What an answer holds; nothing, and a coverage row, where it is a refusal."""
    try:
        return asked.result()
    except OrgRejected as error:
        refused.append(_refusal(type, error))
        return ()


def _fetch_packages(reader: OrgReader) -> tuple[Package, ...]:
    return tuple(sorted(map(_build_package, reader.fetch_tooling_rows(_PACKAGES)), key=lambda one: one.name))


def apex_line(schedule: Schedule) -> str:
    """The line of anonymous Apex that schedules a job again; empty for work that is not Apex."""
    if not schedule.apex_class:
        return ""
    return f"System.schedule({_literal(schedule.name)}, {_literal(schedule.expression)}, new {schedule.apex_class}());"


def _build_package(row: Mapping[str, Value]) -> Package:
    numbers = [str(row.get(f"SubscriberPackageVersion.{one}") or 0) for one in _NUMBERS]
    name, namespace = row.get("SubscriberPackage.Name"), row.get("SubscriberPackage.NamespacePrefix")
    return Package(str(name or ""), str(namespace or ""), ".".join(numbers))


def _fetch_schedules(reader: OrgReader) -> tuple[Schedule, ...]:
    rows = [row for row in reader.fetch_rows(_SCHEDULES) if row.get("State") not in _OVER]
    if not rows:
        return ()
    classes = _fetch_classes(reader)
    owners = reader.fetch_by_ids("User", sorted({str(row["OwnerId"]) for row in rows}), ["Username"])
    found = [
        Schedule(
            name=str(row.get("CronJobDetail.Name") or row["Id"]),
            job_type=str(row.get("CronJobDetail.JobType") or ""),
            apex_class=classes.get(to_18(str(row["Id"])), ""),
            expression=str(row.get("CronExpression") or ""),
            time_zone=str(row.get("TimeZoneSidKey") or ""),
            owner=str(owners.get(to_18(str(row["OwnerId"])), {}).get("Username") or row["OwnerId"]),
            next_fire=str(row["NextFireTime"]) if row.get("NextFireTime") else None,
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: (one.name, one.expression, one.owner)))


def _fetch_classes(reader: OrgReader) -> dict[str, str]:
    """CronTrigger id -> name of the scheduled Apex class, through the waiting job that each schedule has."""
    try:
        jobs = [row for row in reader.fetch_rows(_CLASSES) if row.get("CronTriggerId") and row.get("ApexClassId")]
        ids = sorted({to_18(str(row["ApexClassId"])) for row in jobs})
        names = reader.fetch_by_ids("ApexClass", ids, ["Name", "NamespacePrefix"]) if ids else {}
    except OrgRejected:
        return {}  # the schedules are kept without their classes
    found = {}
    for row in jobs:
        known = names.get(to_18(str(row["ApexClassId"])))
        if known:
            prefix = f"{known['NamespacePrefix']}." if known.get("NamespacePrefix") else ""
            found[to_18(str(row["CronTriggerId"]))] = f"{prefix}{known['Name']}"
    return found


def _render_package(package: Package) -> bytes:
    version = f"<versionNumber>{escape(package.version)}</versionNumber>"
    return f'<{PACKAGE} xmlns="{NAMESPACE}">{version}</{PACKAGE}>\n'.encode()


def _render_schedules(jobs: Sequence[Schedule]) -> bytes:
    listed = "".join(
        "<jobs>"
        + "".join(
            f"<{tag}>{escape(text)}</{tag}>"
            for tag, text in (
                ("apexClass", one.apex_class),
                ("cronExpression", one.expression),
                ("jobType", one.job_type),
                ("owner", one.owner),
                ("timeZone", one.time_zone),
                ("apexLine", apex_line(one)),
            )
            if text
        )
        + "</jobs>"
        for one in jobs
    )
    return f'<{CRON} xmlns="{NAMESPACE}">{listed}</{CRON}>\n'.encode()


def _refusal(type: str, error: OrgRejected) -> CoverageRow:
    return CoverageRow("metadata", type, "unreadable", note=f"{error.org_code}: {error.org_message}")


def _file_name(name: str) -> str:
    return quote(name, safe=" ()[]{}+-_.,'&@#$!=")


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
