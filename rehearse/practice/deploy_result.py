"""DeployResult: what checkDeployStatus and the REST deployRequest answer, in the order of the WSDL (facts 1.4).

Pure. With rollbackOnError and a failure nothing was applied, though successes are listed. Tests are counted, not run:
a test method that stands in the org passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rehearse.practice import components
from rehearse.practice.deploy_apply import failed
from rehearse.practice.deploy_model import Options, Outcome
from rehearse.practice.deploy_usage import code_of
from rehearse.practice.org_state import OrgState

TEST_METHOD = re.compile(r"@istest(?:\([^)]*\))?\s+(?:\w+\s+)*?static\s+void\s+(\w+)", re.IGNORECASE)
LEVELS = ("NoTestRun", "RunSpecifiedTests", "RunLocalTests", "RunAllTestsInOrg", "RunRelevantTests")
Result = dict[str, Any]


def message(outcome: Outcome, at: str) -> Result:
    """One DeployMessage; settings come under a type of their own, such as FlowSettings (facts 1.4)."""
    body: Result = {
        "changed": outcome.changed,
        "columnNumber": outcome.column or None,
        "componentType": f"{outcome.name}Settings" if outcome.type == "Settings" else outcome.type,
        "created": outcome.created,
        "createdDate": at,
        "deleted": outcome.deleted,
        "fileName": outcome.file,
        "fullName": outcome.name,
        "id": outcome.id or None,
        "lineNumber": outcome.line or None,
        "problem": outcome.problem or None,
        "problemType": outcome.problem_type or None,
        "success": outcome.success,
    }
    return {key: value for key, value in body.items() if value is not None}


def finish(options: Options, outcomes: list[Outcome], started: str, at: str) -> Result:
    """The parts of a DeployResult that running it decides; `status` among them."""
    failures = [one for one in outcomes if failed(one)]
    components_done = [one for one in outcomes if one.type]
    status = "Succeeded"
    if failures:
        some = any(one.success for one in outcomes) and not options.rollback_on_error
        status = "SucceededPartial" if some else "Failed"
    return {
        "completedDate": at,
        "componentFailures": [message(one, at) for one in failures],
        "componentSuccesses": [message(one, at) for one in outcomes if not failed(one)],
        "lastModifiedDate": at,
        "numberComponentErrors": len(failures),
        "numberComponentsDeployed": sum(1 for one in components_done if one.success),
        "numberComponentsTotal": len(components_done) + sum(1 for one in failures if not one.type),
        "startDate": started,
        "status": status,
        "success": status != "Failed",
    }


def manifest_outcomes(files: Iterable[str]) -> list[Outcome]:
    """The messages that Salesforce gives for the manifests themselves: no type, no id."""
    return [Outcome("", name.rpartition("/")[2], name, success=True, changed=True) for name in files]


def count_tests(org: OrgState, options: Options, *, has_apex: bool) -> Result:
    """RunTestsResult: which test methods a deployment at this test level runs (facts 4.4)."""
    level = options.test_level
    wanted = level in LEVELS[1:] or (level not in LEVELS and not org.is_sandbox and has_apex)
    successes = []
    for one in components.load_type(org, "ApexClass") if wanted else []:
        if level == "RunSpecifiedTests" and one.name not in options.run_tests:
            continue
        for method in TEST_METHOD.findall(code_of(one)):
            successes.append({"id": one.id, "methodName": method, "name": one.name, "namespace": None, "time": 10.0})
    return {"numFailures": 0, "numTestsRun": len(successes), "successes": successes, "totalTime": 10.0 * len(successes)}
