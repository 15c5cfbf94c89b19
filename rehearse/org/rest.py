"""REST reads: identity, limits, describe, SOQL and Tooling queries, rows by id. Nothing but GET, all over the wire.

Rows are plain: `attributes` dropped, parent paths flattened to `Owner.Name`, also where the parent is null. A library
for this would bring a SOAP client along, for a tenth of the time that a command takes to start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

import requests

from rehearse import clock
from rehearse.errors import OrgRejected, UsageError
from rehearse.ids import to_18
from rehearse.org import soap
from rehearse.org.answers import making_sense
from rehearse.org.model import Identity, Limit, Value
from rehearse.org.soap import SoapCall
from rehearse.org.wire import Call, Wire

NEWEST_VERSION = "67.0"
OLDEST_VERSION = "51.0"
# URI and headers together may not pass 16,384 bytes (Salesforce answers 414 or 431); the token is part of the headers
URI_BYTES = 14_000
FLOAT_DIGITS = 15  # so many characters a float always gives back (IEEE 754 double)


def _fetch_json(wire: Wire, call: Call) -> Any:
    """The JSON that a call answers with; a body that is not whole JSON is asked for again, inside the retry."""
    return wire.stream(call, lambda response: _parse(response, call))


def _parse(response: requests.Response, call: Call) -> Any:
    content = response.content
    with making_sense(call.doing, call.safe):
        return json.loads(content, parse_float=read_decimal)


def read_decimal(text: str) -> float | str:
    """A number of an answer; one whose digits no float holds stays the text that it is, so that none of them is lost
    (a currency field may have 18 digits)."""
    number = float(text)
    kept = isfinite(number) and (len(text) <= FLOAT_DIGITS or Decimal(repr(number)) == Decimal(text))
    return number if kept else text


class RestReader:
    """REST reads of one org at one API version."""

    def __init__(self, wire: Wire, version: str) -> None:
        self._wire = wire
        self.version = version
        self.base = f"/services/data/v{version}"

    def fetch(self, path: str, doing: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON of a GET below the versioned base; `path` may carry parameters of its own."""
        parts = urlsplit(path)
        given = {**dict(parse_qsl(parts.query)), **(params or {})}
        call = Call("GET", f"{self.base}/{parts.path}", doing, given, headers={"Accept": "application/json"})
        return _fetch_json(self._wire, call)

    def fetch_rows(self, soql: str, *, deleted: bool = False, path: str = "") -> Iterator[dict[str, Value]]:
        """Rows of a query in its order; raises OrgRejected for a query that the org refuses."""
        selected_paths(soql)  # what cannot be read is not asked
        page = self.fetch(path or ("queryAll" if deleted else "query"), f"Reading {object_of(soql)}", {"q": soql})
        yield from self.rows_from(page, soql)

    def rows_from(self, page: Any, soql: str) -> Iterator[dict[str, Value]]:
        """The rows of a first page of a query and of all that follow. Raises OrgBusy for what is no page."""
        selected, doing, seen = selected_paths(soql), f"Reading {object_of(soql)}", set[str]()
        while True:
            with making_sense(doing):
                rows = [flatten(record, selected) for record in page["records"]]
                following = "" if page.get("done", True) else str(page.get("nextRecordsUrl") or "")
                if following in seen:
                    raise ValueError("it would go round for ever")
            yield from rows
            if not following:
                return
            seen.add(following)
            page = self.fetch(following.removeprefix(f"{self.base}/"), doing)

    def fetch_count(self, soql: str, *, deleted: bool = False) -> int:
        """The number that `SELECT COUNT() FROM …` gives; with `deleted` among binned and archived rows too."""
        path = "queryAll" if deleted else "query"
        doing = f"Counting {object_of(soql)}"
        page = self.fetch(path, doing, {"q": soql})
        with making_sense(doing):
            return int(page["totalSize"])

    def fetch_by_ids(
        self, object: str, ids: Sequence[str], fields: Sequence[str], *, deleted: bool = False
    ) -> dict[str, dict[str, Value]]:
        """Rows by id (18 characters); ids that do not exist are absent. Long lists take several calls.

        A field list that fills an address alone is split too; a row is returned only if every part had it.
        """
        found: dict[str, dict[str, Value]] | None = None
        for part in split_fields(object, [name for name in dict.fromkeys(fields) if name != "Id"]):
            rows: dict[str, dict[str, Value]] = {}
            for soql in id_queries(object, ids, part):
                for row in self.fetch_rows(soql, deleted=deleted):
                    with making_sense(f"Reading {object}"):
                        rows[to_18(str(row["Id"]))] = row
            found = rows if found is None else {key: {**found[key], **rows[key]} for key in found.keys() & rows.keys()}
        return found or {}

    def fetch_identity(self, known: Identity | None = None) -> Identity:
        """The Organization row, asked afresh, and the running user; raises OrgRejected when a field is missing.

        `known` was read with this very token: its user is taken over, since a token never changes its user.
        """
        doing = "Asking the org who it is"
        page = self.fetch("query", doing, {"q": _ORGANIZATION})
        if known is not None:
            user = {"Id": known.user_id, "Username": known.username}
            with making_sense(doing):
                return build_identity(page["records"], [user], self._wire.host)
        user_id = self._fetch_user_id(doing)
        users = self.fetch("query", doing, {"q": f"SELECT Id, Username FROM User WHERE Id = '{user_id}'"})
        with making_sense(doing):
            return build_identity(page["records"], users["records"], self._wire.host)

    def _fetch_user_id(self, doing: str) -> str:
        """The last part of the `identity` address in the resource list (needs no OAuth scope but `api`)."""
        resources = self.fetch("", doing)
        with making_sense(doing):
            found = re.search(r"/id/00D\w{12,15}/(005\w{12,15})", str(resources.get("identity", "")))
        if found:
            return found[1]
        call = Call("GET", "/services/oauth2/userinfo", doing)
        info = _fetch_json(self._wire, call)
        with making_sense(doing):
            return to_18(str(info["user_id"]))

    def fetch_org_id(self) -> tuple[str, bool]:
        """The 18-character id of the org behind the token, and whether it is a sandbox, asked afresh."""
        doing = "Asking the org who it is"
        page = self.fetch("query", doing, {"q": "SELECT Id, IsSandbox FROM Organization"})
        with making_sense(doing):
            row = page["records"][0]
            return to_18(str(row["Id"])), {True: True, False: False}[row["IsSandbox"]]

    def fetch_release(self) -> str:
        """The label and number of the newest API version that the org serves: a platform upgrade brings a newer one."""
        newest = max(fetch_versions(self._wire), key=lambda one: float(one["version"]))
        return f"{newest.get('label', 'release')} ({newest['version']})"

    def fetch_body(self, object: str, id: str, field: str) -> bytes:
        """The raw bytes of a base64 field of one row (sObject Blob Retrieve); raises OrgRejected when it is gone."""
        call = Call(
            "GET", f"{self.base}/sobjects/{object}/{id}/{field}", f"Reading {field} of a row of {object}", large=True
        )
        content: bytes = self._wire.fetch(call).content
        return content

    def fetch_limits(self) -> dict[str, Limit]:
        """The rows of /limits (accurate within about five minutes)."""
        doing = "Reading the limits of the org"
        rows = self.fetch("limits", doing)
        with making_sense(doing):
            return {name: Limit(int(row["Max"]), int(row["Remaining"])) for name, row in rows.items() if "Max" in row}

    def fetch_record_counts(self) -> dict[str, int]:
        """Rows of each object that has any: a cached, approximate number (facts/data.md 7), for all by one call."""
        doing = "Asking how many rows the objects have"
        rows = self.fetch("limits/recordCount", doing)
        with making_sense(doing):
            return {str(row["name"]): int(row["count"]) for row in rows["sObjects"]}

    def fetch_server_time(self) -> datetime:
        """The org's clock, from SOAP getServerTimestamp, as an aware instant."""
        asked = SoapCall("u", "getServerTimestamp", {}, "Asking the org for the time")
        results = soap.call_soap(self._wire, self.version, asked)
        with making_sense(asked.doing):
            return clock.from_iso(results[0].value("timestamp"))


