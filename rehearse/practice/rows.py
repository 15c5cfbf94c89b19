"""Writing rows: insert, update, upsert, delete and undelete with every rule of the platform, whoever calls.

REST, Bulk and SOAP all come through these doors. What is wrong with a row stands in its Saved, in Salesforce's codes
and words; only a wrong call (an unknown object) raises. `load` is the one door without rules: the seed uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rehearse.practice.org_state import OrgState
from rehearse.practice.recycle import delete_row, undelete_row
from rehearse.practice.recycle_bin import expire
from rehearse.practice.rows_load import load_rows
from rehearse.practice.rows_values import Stored
from rehearse.practice.rows_write import Saved, Work, insert_row, save_each, update_row, upsert_row

__all__ = ["Saved", "delete", "insert", "load", "undelete", "update", "upsert"]


def insert(
    org: OrgState,
    user_id: str,
    object: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    all_or_none: bool = False,
    automation: bool = True,
) -> list[Saved]:
    """Insert rows of one object, in order. Raises ApiError INVALID_TYPE for an unknown object; anything wrong with a
    row stands in its Saved. Values may be JSON values or text as CSV has it; None is null."""
    definition = org.object(object)
    work = Work(org, user_id, automation)
    return save_each(work, rows, lambda row: insert_row(work, definition, row), all_or_none)


def update(
    org: OrgState,
    user_id: str,
    object: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    all_or_none: bool = False,
    automation: bool = True,
) -> list[Saved]:
    """Update rows by the Id that each carries; fields that a row does not name stay. As `insert` otherwise."""
    definition = org.object(object)
    work = Work(org, user_id, automation)
    return save_each(work, rows, lambda row: update_row(work, definition, row), all_or_none)


def upsert(
    org: OrgState,
    user_id: str,
    object: str,
    key: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    all_or_none: bool = False,
) -> list[Saved]:
    """Update the row that has the same value in the external id field `key` (or Id), else insert."""
    definition = org.object(object)
    work = Work(org, user_id)
    return save_each(work, rows, lambda row: upsert_row(work, definition, key, row), all_or_none)


def delete(
    org: OrgState, user_id: str, ids: Sequence[str], *, all_or_none: bool = False, hard: bool = False
) -> list[Saved]:
    """Delete rows of any objects into the recycle bin, or past it with `hard`; details and cascading children go."""
    expire(org)
    work = Work(org, user_id)
    return save_each(work, ids, lambda row_id: delete_row(work, row_id, hard=hard), all_or_none)


def undelete(org: OrgState, user_id: str, ids: Sequence[str], *, all_or_none: bool = False) -> list[Saved]:
    """Bring rows back from the recycle bin under their old ids, with whatever their deletion took along."""
    expire(org)
    work = Work(org, user_id)
    return save_each(work, ids, lambda row_id: undelete_row(work, row_id), all_or_none)


def load(org: OrgState, object: str, rows: Iterable[Mapping[str, Stored]]) -> list[str]:
    """Put rows into a table as they are, without any rule: the seed's fast road. Answers their ids.

    Ids, stamps and auto-numbers may be given or are made; values are in stored form (0/1 or bool, ISO text). Roll-ups
    are not computed: call rows_rollup.settle when all is loaded."""
    return load_rows(org, org.object(object), list(rows))
