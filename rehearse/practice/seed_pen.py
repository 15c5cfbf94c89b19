"""What writing the company's rows needs: one source of chance, ids by object, who works there, and stamps.

A row is a mapping of field to value as JSON carries it. Rows come as iterators, so that a million of them need no more
memory than their ids. Promise: the same seed and scale give the same rows, whatever the machine or the day.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import Value

Row = dict[str, Value]

FIRST_DAY = datetime(2019, 1, 7, 7, 0, tzinfo=UTC)
LAST_DAY = datetime(2026, 11, 1, 18, 0, tzinfo=UTC)  # before the oldest sandbox copy in the history was requested
_DAYS = (LAST_DAY - FIRST_DAY).days


@dataclass
class Pen:
    """The state of one seeding; `ids` holds the ids of every object that others refer to, in order of making."""

    org: OrgState
    rng: random.Random
    users: list[str] = field(default_factory=list)
    queues: dict[str, str] = field(default_factory=dict)
    record_types: dict[str, str] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    skew: int = 0  # so many contacts belong to the first account

    def reserve(self, name: str) -> Iterator[tuple[int, str]]:
        """(index, id) of each row of an object that is to be written."""
        prefix = self.org.object(name).key_prefix
        self.ids[name] = self.org.new_ids(prefix, self.counts[name])
        return iter(enumerate(self.ids[name]))

    def some(self, name: str) -> str:
        """The id of any row of an object."""
        return self.rng.choice(self.ids[name])

    def maybe(self, name: str, share: float) -> str | None:
        """The id of any row of an object, or nothing; `share` is how often there is one."""
        return self.some(name) if self.rng.random() < share else None

    def earlier(self, name: str, index: int, share: float) -> str | None:
        """The id of a row before this one (so self-lookups never run in a circle), or nothing."""
        return self.ids[name][self.rng.randrange(index)] if index > 3 and self.rng.random() < share else None

    def stamps(self, *, owner: str | None = None, owned: bool = True) -> Row:
        """Owner and audit fields: made on some day of the past years, changed later or never."""
        rng = self.rng
        created = FIRST_DAY + timedelta(days=rng.randrange(_DAYS), seconds=rng.randrange(36_000))
        changed = created if rng.random() < 0.4 else created + (LAST_DAY - created) * rng.random()
        # One row in ten was touched by the platform alone, which moves SystemModstamp and nothing else.
        touched = changed if rng.random() < 0.9 else changed + (LAST_DAY - changed) * rng.random()
        author = rng.choice(self.users)
        row: Row = {
            "CreatedDate": as_instant(created),
            "CreatedById": author,
            "LastModifiedDate": as_instant(changed),
            "LastModifiedById": rng.choice(self.users),
            "SystemModstamp": as_instant(touched),
        }
        if owned:
            row["OwnerId"] = owner or author
        return row

    def day(self, first: date = date(2019, 1, 7), last: date = date(2027, 12, 31)) -> date:
        """Any day between two days."""
        return first + timedelta(days=self.rng.randrange((last - first).days))

    def money(self, most: float) -> float:
        """An amount with cents, small ones more often than large ones."""
        return round(self.rng.random() ** 3 * most, 2)


def as_instant(moment: datetime) -> str:
    """An instant as rows hold it; Salesforce keeps whole seconds."""
    return f"{moment.isoformat()[:19]}.000Z"


def any_instant(rng: random.Random) -> str:
    """Any instant between 1999 and 2031, in summer and in winter."""
    return as_instant(datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC) + timedelta(seconds=rng.randrange(986_000_000)))
