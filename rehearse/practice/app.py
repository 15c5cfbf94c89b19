"""The Starlette application: every route of the practice org behind one front.

The front reads the body, pulses the estate, finds org and user, checks the API version, logs requests to production,
lets faults happen, and turns every ApiError into Salesforce's JSON array or SOAP fault. It refuses hosts other than
loopback, requests of more than 16,384 bytes of address and headers, and bodies over 150 MB. Promise: an endpoint sees
only a known org and a body that arrived whole, and no traceback ever leaves the process.
"""

import asyncio
import logging
import re
import sqlite3
from email.utils import format_datetime
from typing import Any, Protocol
from urllib.parse import unquote_plus

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rehearse.practice import (
    auth,
    bulk1,
    bulk_ingest,
    bulk_query,
    deploy_rest,
    oauth,
    oauth_page,
    partner_soap,
    request_log,
    rest_collections,
    rest_composite,
    rest_query,
    rest_replication,
    rest_resources,
    rest_rows,
    rest_search,
    soap_metadata,
    soap_wsdl,
    tooling_apex,
    tooling_query,
    tooling_sobjects,
)
from rehearse.practice.apex_jobs import fire_due
from rehearse.practice.bulk1_forms import AsyncError, error_answer
from rehearse.practice.exchange import ClientGone, Exchange, answer_instead, read_body, replay_body
from rehearse.practice.faults import Fault, Faults
from rehearse.practice.features import follow_features
from rehearse.practice.field_security import as_user
from rehearse.practice.http_errors import ApiError, no_disk, rest_error, soap_fault
from rehearse.practice.rows_rollup import recalculate_due
from rehearse.practice.sandbox_engine import pulse

log = logging.getLogger(__name__)

ROUTE_MODULES = (
    oauth,
    oauth_page,
    rest_resources,
    rest_query,
    rest_search,
    rest_replication,
    rest_rows,
    rest_collections,
    rest_composite,
    bulk_query,
    bulk_ingest,
    bulk1,
    partner_soap,
    soap_metadata,
    soap_wsdl,
    deploy_rest,
    tooling_apex,
    tooling_query,
    tooling_sobjects,
)
PLATFORM_PATHS = ("/services/Soap/m", "/services/oauth2/", "/id/")  # see all: metadata knows no field security
BURST = 750  # calls at once, beside the daily ones [sandbox-and-auth.md 5]; one is always under way
SLASHES = re.compile("/{2,}")
MAX_REQUEST_HEAD = 16_384  # bytes of address and headers [data.md 2.1]
LOOPBACK_HOST = re.compile(r"(?i)(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?")
TOO_MUCH = re.compile("too many|too large|too big|at most|stack overflow|too complex")  # SQLite's words for it
BUG = "An unexpected error occurred; see the log of the practice org"


def collect_routes() -> list[Route]:
    """The `routes` of every endpoint module, literal paths before those with parameters."""
    found = [route for module in ROUTE_MODULES for route in module.routes]
    return sorted(found, key=lambda route: (":path}" in route.path, route.path.count("{")))


def answer_error(path: str, error: ApiError) -> Response:
    """An error in the form that its path speaks: a fault for SOAP, an XML error for Bulk 1.0, else JSON."""
    if path.startswith("/services/Soap/m"):
        return soap_fault(error, "metadata")
    if path.startswith("/services/Soap/"):
        return soap_fault(error, "enterprise" if path.startswith("/services/Soap/c") else "partner")
    if path.startswith("/services/async/"):
        code = {"INVALID_SESSION_ID": "InvalidSessionId"}.get(error.code, error.code)
        return error_answer(AsyncError(code, error.message, 400 if error.status == 401 else error.status))
    return rest_error(error)


def on_api_error(request: Request, error: Exception) -> Response:
    """Starlette's hook for ApiError."""
    assert isinstance(error, ApiError)
    return answer_error(request.scope["path"], error)


