"""Switching an org's automation off while a reset writes, and putting the switches back as they were.

Holds the writer. Each switch is journalled with its sealed prior values before it is touched. Both directions look at
the org first and write only what differs, so either may be called again after a kill or a lost reply at any point.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict

from rehearse.errors import OrgRejected, OrgUncertain
from rehearse.events import Noted
from rehearse.journal import Entry, load_entries
from rehearse.org.model import SaveResult, Value
from rehearse.org.reader import OrgReader
from rehearse.reset import apply_deactivation, bypass_components
from rehearse.reset.apply_context import Tools
from rehearse.reset.bypass import OFF, ON, open_switches
from rehearse.reset.bypass_rows import MOST_ROWS, Prior, fetch_prior, fetch_state
from rehearse.reset.model import Silenced, Switch

AT_ONCE = 200
_TRIES = 3


def switch_on(tools: Tools, switches: Sequence[Switch], user_id: str) -> tuple[Silenced, ...]:
    """Put every switch on, unless this run has begun to put them back. Answers what was on before, for the proof.

    Raises UsageError for a switch that the org does not have, and what the writer raises; the journal knows how far.
    """
    entries = load_entries(tools.id_map.database, tools.journal.run)
    if any(one.kind == OFF for one in entries):
        return load_silenced(tools, entries)
    begun = {int(one.detail["switch"]): one for one in entries if one.kind == ON}
    new = [number for number in range(len(switches)) if number not in begun]
    before = dict(zip(new, fetch_before(tools.writer.reader, [switches[one] for one in new], user_id), strict=True))
    for number, switch in enumerate(switches):
        entry = begun.get(number) or _begin(tools, number, switch, before[number])
        deploys = _put_on(tools, _silenced(tools, entry))
        if entry.closed is None:
            tools.journal.close(entry, {"deploys": deploys})
        tools.on_event(Noted(f"Bypass on: {switch}."))
    return load_silenced(tools, load_entries(tools.id_map.database, tools.journal.run))


def switch_off(tools: Tools) -> tuple[str, ...]:
    """Put every switch of this run that is still on back to what it was; answers their names."""
    done: list[str] = []
    entries = load_entries(tools.id_map.database, tools.journal.run)
    begun = {one.detail["switch"]: one for one in entries if one.kind == OFF}
    for entry in reversed(open_switches(entries)):
        silenced, number = _silenced(tools, entry), entry.detail["switch"]
        off = begun.get(number) or tools.journal.open(OFF, {"switch": number})
        deploys: list[str] = []
        if silenced.prior is None:
            deploys = apply_deactivation.put_back(tools, silenced)
        else:
            _put_back(tools, Prior(**silenced.prior))
        tools.journal.close(off, {"deploys": deploys})
        tools.on_event(Noted(f"Bypass off: {silenced.switch}."))
        done.append(str(silenced.switch))
    return tuple(done)


def forget(tools: Tools) -> None:
    """Close the switches of a generation that is gone: its successor never had them."""
    for entry in open_switches(load_entries(tools.id_map.database, tools.journal.run)):
        tools.journal.close(tools.journal.open(OFF, {"switch": entry.detail["switch"]}), {"void": True})


def load_silenced(tools: Tools, entries: Iterable[Entry]) -> tuple[Silenced, ...]:
    """Every switch that this run has touched, with what was before."""
    return tuple(_silenced(tools, one) for one in entries if one.kind == ON)


def find_places(tools: Tools, silenced: Iterable[Silenced]) -> set[tuple[str, str]]:
    """The rows and components that the switches are: no action of the plan may touch them meanwhile."""
    found: set[tuple[str, str]] = set()
    for one in silenced:
        if one.prior is None:
            found.add(bypass_components.place_of(one.switch))
            continue
        prior = Prior(**one.prior)
        found |= {(prior.object, id) for id in (*prior.rows, *fetch_state(tools.writer.reader, prior)[1])}
    return found


def fetch_before(reader: OrgReader, switches: Sequence[Switch], user_id: str) -> list[dict[str, object]]:
    """What each switch is now. Raises UsageError for one that the org does not have: before the first is touched."""
    return [
        {"files": bypass_components.fetch_prior(reader, one)}
        if one.kind == "deactivate"
        else {"prior": asdict(fetch_prior(reader, one, user_id))}
        for one in switches
    ]


def _begin(tools: Tools, number: int, switch: Switch, before: Mapping[str, object]) -> Entry:
    """Write the intent with the prior values."""
    sealed = tools.store.keys.seal(json.dumps({"switch": asdict(switch), **before}))
    detail = {"switch": number, "what": str(switch), "org": tools.writer.org_id, "prior": sealed}
    return tools.journal.open(ON, detail)


def _silenced(tools: Tools, entry: Entry) -> Silenced:
    content = json.loads(tools.store.keys.unseal(str(entry.detail["prior"])))
    values = tuple((name, value) for name, value in content["switch"]["values"])
    return Silenced(Switch(**{**content["switch"], "values": values}), content.get("prior"), content.get("files", {}))


def _put_on(tools: Tools, silenced: Silenced) -> list[str]:
    """Answers the ids of the deployments that this took."""
    if silenced.prior is None:
        return apply_deactivation.put_on(tools, silenced)
    prior, wanted = Prior(**silenced.prior), dict(silenced.switch.values)

    def rest() -> None:
        rows, made = fetch_state(tools.writer.reader, prior)
        late = [{"Id": id, **wanted} for id, row in rows.items() if any(row[one] != wanted[one] for one in row)]
        for part in _parts(late):
            _check(tools.writer.update_rows(prior.object, part), silenced.switch)
        if prior.missing and not made:
            _check(tools.writer.insert_rows(prior.object, [{**prior.given, **prior.missing}]), silenced.switch)

    _until_known(tools, rest)
    return []


def _put_back(tools: Tools, prior: Prior) -> None:
    def rest() -> None:
        rows, made = fetch_state(tools.writer.reader, prior)
        late = [{"Id": id, **prior.rows[id]} for id, row in rows.items() if row != prior.rows[id]]
        for part in _parts(late):
            _check(tools.writer.update_rows(prior.object, part), None)
        if made:
            _check(tools.writer.delete_rows(made), None)

    _until_known(tools, rest)


def _parts(rows: list[dict[str, Value]]) -> Iterable[list[dict[str, Value]]]:
    assert len(rows) <= MOST_ROWS
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def _until_known(tools: Tools, act: Callable[[], None]) -> None:
    """Do it again after a lost reply: it looks at the org first, and the org takes no second row of one owner."""
    for attempt in range(_TRIES):
        try:
            act()
            return
        except OrgUncertain:
            if attempt == _TRIES - 1:
                raise
            tools.on_event(Noted("The reply to a switch was lost; looking at the org."))


def _check(results: Sequence[SaveResult], switch: Switch | None) -> None:
    for one in results:
        if not one.success:
            code = one.errors[0].code if one.errors else "UNKNOWN_ERROR"
            what = f"Switching on the {switch}" if switch else "Putting a switch back"
            hint = "Run the same command again, or put the switches back with `rehearse reset bypass-off`."
            raise OrgRejected(code, "the row was refused", what, hint)