_ORGANIZATION = "SELECT Id, Name, InstanceName, IsSandbox, TrialExpirationDate FROM Organization"


def build_identity(
    organizations: Sequence[Mapping[str, Any]], users: Sequence[Mapping[str, Any]], host: str
) -> Identity:
    """An Identity from the rows of Organization and User; raises OrgRejected unless there is one whole row of each."""
    needed = ("Id", "Name", "InstanceName", "IsSandbox", "TrialExpirationDate")
    if len(organizations) != 1 or len(users) != 1 or any(name not in organizations[0] for name in needed):
        raise OrgRejected(
            "INCOMPLETE", "its Organization or User row is missing or lacks a field", "Asking the org who it is"
        )
    row = organizations[0]
    if not isinstance(row["IsSandbox"], bool):
        raise OrgRejected("INCOMPLETE", "IsSandbox is neither true nor false", "Asking the org who it is")
    expires = row["TrialExpirationDate"]
    return Identity(
        org_id=to_18(str(row["Id"])),
        name=str(row["Name"]),
        is_sandbox=row["IsSandbox"],
        trial_expires=clock.from_iso(str(expires)) if expires is not None else None,
        instance=str(row["InstanceName"]),
        host=host,
        user_id=to_18(str(users[0]["Id"])),
        username=str(users[0]["Username"]),
        read_at=clock.now(),
    )


