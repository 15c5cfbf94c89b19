"""The permission set of a user's profile: its assignment follows the profile, and nobody writes it."""

from typing import Any

FIELDS = '"Id", "PermissionSetId", "AssigneeId", "SystemModstamp"'


def assign(lab: Any, profile: str, user: str) -> None:
    """What the platform does where a user gets a profile: his assignment to that of before goes, a new one comes."""
    with lab.org.transaction() as db:
        db.execute(
            'DELETE FROM "PermissionSetAssignment" WHERE "AssigneeId" = ? AND "PermissionSetId" IN '
            '(SELECT "Id" FROM "PermissionSet" WHERE "IsOwnedByProfile" = 1)',
            (user,),
        )
        owned = db.execute('SELECT "Id" FROM "PermissionSet" WHERE "ProfileId" = ?', (profile,)).fetchone()
        db.execute(
            f'INSERT INTO "PermissionSetAssignment" ({FIELDS}) VALUES (?, ?, ?, ?)',
            (lab.org.new_id("0Pa"), owned[0], user, lab.org.stamp()),
        )


def test_another_profile_of_a_user_is_one_change_that_goes_back(lab: Any) -> None:
    """Its assignment has a new Id each time: planned as rows, it was never clean again."""
    user, profiles = lab.user("sales1"), lab.pick('"Profile" ORDER BY "Id" LIMIT 4')
    with lab.org.transaction() as db:
        for number, one in enumerate(profiles):
            db.execute(
                'INSERT INTO "PermissionSet" ("Id", "Name", "Label", "IsOwnedByProfile", "ProfileId") '
                "VALUES (?, ?, ?, 1, ?)",
                (lab.org.new_id("0PS"), f"X00e{number}", one, one),
            )
    old = lab.value("User", user, "ProfileId")
    new = next(one for one in profiles if one != old)
    assign(lab, old, user)
    before = lab.capture(objects=["User", "PermissionSetAssignment"])
    lab.update("User", {"Id": user, "ProfileId": new}, by="admin")
    assign(lab, new, user)
    (held,) = lab.pick('"PermissionSetAssignment" WHERE "AssigneeId" = ? AND "PermissionSetId" NOT IN '
                       '(SELECT "Id" FROM "PermissionSet" WHERE "IsOwnedByProfile" = 1)', user)  # fmt: skip
    lab.delete(held, by="admin")
    plan = lab.plan(before)
    assert {(one.do, one.type) for one in plan.actions} == {("update", "User"), ("insert", "PermissionSetAssignment")}
    report = lab.apply(plan)
    assign(lab, old, user)
    proof = lab.prove(before, plan, report)
    assert (proof.verdict, proof.counts["residue"]) == ("clean-with-residue", 1)
    assert proof.scope["filters"] == ("PermissionSetAssignment: PermissionSet.IsOwnedByProfile = false",)
    assert proof.outside_scope["PermissionSetAssignment outside its filter"] == 1
