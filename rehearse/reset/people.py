"""Names of users for the sentences of plan and proof: who changed a row is a person, not an Id. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rehearse.errors import AmbiguousId, NotFound, OrgRejected
from rehearse.org.connect import OrgReader

_USER = re.compile(r"\b005[A-Za-z0-9]{15}\b")


def fetch_names(reader: OrgReader, ids: Iterable[str]) -> dict[str, str]:
    """The names of the users among these Ids; who cannot be read is left out."""
    wanted = sorted({one for one in ids if _USER.fullmatch(one)})
    if not wanted:
        return {}
    try:
        rows = reader.fetch_by_ids("User", wanted, ["Name"])
    except OrgRejected:
        return {}
    return {id: str(row["Name"]) for id, row in rows.items() if row.get("Name")}


def fetch_users(reader: OrgReader, names: Iterable[str]) -> dict[str, str]:
    """Given Ids, user names, aliases or full names -> the user's Id. Raises NotFound, AmbiguousId."""
    found: dict[str, str] = {}
    for name in names:
        if _USER.fullmatch(name):
            found[name] = name
            continue
        quoted = name.replace("\\", "\\\\").replace("'", "\\'")
        where = " OR ".join(f"{field} = '{quoted}'" for field in ("Username", "Alias", "Name"))
        ids = sorted({str(row["Id"]) for row in reader.fetch_rows(f"SELECT Id FROM User WHERE {where}")})
        if not ids:
            raise NotFound(f"There is no user {name!r} in this sandbox.", "Give a user name, an alias or an Id.")
        if len(ids) > 1:
            raise AmbiguousId(f"{name!r} fits {len(ids)} users.", "Give the user name or the Id.")
        found[name] = ids[0]
    return found


def user_ids(texts: Iterable[str]) -> set[str]:
    """The Ids of users that stand in these texts."""
    return {id for text in texts for id in _USER.findall(text)}


def with_names(text: str, names: Mapping[str, str]) -> str:
    """A text in which every known Id of a user is replaced by the name."""
    return _USER.sub(lambda found: names.get(found[0], found[0]), text)
