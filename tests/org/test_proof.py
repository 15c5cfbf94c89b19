"""Rule 4: every way to point a writer at something that is not the sandbox is refused; pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from rehearse.errors import GenerationChanged, NotASandbox
from rehearse.ids import to_18
from rehearse.org.model import Identity, SandboxCopy, SandboxState
from rehearse.org.proof import ProductionWord, SandboxProof, is_local_or_bare

AT = datetime(2026, 11, 23, 8, tzinfo=UTC)
PRODUCTION_ID = to_18("00D000000000001")
SANDBOX_ID = to_18("00D00000000000a")
OTHER_CASE_ID = to_18("00D00000000000A")
HOST = "acme--uatfull.sandbox.my.salesforce.com"
SANDBOX = Identity(SANDBOX_ID, "Acme", True, None, "CS1", HOST, "005000000000001AAA", "a@acme.example", AT)
PRODUCTION = replace(SANDBOX, org_id=PRODUCTION_ID, is_sandbox=False, host="acme.my.salesforce.com")


def copy(name: str = "UATFULL", org_id: str | None = SANDBOX_ID, state: SandboxState = "completed") -> SandboxCopy:
    return SandboxCopy("0GR000000000001AAA", "0GQ000000000001AAA", name, "FULL", state, state, org_id, AT)


def prove(
    identity: Identity = SANDBOX,
    copies: Sequence[SandboxCopy] | None = (copy(),),
    confirmed: str | None = None,
    expected: str | None = None,
) -> SandboxProof:
    return SandboxProof("UATFULL", identity, ProductionWord(PRODUCTION, copies), confirmed, expected)


def test_the_sandbox_that_production_names_is_proven() -> None:
    assert prove(expected=SANDBOX_ID).identity is SANDBOX


def test_an_older_completed_copy_may_name_it_while_a_refresh_is_pending() -> None:
    pending = copy(org_id="00D000000000009AAA", state="pending-activation")
    assert prove(copies=(pending, copy())).name == "UATFULL"


@pytest.mark.parametrize(
    "identity",
    [
        replace(SANDBOX, is_sandbox=False),
        replace(SANDBOX, is_sandbox=None),  # type: ignore[arg-type]
        replace(SANDBOX, is_sandbox="true"),  # type: ignore[arg-type]
        replace(SANDBOX, trial_expires=AT),
        replace(SANDBOX, org_id=PRODUCTION_ID),
        PRODUCTION,
    ],
)
def test_an_org_that_is_not_a_sandbox_is_refused_even_when_it_is_confirmed(identity: Identity) -> None:
    with pytest.raises(NotASandbox):
        prove(identity, (copy(org_id=identity.org_id),), confirmed=identity.org_id)


def test_the_letter_case_of_a_sandbox_name_does_not_count() -> None:
    """Salesforce keeps `UATFull` and finds it as `uatfull`; the org id is what must be the same."""
    assert prove(copies=(copy(name="uatfull"),)).name == "UATFULL"


@pytest.mark.parametrize(
    "copies",
    [
        (),
        (copy(name="SIT1"),),
        (copy(org_id=OTHER_CASE_ID),),
        (copy(org_id=None),),
        *(
            (copy(state=state),)
            for state in ("pending", "copying", "pending-activation", "activating", "deleted", "unknown")
        ),
    ],
)
def test_a_copy_that_does_not_name_it_exactly_is_no_proof(copies: tuple[SandboxCopy, ...]) -> None:
    with pytest.raises(NotASandbox):
        prove(copies=copies, confirmed=SANDBOX_ID)


def test_another_sandbox_is_named_in_the_refusal() -> None:
    with pytest.raises(NotASandbox, match="SIT1"):
        prove(copies=(copy(name="SIT1"),))


def test_a_production_login_that_is_a_sandbox_vouches_for_nobody() -> None:
    word = ProductionWord(replace(PRODUCTION, is_sandbox=True), (copy(),))
    with pytest.raises(NotASandbox, match="production login"):
        SandboxProof("UATFULL", SANDBOX, word, SANDBOX_ID)


def test_another_generation_is_said_to_be_one() -> None:
    with pytest.raises(GenerationChanged, match="refreshed|not the org that it was"):
        prove(expected="00D000000000008AAA")
    with pytest.raises(GenerationChanged):
        SandboxProof("UATFULL", SANDBOX, None, SANDBOX_ID, "00D000000000008AAA")


@pytest.mark.parametrize("word", [None, ProductionWord(PRODUCTION, None)])
def test_where_production_cannot_be_asked_the_confirmed_id_and_the_host_stand_in(word: ProductionWord | None) -> None:
    assert SandboxProof("UATFULL", SANDBOX, word, SANDBOX_ID).name == "UATFULL"
    assert SandboxProof("UATFULL", SANDBOX, word, SANDBOX_ID[:15]).name == "UATFULL"
    for confirmed in (None, PRODUCTION_ID, OTHER_CASE_ID):
        with pytest.raises(NotASandbox):
            SandboxProof("UATFULL", SANDBOX, word, confirmed)


@pytest.mark.parametrize(
    "host",
    [
        "acme.my.salesforce.com",
        "acme--sit1.sandbox.my.salesforce.com",
        "acme--uatfull2.sandbox.my.salesforce.com",
        "acme--uatfull.my.salesforce.com",
        "evil.example/acme--uatfull.sandbox.my.salesforce.com",
        "x.acme--uatfull.sandbox.my.salesforce.com",
        "acme--uatfull.sandbox.",
        "127.0.0.1",
        "127.0.0.1:8443",
        "127.1",
        "0x7f.0.0.1",
        "2130706433",
        "[::1]",
        "localhost",
        "localhost:8443",
        "acme--uatfull.sandbox.localhost",
        "acme--uatfull.sandbox.localhost.",
        "acme--uatfull.sandbox.127.0.0.1",
        "acme--uatfull",
        "",
    ],
)
def test_without_production_the_host_must_be_that_of_the_sandbox_and_never_this_machine(host: str) -> None:
    with pytest.raises(NotASandbox):
        SandboxProof("UATFULL", replace(SANDBOX, host=host), None, SANDBOX_ID)


@pytest.mark.parametrize(
    "host",
    [
        HOST,
        HOST.upper(),
        f"{HOST}:443",
        "acme--uatfull.sandbox.my.salesforce.mil",
        "acme--uatfull.sandbox.my.sfcrmproducts.cn",
    ],
)
def test_sandbox_hosts_of_every_cloud_count(host: str) -> None:
    assert SandboxProof("UATFULL", replace(SANDBOX, host=host), None, SANDBOX_ID).identity.host == host


def test_a_name_is_no_pattern() -> None:
    with pytest.raises(NotASandbox):
        SandboxProof("UAT.ULL", SANDBOX, None, SANDBOX_ID)


@pytest.mark.parametrize("host", ["acme.my.salesforce.com", "a.b", "10-0-0-1.example.com"])
def test_real_hosts_are_not_loopback(host: str) -> None:
    assert not is_local_or_bare(host)
