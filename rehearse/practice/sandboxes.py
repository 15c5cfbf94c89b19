"""What production is asked about its sandboxes: create, clone, refresh, activate, discard, delete, list, log in.

These answer the Tooling calls on SandboxInfo and SandboxProcess, and sandboxAuth. A refusal is an ApiError and changes
nothing; what was accepted goes on by itself as the virtual clock moves. Every copy is kept as a row for ever. Hold no
org's lock when calling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from rehearse.practice.estate import Estate
from rehearse.practice.http_errors import ApiError
from rehearse.practice.sandbox_engine import advance, alone, start_deletion
from rehearse.practice.sandbox_requests import (
    DEFAULTS,
    check_interval,
    check_licences,
    check_name,
    check_not_busy,
    check_options,
    check_unlocked,
    choose_licence,
    read_fields,
)
from rehearse.practice.sandbox_rows import BUSY, Info, Process, SandboxRows
from rehearse.practice.sandbox_steps import interval_ends
from rehearse.practice.sandbox_views import info_row, process_row, stage_rows

SandboxObject = Literal["SandboxInfo", "SandboxProcess", "SandboxProcessStage"]
NO_ROW = "The requested resource does not exist"


def query_rows(estate: Estate, name: SandboxObject) -> list[dict[str, Any]]:
    """The rows of one of the three objects, newest first; stamps as tables hold them.

    A SandboxProcess row has `Status` as the label that is answered and `_status_code` as the code that a WHERE compares
    with. Raises KeyError for another object.
    """
    advance(estate)
    rows = SandboxRows(estate.file)
    now = estate.clock.now()
    if name == "SandboxInfo":
        return [info_row(one) for one in reversed(rows.infos()) if not one.deleted]
    processes = rows.processes()[::-1]
    knobs = estate.settings.load()
    if name == "SandboxProcess":
        return [process_row(one, knobs, now) for one in processes]
    if name == "SandboxProcessStage":
        return [row for one in processes for row in stage_rows(one, processes, knobs, now)]
    raise KeyError(name)


def create(estate: Estate, values: Mapping[str, Any], user_id: str) -> str:
    """Ask for a new sandbox, or a clone (`SourceId`); returns the id of its SandboxInfo. Raises ApiError."""
    with alone(estate):
        _begin(estate)
        fields = {**DEFAULTS, **read_fields(values, creating=True)}
        rows = SandboxRows(estate.file)
        source = _source_of(rows, fields, None, estate)
        _check_name(estate, rows, fields["SandboxName"], None)
        licence = choose_licence(fields, source, estate.settings)
        check_options(fields, licence, source, estate.settings)
        check_licences(licence, _taken_licences(estate, rows, None), estate.settings)
        now = estate.clock.now()
        info = Info(
            id=estate.production.new_id("0GQ"),
            name=fields["SandboxName"],
            licence=licence,
            created=now,
            created_by=user_id,
            modified=now,
            modified_by=user_id,
            asked=_asked(fields),
        )
        process = new_process(estate, info, user_id, is_refresh=False)
        with estate.file.transaction():
            rows.add_info(info)
            rows.add_process(process)
            estate.tokens.add_client(info.name, user_id)
        return info.id


def refresh(estate: Estate, info_id: str, values: Mapping[str, Any], user_id: str) -> None:
    """Ask for a new copy of a sandbox. Raises ApiError; a refused refresh changes nothing.

    The licence type (or a clone's `SourceId`) must be sent; other fields that are not sent keep their values, except
    those that the setting `refresh_clears_unsent` names.
    """
    with alone(estate):
        _begin(estate)
        rows = SandboxRows(estate.file)
        info = find_info(rows, info_id)
        sent = read_fields(values, creating=False)
        cleared = {name: DEFAULTS[name] for name in estate.settings["refresh_clears_unsent"] if name in DEFAULTS}
        fields = {**DEFAULTS, **info.asked, **cleared, "SourceId": None, **sent}
        name = sent.get("SandboxName") or info.name
        source = _source_of(rows, fields, info, estate)
        _check_name(estate, rows, name, info)
        licence = choose_licence(sent, source, estate.settings)
        check_options(fields, licence, source, estate.settings)
        processes = rows.processes(info.id)
        check_not_busy(processes[-1], estate.settings)
        now = estate.clock.now()
        check_interval(processes, info.licence, estate.settings, now)
        check_licences(licence, _taken_licences(estate, rows, info), estate.settings)
        changed = replace(info, name=name, licence=licence, modified=now, modified_by=user_id, asked=_asked(fields))
        process = new_process(estate, changed, user_id, is_refresh=True)
        with estate.file.transaction():
            rows.save_info(changed)
            rows.add_process(process)
            estate.tokens.add_client(name, user_id)


def change_process(estate: Estate, process_id: str, values: Mapping[str, Any], user_id: str) -> None:
    """PATCH of a SandboxProcess: only `RefreshAction` can be written, ACTIVATE or DISCARD. Raises ApiError."""
    given = {name.lower(): value for name, value in values.items() if name != "attributes"}
    for name in given:
        if name != "refreshaction":
            text = f"Unable to create/update fields: {name}. Please check the security settings of this field"
            raise ApiError(400, "INVALID_FIELD_FOR_INSERT_UPDATE", text, [name])
    action = given.get("refreshaction")
    if action == "ACTIVATE":
        activate(estate, process_id, user_id)
    elif action == "DISCARD":
        discard(estate, process_id, user_id)
    else:
        text = f"Refresh Action: bad value for restricted picklist field: {action or ''}"
        raise ApiError(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, ["RefreshAction"])


def activate(estate: Estate, process_id: str, user_id: str) -> None:
    """Let the new copy take the place of the old org, for ever. Raises ApiError unless it is Pending Activation."""
    with alone(estate):
        process = _pending_activation(estate, process_id)
        now = estate.clock.now()
        changed = process.enter("5", now, activation_asked=now, activated_by=user_id, refresh_action="ACTIVATE")
        SandboxRows(estate.file).save_process(changed)


def discard(estate: Estate, process_id: str, user_id: str) -> None:
    """Drop the new copy and keep the old org. Raises ApiError unless it is Pending Activation."""
    with alone(estate):
        process = _pending_activation(estate, process_id)
        changed = process.enter("F", estate.clock.now(), discarded=True, refresh_action="DISCARD")
        SandboxRows(estate.file).save_process(changed)


def delete(estate: Estate, info_id: str, user_id: str) -> None:
    """Delete a sandbox for ever: its org dies at once, its name is free when the deletion is over. Raises ApiError."""
    with alone(estate):
        _begin(estate)
        rows = SandboxRows(estate.file)
        info = find_info(rows, info_id)
        processes = rows.processes(info.id)
        if processes[-1].code != "G":
            check_not_busy(processes[-1], estate.settings)
        now = estate.clock.now()
        if not estate.settings["delete_inside_interval"]:
            check_interval(processes, info.licence, estate.settings, now)
        start_deletion(estate, replace(info, modified_by=user_id), now)


def sandbox_auth(estate: Estate, values: Mapping[str, Any], user_id: str, base_url: str) -> dict[str, str]:
    """The answer of POST tooling/sandboxAuth: a code for the requester's user in the sandbox.

    Raises ApiError INVALID_STATUS while the newest copy is not usable, NOT_FOUND for an unknown name.
    """
    advance(estate)
    rows = SandboxRows(estate.file)
    name = str(values.get("sandboxName") or "")
    info = next((one for one in rows.infos() if not one.deleted and one.name.lower() == name.lower()), None)
    if info is None:
        raise ApiError(404, "NOT_FOUND", NO_ROW)
    org = estate.sandbox(info.name)
    kept = [one for one in rows.processes(info.id) if not one.discarded]
    if org is None or kept[-1].code != "1":
        raise ApiError(400, "INVALID_STATUS", "The sandbox is not ready for authentication.")
    with org.lock:
        user = org.db.execute('SELECT "Username" FROM "User" WHERE "Id" = ?', (user_id,)).fetchone()
    if user is None:
        raise ApiError(404, "NOT_FOUND", NO_ROW)
    code = estate.tokens.issue_code(org.org_id[:15], user_id)
    return {"authUserName": user[0], "authCode": code, "instanceUrl": base_url, "loginUrl": base_url}


def next_refresh(estate: Estate, info: Info) -> datetime | None:
    """When the practice world will allow the next refresh of a sandbox; for the status of the world, no API has it."""
    processes = SandboxRows(estate.file).processes(info.id)
    return interval_ends(processes, info.licence, estate.settings)


def find_info(rows: SandboxRows, info_id: str) -> Info:
    """The sandbox with this id. Raises ApiError NOT_FOUND when there is none (any more)."""
    info = rows.info(info_id)
    if info is None or info.deleted:
        raise ApiError(404, "NOT_FOUND", NO_ROW)
    return info


def new_process(estate: Estate, info: Info, user_id: str, *, is_refresh: bool) -> Process:
    """The row of a copy that was asked for just now, with the org id that it will have."""
    now = estate.clock.now()
    return Process(
        id=estate.production.new_id("0GR"),
        info_id=info.id,
        name=info.name,
        licence=info.licence,
        org=estate.reserve_org(info.name, info.id),
        is_refresh=is_refresh,
        created=now,
        created_by=user_id,
        modified=now,
        since=now,
        asked=info.asked,
    )


def _begin(estate: Estate) -> None:
    """What every request begins with: time passes first, and locked sandboxes take none."""
    advance(estate)
    check_unlocked(SandboxRows(estate.file).processes(), estate.settings)


def _pending_activation(estate: Estate, process_id: str) -> Process:
    """The newest copy of its sandbox, of a refresh, in Pending Activation; anything else is refused."""
    _begin(estate)
    rows = SandboxRows(estate.file)
    process = rows.process(process_id)
    if process is None:
        raise ApiError(404, "NOT_FOUND", NO_ROW)
    if process.code != "4" or rows.newest(process.info_id).id != process.id:
        knobs = estate.settings
        raise ApiError(400, knobs["wrong_action_code"], knobs["wrong_action_message"], ["RefreshAction"])
    return process


def _source_of(rows: SandboxRows, fields: Mapping[str, Any], own: Info | None, estate: Estate) -> Info | None:
    """The sandbox that is to be cloned: another one of this production, with its last copy completed."""
    source_id = fields.get("SourceId")
    if not source_id:
        return None
    source = rows.info(source_id)
    knobs = estate.settings
    if source is None or source.deleted or (own is not None and source.id == own.id):
        text = "Invalid Inputs: SourceId must name another sandbox of this organization."
        raise ApiError(400, knobs["bad_input_code"], text, ["SourceId"])
    if estate.sandbox(source.name) is None or rows.newest(source.id).code in BUSY:
        raise ApiError(400, knobs["busy_code"], knobs["busy_message"], ["SourceId"])
    return source


def _check_name(estate: Estate, rows: SandboxRows, name: str, own: Info | None) -> None:
    """A name is taken by a sandbox, by one whose deletion is pending, and by an org that still bears a former name."""
    deleting = {one.info_id for one in rows.processes() if one.code == "E"}
    taken = [(one.id, one.name) for one in rows.infos() if not one.deleted or one.id in deleting]
    query = "SELECT info_id, sandbox FROM orgs WHERE state = 'live' AND info_id IS NOT NULL"
    taken += [(row["info_id"], row["sandbox"]) for row in estate.file.load_rows(query)]
    check_name(name, [(one, held) for one, held in taken if own is None or one != own.id], estate.settings)


def _taken_licences(estate: Estate, rows: SandboxRows, but: Info | None) -> list[str]:
    """The licence types that all other sandboxes use; by a setting also those of deleted ones inside their interval."""
    taken = []
    for info in rows.infos():
        rests = False
        if info.deleted and estate.settings["deleted_licence_rests"]:
            ends = next_refresh(estate, info)
            rests = ends is not None and estate.clock.now() < ends
        if (not info.deleted or rests) and (but is None or info.id != but.id):
            taken.append(info.licence)
    return taken


def _asked(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: fields[name] for name in DEFAULTS}
