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


def test_a_new_user_is_no_reason_to_call_the_sandbox_burned(lab: Any) -> None:
    """His row of UserLogin cannot be deleted either: like him, it is left to whoever deactivates him."""
    before = lab.capture(objects=["User", "UserLogin"])
    (profile,) = lab.pick('"Profile" ORDER BY "Id" LIMIT 1')
    places = {
        "TimeZoneSidKey": "GMT",
        "LocaleSidKey": "en_IE",
        "EmailEncodingKey": "UTF-8",
        "LanguageLocaleKey": "en_US",
    }
    name = "trial@tidewater.example.uatfull"
    lab.insert("User", {"Username": name, "LastName": "T", "Alias": "t", "Email": name, "ProfileId": profile, **places})
    plan = lab.plan(before)
    assert {(one.type, one.grade) for one in plan.blocked} == {("User", "manual"), ("UserLogin", "manual")}
