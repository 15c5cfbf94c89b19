"""A random rehearsal over rows, by a seed: whatever a team may do to data in a sandbox, through the org's own rules.

What the org refuses is no matter; what it takes has to be undone. The same seed makes the same rehearsal.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rehearse.practice import rows

OBJECTS = (
    "Account", "Contact", "Opportunity", "Case", "Task", "Product2", "Invoice__c", "InvoiceLine__c", "Payment__c",
    "Project__c", "ProjectMember__c", "Machine__c", "ServiceVisit__c", "Routing__c", "TriggerSwitch__c",
)  # fmt: skip
USERS = ("loader", "admin", "release", "sales1")
TEXTS = (
    "plain", "#N/A", "NA", "null", "=1+1", 'He said "no", twice', "two\nlines", "two\r\nlines", "päivää 🚢 “ok”",
    " leading and trailing ", "a;b;c", "0012", "1e5", "tab\there", "\\N", "'quoted'", "<b>&amp;</b>", "x" * 70,
)  # fmt: skip
NUMBERS = (0, 1, -1, 0.01, 1234.56, 99, 5, 2.5, 7, 12, 0.1, 3)
DATES = ("2026-11-23", "2020-02-29", "1999-12-31", "2031-01-01")
MOMENTS = ("2026-11-23T08:00:00.000Z", "2020-02-29T23:59:59.000Z", "2031-06-01T00:00:00.000Z")


@dataclass
class Chance:
    """One rehearsal under way: what was made so far, and a line about each thing done."""

    lab: Any
    rng: random.Random
    objects: tuple[str, ...] = OBJECTS
    made: dict[str, list[str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def by(self) -> str:
        return str(self.lab.user(self.rng.choice(USERS)))

    def live(self, object: str, count: int = 1, *, made: float = 0.25) -> list[str]:
        """Ids of living rows, some of them new."""
        new = self.made.get(object, [])
        if new and self.rng.random() < made:
            alive = [one for one in new if self.lab.value(object, one, "IsDeleted") == 0]
            if alive:
                return self.rng.sample(alive, min(count, len(alive)))
        every = self.lab.pick(f'"{object}" WHERE "IsDeleted" = 0 ORDER BY "Id"')
        return self.rng.sample(every, min(count, len(every)))

    def value(self, definition: Any, one: Any) -> Any:
        """A random value for a field: null now and then."""
        rng = self.rng
        if rng.random() < 0.25 and not one.required and one.type != "boolean":
            return None
        if one.type == "reference":
            target = rng.choice(one.reference_to) if one.reference_to else None
            if target == "User":
                return self.lab.user(rng.choice(("sales1", "desk1", "admin")))
            if target in ("Group", "RecordType", None):
                return None
            found = self.live(target, made=0.4)
            return found[0] if found else None
        if one.type == "boolean":
            return rng.random() < 0.5
        if one.is_number:
            number = rng.choice(NUMBERS)
            return round(number, one.scale) if one.scale else int(number)
        if one.type == "date":
            return rng.choice(DATES)
        if one.type == "datetime":
            return rng.choice(MOMENTS)
        if one.type in ("picklist", "multipicklist"):
            names = [value.name for value in one.values if value.active]
            if not names:
                return rng.choice(("Other", None))
            if one.type == "multipicklist":
                return ";".join(rng.sample(names, rng.randint(1, min(3, len(names)))))
            return rng.choice(names)
        if one.type == "email":
            return f"x{rng.randrange(999)}@firm.example"
        if one.type == "url":
            return "https://firm.example/"
        if one.unique:
            return f"U-{rng.randrange(10**9)}"
        text = rng.choice(TEXTS)
        return text[: one.length] if one.length else text

    def fields(self, object: str, *, creating: bool) -> list[Any]:
        definition = self.lab.org.object(object)
        return [
            one
            for one in definition.fields
            if one.writable
            and not one.system
            and not one.encrypted
            and (one.createable if creating else one.updateable)
            and one.type not in ("id", "base64", "time")
            and one.name not in ("OwnerId", "RecordTypeId", "CurrencyIsoCode", "IsPrivate")
        ]

    # what a team does

    def update(self) -> str:
        object = self.rng.choice(self.objects)
        known = self.fields(object, creating=False)
        chosen = self.rng.sample(known, min(len(known), self.rng.randint(1, 4)))
        definition = self.lab.org.object(object)
        ids = self.live(object, self.rng.randint(1, 6))
        values = [{"Id": id, **{one.name: self.value(definition, one) for one in chosen}} for id in ids]
        saved = rows.update(self.lab.org, self.by, object, values)
        return f"update {object} {[one.name for one in chosen]} {_ok(saved)}/{len(saved)}"

    def insert(self, object: str = "", **given: Any) -> str:
        object = object or self.rng.choice(self.objects)
        definition = self.lab.org.object(object)
        known = self.fields(object, creating=True)
        need = [one for one in known if one.required or one.is_master or one.name in ("Name", "LastName", "Amount__c")]
        other = self.rng.sample(known, min(len(known), 4))
        values = []
        for _ in range(self.rng.randint(1, 4)):
            row = {one.name: self.value(definition, one) for one in other}
            for one in need:
                while row.get(one.name) is None and (found := self.value(definition, one)) is not None:
                    row[one.name] = found
            if object == "Routing__c" and not row.get("Code__c"):
                row["Code__c"] = f"N-{self.rng.randrange(10**8)}"
            values.append({**row, **given})
        saved = rows.insert(self.lab.org, self.by, object, values)
        self.made.setdefault(object, []).extend(str(one.id) for one in saved if one.success)
        why = "" if _ok(saved) else f" {saved[0].errors}"
        return f"insert {object} {_ok(saved)}/{len(saved)}{why}"

    def delete(self) -> str:
        object = self.rng.choice(self.objects)
        hard = self.rng.random() < 0.2
        ids = self.live(object, self.rng.randint(1, 4))
        saved = rows.delete(self.lab.org, self.by, ids, hard=hard)
        return f"delete {object} hard={hard} {ids} {_ok(saved)}/{len(saved)}"

    def delete_after_adding(self) -> str:
        """A master gets new children, then it is deleted with them."""
        master, child, link = self.rng.choice(TREES)
        (id,) = self.live(master)
        said = self.insert(child, **{link: id})
        if self.rng.random() < 0.3:
            (other,) = self.live(child, made=0.0)
            rows.update(self.lab.org, self.by, child, [{"Id": other, link: id}])
        saved = rows.delete(self.lab.org, self.by, [id], hard=self.rng.random() < 0.15)
        return f"{said}; then delete {master} {id} {_ok(saved)}"

    def delete_detail_then_master(self) -> str:
        master, child, link = self.rng.choice(TREES)
        (id,) = self.live(master)
        ids = self.lab.pick(f'"{child}" WHERE "{link}" = ? AND "IsDeleted" = 0 ORDER BY "Id" LIMIT 1', id)
        if ids:
            rows.delete(self.lab.org, self.by, ids)
        saved = rows.delete(self.lab.org, self.by, [id])
        return f"delete {child} {ids} and then {master} {id} {_ok(saved)}"

    def undelete(self) -> str:
        with self.lab.org.lock:
            found = self.lab.org.db.execute("SELECT id FROM recycle_bin WHERE hard = 0 ORDER BY id").fetchall()
        if not found:
            return "nothing to undelete"
        ids = [str(one[0]) for one in self.rng.sample(found, min(2, len(found)))]
        return f"undelete {ids} {_ok(rows.undelete(self.lab.org, self.by, ids))}"

    def owner(self) -> str:
        object = self.rng.choice(("Account", "Contact", "Opportunity", "Case", "Machine__c", "Routing__c"))
        new = self.lab.user(self.rng.choice(("sales1", "desk1", "admin")))
        saved = rows.update(
            self.lab.org, self.by, object, [{"Id": one, "OwnerId": new} for one in self.live(object, 3)]
        )
        return f"owner of {object} {_ok(saved)}"

    def swap_unique(self) -> str:
        object, name = self.rng.choice(UNIQUE)
        ids = self.live(object, 3, made=0.1)
        held = [self.lab.value(object, one, name) for one in ids]
        turned = [*held[1:], held[0]]
        for one in ids:
            rows.update(self.lab.org, self.by, object, [{"Id": one, name: f"tmp-{one[-6:]}"}])
        done = [_ok(rows.update(self.lab.org, self.by, object, [{"Id": one, name: value}]))
                for one, value in zip(ids, turned, strict=True)]  # fmt: skip
        return f"rotate {object}.{name} of {ids} {done}"

    def take_over_unique(self) -> str:
        object, name = self.rng.choice(UNIQUE)
        (id,) = self.live(object, made=0.0)
        value = self.lab.value(object, id, name)
        if self.rng.random() < 0.5:
            rows.delete(self.lab.org, self.by, [id], hard=self.rng.random() < 0.5)
        else:
            rows.update(self.lab.org, self.by, object, [{"Id": id, name: f"moved-{id[-6:]}"}])
        return f"took {object}.{name} of {id}: {self.insert(object, **{name: value})}"

    def reparent(self) -> str:
        object, link = self.rng.choice(SELF)
        ids = self.live(object, 3)
        (up,) = self.live(object, made=0.5)
        saved = rows.update(self.lab.org, self.by, object, [{"Id": one, link: up} for one in ids if one != up])
        return f"reparent {object}.{link} of {ids} to {up} {_ok(saved)}"


TREES = (
    ("Invoice__c", "InvoiceLine__c", "Invoice__c"),
    ("Account", "Invoice__c", "Account__c"),
    ("Project__c", "ProjectMember__c", "Project__c"),
    ("Contact", "ProjectMember__c", "Contact__c"),
    ("Machine__c", "ServiceVisit__c", "Machine__c"),
    ("Account", "Contact", "AccountId"),
    ("Account", "Opportunity", "AccountId"),
    ("Project__c", "Machine__c", "Project__c"),
)
UNIQUE = (
    ("Routing__c", "Code__c"),
    ("Machine__c", "SerialNumber__c"),
    ("Payment__c", "Reference__c"),
    ("Contact", "BadgeNumber__c"),
    ("Project__c", "ExternalKey__c"),
    ("Invoice__c", "ExternalNumber__c"),
)
SELF = (
    ("Account", "ParentId"),
    ("Contact", "ReportsToId"),
    ("Case", "ParentId"),
    ("Project__c", "Parent__c"),
    ("Payment__c", "RefundOf__c"),
    ("Invoice__c", "CreditFor__c"),
)


def _ok(saved: Any) -> int:
    return sum(1 for one in saved if one.success)


def hold(lab: Any, rng: random.Random, count: int, objects: tuple[str, ...] = OBJECTS) -> list[str]:
    """`count` random deeds; answers a line about each."""
    crew = Chance(lab, rng, objects)
    deeds: tuple[tuple[Callable[[], str], int], ...] = (
        (crew.update, 5),
        (crew.insert, 4),
        (crew.delete, 3),
        (crew.delete_after_adding, 3),
        (crew.delete_detail_then_master, 1),
        (crew.undelete, 1),
        (crew.owner, 1),
        (crew.swap_unique, 1),
        (crew.take_over_unique, 1),
        (crew.reparent, 2),
    )
    for _ in range(count):
        (deed,) = rng.choices([one for one, _ in deeds], [weight for _, weight in deeds])
        try:
            crew.said.append(deed())
        except IndexError as error:
            crew.said.append(f"{deed.__name__}: {error}")
    return crew.said
