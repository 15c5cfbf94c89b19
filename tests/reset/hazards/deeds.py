"""The row cases of rows.toml, done in the practice org, and as the files of rows that a forecast reads."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearse.practice import rows_convert, rows_merge
from rehearse.practice.features import follow_features
from rehearse.reset.forecast_rows import RowFile

DEEDS = ("insert", "update", "delete", "hard-delete", "pick", "value", "merge", "convert", "setting")


@dataclass
class Deeds:
    """Does deeds one after the other; `judged` collects the rows that were touched, with their grade and case."""

    lab: Any
    named: dict[str, str] = field(default_factory=dict)
    judged: list[tuple[str, str, str, str, str]] = field(default_factory=list)

    def run(self, fact: str, deed: Mapping[str, Any]) -> None:
        kind = next(one for one in DEEDS if one in deed)
        if kind == "setting":
            self.lab.server.estate.settings.put(deed["setting"], deed["to"])
            follow_features(self.lab.org)
            return
        object = deed[kind]
        ids = [] if kind == "insert" else self.find(deed, object)
        values = {name: self.told(value) for name, value in deed.get("values", {}).items()}
        if kind == "insert":
            ids = self.lab.insert(object, values, by="admin" if object == "User" else "loader")
        elif kind == "update":
            self.lab.update(object, *({"Id": one, **values} for one in ids))
        elif kind in ("delete", "hard-delete"):
            self.lab.delete(*ids, hard=kind == "hard-delete")
        elif kind == "merge":
            master = {"Id": self.told(deed["into"])}
            saved, _ = rows_merge.merge(self.lab.org, self.lab.user("loader"), object, master, ids)
            assert saved.success, saved
        elif kind == "convert":
            for one in ids:
                asked = rows_convert.Conversion(one, deed["status"])
                saved, _ = rows_convert.convert(self.lab.org, self.lab.user("admin"), asked)
                assert saved.success, saved
        if "as" in deed:
            assert len(ids) == 1, (fact, deed, ids)
            self.named[deed["as"]] = self.lab.value(object, ids[0], deed["field"]) if kind == "value" else ids[0]
        if deed.get("grade"):
            grades = (deed["grade"], deed.get("planned", deed["grade"]))
            self.judged += [(fact, object, one, *grades) for one in ids]

    def find(self, deed: Mapping[str, Any], object: str) -> list[str]:
        where = str(deed["where"])
        if where.startswith("@"):
            return [self.named[where[1:]]]
        for name, id in self.named.items():
            where = where.replace(f"'@{name}'", f"'{id}'")
        alive = '"IsDeleted" = 0 AND ' if "IsDeleted" in self.columns(object) else ""
        found: list[str] = self.lab.pick(f'"{object}" WHERE {alive}{where}')
        assert found, (deed, "picks nothing")
        return found

    def columns(self, object: str) -> set[str]:
        with self.lab.org.lock:
            return {row[1] for row in self.lab.org.db.execute(f'PRAGMA table_info("{object}")')}

    def told(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("@"):
            return self.named[value[1:]]
        return None if value == "" else value

    def file(self, step: str, deed: Mapping[str, Any], folder: Path) -> RowFile | None:
        """The file of rows that does the same, where one can, before anything was changed."""
        kind = next(one for one in DEEDS if one in deed)
        texts = [deed.get("where", ""), *deed.get("values", {}).values()]
        refers = any("@" in str(one) for one in texts)
        if kind not in ("insert", "update", "delete") or not deed.get("grade") or refers or "forecast" in deed:
            return None
        values = {name: "#N/A" if one == "" else cell(one) for name, one in deed.get("values", {}).items()}
        ids = [""] if kind == "insert" else self.find(deed, deed[kind])
        path = folder / f"{step}.csv"
        with path.open("w", newline="") as target:
            writer = csv.writer(target)
            writer.writerow(([] if kind == "insert" else ["Id"]) + list(values))
            writer.writerows(([] if kind == "insert" else [one]) + list(values.values()) for one in ids)
        return RowFile(step, deed[kind], kind, path)  # type: ignore[arg-type]


def cell(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
