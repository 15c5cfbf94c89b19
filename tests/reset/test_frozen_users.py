"""Users who were frozen for a go-live: a scope of everything lets them in again, a narrower one says they are out."""

from typing import Any

import pytest


@pytest.mark.parametrize("scope", ["*", "User"])
def test_frozen_users_are_never_called_clean_unsaid(lab: Any, scope: str) -> None:
    before = lab.capture(objects=[scope])
    rows = lab.pick('"UserLogin" WHERE "UserId" IN (?, ?)', lab.user("sales1"), lab.user("desk1"))
    lab.update("UserLogin", *({"Id": one, "IsFrozen": True} for one in rows), by="admin")
    proof = lab.reset(before)
    frozen = lab.pick('"UserLogin" WHERE "IsFrozen" = 1')
    if scope == "*":
        assert (len(rows), frozen, proof.counts["restored"]) == (2, [], 2)
    else:
        assert (len(frozen), proof.outside_scope["UserLogin"]) == (2, 2)
    assert proof.verdict == "clean"
