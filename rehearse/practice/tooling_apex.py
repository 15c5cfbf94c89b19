"""The executeAnonymous endpoint of the Tooling API: GET with the script in `anonymousBody`.

Always 200 where the script arrived; whether it compiled and ran stands in the answer. Refuses, with 400
MISSING_ARGUMENT, a request without a script. What scripts may say is in apex_run.py.
"""

from __future__ import annotations

from rehearse.practice import deploy
from rehearse.practice.apex_run import run_anonymous
from rehearse.practice.http_errors import ApiError
from rehearse.practice.rest_call import Answer, Call, Entry, make_routes


def execute(call: Call) -> Answer:
    """GET /tooling/executeAnonymous?anonymousBody=…"""
    script = call.query.get("anonymousBody")
    if script is None:
        raise ApiError(400, "MISSING_ARGUMENT", "anonymousBody must be specified")
    deploy.prepare(call.org)
    return Answer(200, run_anonymous(call.org, call.user_id, script))


routes = make_routes([Entry("GET", "/tooling/executeAnonymous", execute)])
