"""What hangs on the owner of a row cannot be compared: a proof says where a reset changed owners back."""

from typing import Any


def test_a_proof_names_rows_whose_owner_was_changed_back(lab: Any) -> None:
    before = lab.capture(objects=("Account", "Project__c"))
    (account,) = lab.pick(
        '"Account" WHERE "IsDeleted" = 0 AND "OwnerId" != ? ORDER BY "Id" LIMIT 1', lab.user("sales1")
    )
    (project,) = lab.pick('"Project__c" WHERE "OwnerId" != ? ORDER BY "Id" LIMIT 1', lab.user("sales1"))
    lab.update("Account", {"Id": account, "OwnerId": lab.user("sales1")})
    lab.update("Project__c", {"Id": project, "OwnerId": lab.user("sales1")})
    proof = lab.reset(before)
    assert proof.verdict == "clean"
    told = [one for one in proof.not_compared if "(sharing)" in one]
    assert [one.partition(":")[0] for one in told] == ["records Account (sharing)", "records Project__c (sharing)"]
    assert "1 row(s)" in told[0] and "team members" in told[0] and "team members" not in told[1]
    assert not [one for one in lab.prove(before).not_compared if "(sharing)" in one]