def on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's hook for its own 404 and 405."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        text = f"HTTP Method '{request.method}' not allowed. Allowed are {','.join(allowed_methods(request))}"
        return answer_error(request.scope["path"], ApiError(405, "METHOD_NOT_ALLOWED", text))
    if error.status_code == 404:
        return answer_error(request.scope["path"], ApiError(404, "NOT_FOUND", auth.MISSING))
    return answer_error(request.scope["path"], ApiError(error.status_code, "UNKNOWN_EXCEPTION", str(error.detail)))


def allowed_methods(request: Request) -> list[str]:
    """Every method that some route answers at the address of a request, by name."""
    found: set[str] = set()
    for route in request.app.routes:
        if route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found)


def on_absurd(request: Request, error: Exception) -> Response:
    """Starlette's hook for what is too deep, too long or too large for us, or for the disk."""
    refusal = no_disk(error)
    if refusal is not None:
        return answer_error(request.scope["path"], refusal)
    if isinstance(error, sqlite3.OperationalError) and not TOO_MUCH.search(str(error)):
        raise error
    text = "Query is either selecting too many fields or the filter conditions are too complicated."
    return answer_error(request.scope["path"], ApiError(400, "QUERY_TOO_COMPLICATED", text))


def on_bug(request: Request, error: Exception) -> Response:
    """Starlette's hook for a bug of ours, which it raises again afterwards: the front logs it."""
    return answer_error(request.scope["path"], ApiError(500, "UNKNOWN_EXCEPTION", BUG))


class World(Protocol):
    """What the front needs of the server that it stands before."""

    estate: Any
    requests: request_log.RequestLog
    faults: Faults


def build_app(world: World) -> "Front":
    """The whole application for one estate; `app.state` of the inner app carries `estate`, `world` and `api_calls`."""
    hooks: dict[Any, Any] = {ApiError: on_api_error, HTTPException: on_http_error, Exception: on_bug}
    hooks |= dict.fromkeys((RecursionError, OverflowError, sqlite3.OperationalError), on_absurd)
    inner = Starlette(routes=collect_routes(), exception_handlers=hooks)
    inner.router.redirect_slashes = False
    inner.state.estate = world.estate
    inner.state.world = world
    inner.state.api_calls = {}
    return Front(inner, world, inner.state.api_calls)


