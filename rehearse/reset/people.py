"""Names of users for the sentences of plan and proof: who changed a row is a person, not an Id. Reads only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from rehearse.errors import OrgRejected
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


def user_ids(texts: Iterable[str]) -> set[str]:
    """The Ids of users that stand in these texts."""
    return {id for text in texts for id in _USER.findall(text)}


def with_names(text: str, names: Mapping[str, str]) -> str:
    """A text in which every known Id of a user is replaced by the name."""
    return _USER.sub(lambda found: names.get(found[0], found[0]), text)
