"""Rows of set-up that come and go with their metadata: only what is in scope takes its row along."""

from types import SimpleNamespace
from typing import Any

import pytest

from rehearse.baseline.model import Change
from rehearse.reset.inputs import RowBook
from rehearse.reset.set_up_rows import find_owner

KEY = "00G000000000001AAA"


@pytest.mark.parametrize(
    ("object", "kind", "types", "side", "owned"),
    [
        ("Group", "Queue", ("Queue",), "before", True),
        ("Group", "Queue", ("Queue",), "after", True),
        ("Group", "Queue", ("Group",), "before", False),
        ("Group", "Regular", ("Group",), "before", True),
        ("Group", "Regular", ("Queue",), "before", False),
        ("Group", "Role", ("Group", "Queue", "Role"), "before", False),
        ("Group", "Queue", ("Group", "Queue"), "updated", False),
        ("UserRole", "", ("Role",), "before", True),
        ("PermissionSet", "", ("PermissionSet",), "before", False),
        ("Account", "", ("CustomObject",), "before", False),
    ],
)
def test_a_row_goes_with_its_metadata_only_where_that_is_in_scope(
    object: str, kind: str, types: tuple[str, ...], side: str, owned: bool
) -> None:
    rows = {KEY: {"Type": kind}}
    book = RowBook(before=rows if side != "after" else {}, after=rows if side != "before" else {})
    scope = SimpleNamespace(scope=SimpleNamespace(types=types))
    inputs: Any = SimpleNamespace(before=scope, rows={object: book})
    old, new = (None if side == "after" else "old"), (None if side == "before" else "new")
    assert (find_owner(inputs, Change("record", object, KEY, old, new)) is not None) is owned