def fetch_newest_version(wire: Wire) -> str:
    """The newest API version that both sides know; the list of versions needs no token."""
    versions = [one["version"] for one in fetch_versions(wire)]
    common = [one for one in versions if float(OLDEST_VERSION) <= float(one) <= float(NEWEST_VERSION)]
    if not common:
        raise OrgRejected("NO_COMMON_VERSION", f"it serves none of {OLDEST_VERSION} to {NEWEST_VERSION}", _VERSIONS)
    return max(common, key=float)


_VERSIONS = "Asking the org for its API versions"


def fetch_versions(wire: Wire) -> list[dict[str, str]]:
    """The API versions of an org, each with `version` and `label`; needs no token."""
    call = Call("GET", "/services/data", _VERSIONS, with_token=False)
    listed = _fetch_json(wire, call)
    with making_sense(_VERSIONS):
        found = [{"version": str(one["version"]), "label": str(one.get("label", ""))} for one in listed]
        if not all(re.fullmatch(r"\d{1,3}\.\d", one["version"]) for one in found) or not found:
            raise ValueError("not a list of versions")
        return found


def object_of(soql: str) -> str:
    """The object that a query reads, for messages."""
    found = re.search(r"\bFROM\s+(\w+)", soql, re.IGNORECASE)
    return found[1] if found else "rows"


def selected_paths(soql: str) -> tuple[str, ...]:
    """The field paths of the SELECT list, as written; raises UsageError for child sub-selects, which are not read."""
    found = re.match(r"\s*SELECT\s+(.*?)\s+FROM\s", soql, re.IGNORECASE | re.DOTALL)
    if found is None or re.search(r"\(\s*SELECT\b", found[1], re.IGNORECASE):
        raise UsageError("A query must be SELECT fields FROM an object, without child sub-selects.")
    return tuple(part.strip() for part in found[1].split(",") if re.fullmatch(r"[\w.]+", part.strip()))


def flatten(record: Mapping[str, Any], selected: Sequence[str]) -> dict[str, Value]:
    """A record of a query answer as one flat row; a null parent gives None for each selected path below it."""
    row: dict[str, Value] = {}
    _flatten_into(row, record, "")
    deep = [path for path in selected if "." in path]
    if not deep:
        return row
    lower = {name.lower(): name for name in row}
    for path in deep:
        if path.lower() not in lower:
            row[path] = None
    parents = {path.lower().rsplit(".", depth)[0] for path in deep for depth in range(1, path.count(".") + 1)}
    for name in [name for name in row if name.lower() in parents and row[name] is None]:
        del row[name]
    return row


def _flatten_into(row: dict[str, Value], record: Mapping[str, Any], prefix: str) -> None:
    for name, value in record.items():
        if not isinstance(value, dict):  # JSON knows no other mapping
            row[prefix + name] = value
        elif name != "attributes":
            _flatten_into(row, value, f"{prefix}{name}.")


def split_fields(object: str, fields: Sequence[str]) -> Iterator[list[str]]:
    """The fields in parts that leave room for ids in an address; at least one part, even for no fields."""
    room = URI_BYTES // 2
    part: list[str] = []
    for name in fields:
        if part and len(quote_plus(",".join([*part, name]))) > room:
            yield part
            part = []
        part.append(name)
    yield part


def id_queries(object: str, ids: Sequence[str], fields: Sequence[str]) -> Iterator[str]:
    """Queries for these ids, each short enough for an address; raises UsageError for a text that is no id."""
    head = f"SELECT {','.join(['Id', *fields])} FROM {object} WHERE Id IN ("
    room = URI_BYTES - len(quote_plus(head)) - 200
    each = len(quote_plus("'0123456789abcdefgh',"))
    size = max(1, min(2000, room // each))
    known = list(dict.fromkeys(to_18(one) for one in ids))
    for start in range(0, len(known), size):
        yield head + ",".join(f"'{one}'" for one in known[start : start + size]) + ")"
