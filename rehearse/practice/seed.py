"""The seeded practice world: Tidewater Pumps, its production org and five sandboxes with their past.

`build` makes the whole estate from a number: the same number gives the same metadata, rows, ids and history (tokens and
client secrets are fresh each time). The world stands still at the virtual start until somebody serves it. It refuses a
folder that has an estate already.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rehearse.practice import deploy
from rehearse.practice.apex_jobs import schedule_apex
from rehearse.practice.estate import Estate
from rehearse.practice.meta_mirror import put_row
from rehearse.practice.org_state import OrgState
from rehearse.practice.sandbox_history import PastCopy, SandboxHistory, add_sandbox_history
from rehearse.practice.schema import Value
from rehearse.practice.seed_access import COMPANY
from rehearse.practice.seed_automation import load_automation_rules
from rehearse.practice.seed_many import build_many
from rehearse.practice.seed_metadata import build_layers
from rehearse.practice.seed_people import USERS
from rehearse.practice.seed_records import load_records
from rehearse.practice.virtual_clock import START

INSTALLED_AT = (datetime(2022, 5, 9, 9, 30, tzinfo=UTC), datetime(2026, 9, 14, 15, 0, tzinfo=UTC))


@dataclass(frozen=True)
class _FixedClock:
    at: datetime

    def now(self) -> datetime:
        return self.at


def _copy(days: float, hours: float, wait: float | None = None) -> PastCopy:
    """A copy that was requested `days` before the start, took `hours`, and was activated `wait` hours after that."""
    requested = START - timedelta(days=days)
    copied = requested + timedelta(hours=hours)
    return PastCopy(requested, copied, None if wait is None else copied + timedelta(hours=wait))


# Name, licence, description, copies (days before the start, hours of copying, hours until the activation).
# UATFULL may not be refreshed before December; PERFFULL may be at once; SIT1 is between its two dates; DEV1 lies idle.
PAST: tuple[tuple[str, str, str, tuple[PastCopy, ...]], ...] = (
    (
        "UATFULL",
        "FULL",
        "Acceptance tests and rehearsals",
        (
            _copy(263, 26),
            _copy(211, 29, 14),
            _copy(160, 28, 21),
            _copy(104, 44, 3),
            _copy(61, 33, 9),
            _copy(18, 31, 20),
        ),
    ),
    (
        "PERFFULL",
        "FULL",
        "Load tests",
        (_copy(330, 30), _copy(245, 47, 5), _copy(170, 36, 30), _copy(97, 52, 12), _copy(33, 40, 9)),
    ),
    (
        "SIT1",
        "PARTIAL",
        "Integration with the ledger",
        (_copy(120, 7), _copy(76, 8, 2), _copy(41, 11, 1), _copy(19, 6, 18), _copy(6, 9, 15.5)),
    ),
    ("DEV1", "DEVELOPER", "Nobody remembers", (_copy(290, 1), _copy(231, 1.5, 0.5), _copy(152, 1, 0.2))),
    (
        "DEV2",
        "DEVELOPER",
        "Payments team",
        (_copy(90, 1), _copy(48, 0.9, 0.3), _copy(20, 1.2, 0.1), _copy(9, 1, 0.5), _copy(0.96, 0.9, 0.2)),
    ),
)


def build(folder: Path, seed: int = 1, records: int = 3000, components: int = 0, skew: int = 0) -> Estate:
    """Make the world in a new folder and answer it open; `records` is roughly how many rows production holds.

    `components` are made on top of the company's own, and `skew` contacts belong to one account. Raises
    FileExistsError when there is an estate already.
    """
    estate = Estate.create(folder, seed)
    estate.keep_recipe(records=records, components=components, skew=skew)
    try:
        user_id = build_production(estate.production, seed, records, components, skew)
        estate.tokens.add_client(None, user_id)
        for name, licence, description, copies in PAST:
            fields = {"Description": description}
            org = add_sandbox_history(estate, SandboxHistory(name, licence, user_id, copies, fields))
            last = copies[-1]
            estate.mark_live(org.org_id, last.activated or last.copied)
    except BaseException:
        estate.close()
        raise
    return estate


def build_production(org: OrgState, seed: int = 1, records: int = 3000, components: int = 0, skew: int = 0) -> str:
    """Fill an empty production org: metadata, rows, automation; answers the id of the release manager."""
    users = org.new_ids("005", len(USERS))
    kept = org.clock
    layers = list(zip(build_layers(seed), INSTALLED_AT, strict=True))
    if components:
        layers.append((build_many(components), INSTALLED_AT[0]))
    for layer, at in layers:
        org.clock = _FixedClock(at)
        deploy.install(org, layer, users[1])
    org.clock = kept
    _name_organization(org, users[1])
    load_records(org, users, seed, records, skew)
    load_automation_rules(org)
    schedule_apex(org, users[1], "DunningLetter", START + timedelta(hours=18))  # at night, and not in any copy
    return users[0]


def _name_organization(org: OrgState, admin: str) -> None:
    opened = "2019-01-07T07:00:00.000Z"
    values: dict[str, Value] = {
        "Id": org.org_id,
        "Name": COMPANY,
        "Street": "1 Custom House Quay",
        "City": "Cork",
        "Country": "Ireland",
        "Phone": "+353 21 555 0100",
        "PrimaryContact": "Rónán Fáinle",
        "TimeZoneSidKey": "Europe/Dublin",
        "LanguageLocaleKey": "en_US",
        "DefaultLocaleSidKey": "en_IE",
        "FiscalYearStartMonth": 1,
        "OrganizationType": "Unlimited Edition",
        "InstanceName": "PR1",
        "CreatedById": admin,
        "LastModifiedById": admin,
        "CreatedDate": opened,
        "LastModifiedDate": opened,
        "SystemModstamp": opened,
    }
    put_row(org, "Organization", values)