class Front:
    """The one door in front of the routes (pure ASGI)."""

    def __init__(self, inner: ASGIApp, world: World, api_calls: dict[str, int]) -> None:
        self._inner = inner
        self._world = world
        self._api_calls = api_calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        # The Salesforce CLI keeps instance addresses with a slash at the end and asks for //services/data.
        scope["path"] = SLASHES.sub("/", scope["path"]).rstrip("/") or "/"
        state: dict[str, Any] = scope.setdefault("state", {})
        exchange = Exchange(scope, send)
        try:
            check_head(scope)
            state["body"] = await read_body(scope, receive)
            await to_thread.run_sync(self._admit, scope)
            exchange.on_start = self._on_start
            asking = None if scope["path"].startswith(PLATFORM_PATHS) else state.get("user_id")
            with as_user(asking):  # endpoints run in threads that take this context along
                await self._answer(scope, replay_body(state["body"], receive), exchange)
        except ApiError as error:
            await answer_error(scope["path"], error)(scope, receive, exchange.send)
        except ClientGone:
            log.info("client left during %s %s", scope["method"], scope["path"])
        except Exception as error:
            refusal = no_disk(error)
            if refusal is None:
                log.exception("bug in the practice org at %s %s", scope["method"], scope["path"])
                refusal = ApiError(500, "UNKNOWN_EXCEPTION", BUG)
            if not exchange.started:
                exchange.on_start = None
                await answer_error(scope["path"], refusal)(scope, receive, exchange.send)
        finally:
            exchange.finish()

    async def _answer(self, scope: Scope, receive: Receive, exchange: Exchange) -> None:
        fault: Fault | None = scope["state"]["fault"]
        if fault is not None:
            exchange.fault = fault
            if fault.deed == "slow":
                await asyncio.sleep(fault.amount)
            instead = answer_instead(fault, scope["path"])
            if instead is not None:
                await instead(scope, receive, exchange.send)
                return
        await self._inner(scope, receive, exchange.send)

    def _admit(self, scope: Scope) -> None:
        """Everything that must hold before an endpoint runs; in a worker thread, since it reads the estate."""
        state, path = scope["state"], scope["path"]
        pulse(self._world.estate)
        envelope = auth.peek_envelope(state["body"]) if auth.SOAP_PATH.match(path) else None
        public = auth.is_public(path, envelope)
        state["soap_operation"] = envelope.operation if envelope is not None else ""
        session = None
        if not public:
            token = envelope.session_id if envelope is not None else auth.bearer_token(scope)
            session = self._world.estate.token(token) if token else None
        if session is not None:
            auth.remember(state, *session)
            recalculate_due(session[0])
            fire_due(session[0])
            follow_features(session[0])
            self._log_request(scope)
            self._api_calls[state["org_id"]] = self._api_calls.get(state["org_id"], 0) + 1
        elif not public:
            raise auth.no_session(envelope)
        state["api_version"] = auth.check_version(path)
        state["fault"] = self._find_fault(scope)

    def _find_fault(self, scope: Scope) -> Fault | None:
        """The fault that this request fires, if somebody asked for one; patterns see the query decoded."""
        state, query = scope["state"], unquote_plus(scope["query_string"].decode("latin-1"))
        target = f"{scope['path']}?{query}" if query else scope["path"]
        org_id = state.get("org_id", "")
        fault = self._world.faults.fire(scope["method"], target, org_id)
        if fault is None and state["soap_operation"]:
            fault = self._world.faults.fire("SOAP", state["soap_operation"], org_id)
        return fault

    def _log_request(self, scope: Scope) -> None:
        state = scope["state"]
        if state["is_sandbox"]:
            return
        now, operation = self._world.estate.clock.now().isoformat(), state["soap_operation"] or None
        entry = request_log.LoggedRequest(
            0, now, state["org_id"], scope["method"], scope["path"], operation, job_id_of(scope), None
        )
        state["log_sequence"] = self._world.requests.open_entry(entry)

    def _on_start(self, scope: Scope, message: Message) -> None:
        """Complete the log and the headers when an answer starts."""
        state = scope["state"]
        if "org" in state and "log_sequence" not in state:
            self._log_request(scope)  # OAuth: the org is known only after the endpoint looked at the client id
        if "log_sequence" in state:
            self._world.requests.close_entry(state["log_sequence"], message["status"], state.get("bulk_job_id"))
        headers = message["headers"]
        headers.append((b"date", format_datetime(self._world.estate.clock.now(), usegmt=True).encode()))
        if "org" in state and auth.REST_PATH.match(scope["path"]):
            used = self._api_calls.get(state["org_id"], 0)
            most = rest_resources.daily_calls(state["org"])
            headers.append((b"sforce-limit-info", f"api-usage={used}/{most}; api-bursts=1/{BURST}".encode()))
            headers.append((b"expires", b"Thu, 01 Jan 1970 00:00:00 GMT"))  # as recorded answers have it


def job_id_of(scope: Scope) -> str | None:
    """The bulk job that a path names, or None."""
    parts = scope["path"].split("/")
    if len(parts) > 6 and parts[4] == "jobs" and parts[6].startswith("750"):
        return str(parts[6])
    return None


def check_head(scope: Scope) -> None:
    """Refuse hosts that are not loopback (421) and heads over 16,384 bytes (414)."""
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    size += sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    if size > MAX_REQUEST_HEAD:
        raise ApiError(414, "URI_TOO_LONG", "URI Too Long")
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "127.0.0.1")
    if not LOOPBACK_HOST.fullmatch(host):
        raise ApiError(421, "MISDIRECTED_REQUEST", "The practice org answers on 127.0.0.1 only")
