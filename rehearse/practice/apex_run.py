"""Runs the statements of anonymous Apex that the practice org knows, in one transaction, as the platform does.

Known: System.debug, assert, abortJob, schedule, enqueueJob; Database.executeBatch, delete, undelete, emptyRecycleBin;
Messaging.reserveSingleEmailCapacity and reserveMassEmailCapacity; DML on a query. A statement that is none of these is
a compile problem. What goes wrong while it runs is an ApexError, which a catch may take; untaken, it undoes everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearse.practice import apex_jobs, rows
from rehearse.practice.apex_script import Expression, Refused, Statement, parse_script
from rehearse.practice.deliverability import deliverability
from rehearse.practice.field_security import as_user
from rehearse.practice.http_errors import ApiError
from rehearse.practice.org_state import OrgState
from rehearse.practice.recycle_bin import empty_bin
from rehearse.practice.soql_run import run_query

NO_MAIL = "The organization is not permitted to send email"
MOST_ROWS = 10_000  # of DML in one transaction [data.md 2.6]


class ApexError(Exception):
    """An exception that the script threw: its type without System, its message, and the line it came from."""

    def __init__(self, kind: str, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.kind, self.message, self.line = kind, message, line

    @property
    def text(self) -> str:
        return f"{self.kind if '.' in self.kind else f'System.{self.kind}'}: {self.message}"


@dataclass
class Script:
    """One run: who runs it where, and its variables by lower-case name."""

    org: OrgState
    user_id: str
    names: dict[str, Any] = field(default_factory=dict)
    line: int = 1
    written: int = 0


def run_anonymous(org: OrgState, user_id: str, text: str) -> dict[str, Any]:
    """Run a script; the answer is Salesforce's ExecuteAnonymousResult. A failed one leaves nothing behind."""
    answer: dict[str, Any] = {
        "line": -1,
        "column": -1,
        "compiled": True,
        "success": True,
        "compileProblem": None,
        "exceptionStackTrace": None,
        "exceptionMessage": None,
    }
    try:
        statements = parse_script(text)
        _check_calls(statements)
    except Refused as problem:
        wrong = {"line": problem.line, "column": problem.column, "compileProblem": problem.problem}
        return {**answer, **wrong, "compiled": False, "success": False}
    script = Script(org, user_id)
    try:
        with org.transaction(), as_user(None):
            _run_all(script, statements)
    except ApexError as error:
        where = f"AnonymousBlock: line {error.line}, column 1"
        failed = {"exceptionMessage": error.text, "exceptionStackTrace": where, "line": error.line, "column": 1}
        return {**answer, **failed, "success": False}
    return answer


def _check_calls(statements: Sequence[Statement]) -> None:
    """Raise Refused for a call that the practice org does not know, before anything runs."""
    for one in statements:
        todo = [one.expression] if one.expression is not None else []
        while todo:
            found = todo.pop()
            todo += found.arguments
            if found.kind == "call" and found.name.lower() not in CALLS:
                raise Refused(one.line, 1, f"Method does not exist or incorrect signature: {found.name}")
        for inner in (one.body, one.last, *(body for _, _, body in one.catches)):
            _check_calls(inner)


def _run_all(script: Script, statements: Sequence[Statement]) -> None:
    for one in statements:
        script.line = one.line
        _run(script, one)


def _run(script: Script, one: Statement) -> None:
    if one.kind == "block":
        _run_all(script, one.body)
    elif one.kind == "try":
        _try(script, one)
    elif one.expression is None:
        return
    elif one.kind == "for":
        for value in _listed(_value(script, one.expression)):
            script.names[one.name.lower()] = value
            _run_all(script, one.body)
    elif one.kind == "declare":
        script.names[one.name.lower()] = _value(script, one.expression)
    elif one.kind == "dml":
        _dml(script, one.name, _value(script, one.expression))
    elif one.kind == "throw":
        thrown = _value(script, one.expression)
        raise thrown if isinstance(thrown, ApexError) else ApexError("NullPointerException", "Throw null", one.line)
    else:
        _value(script, one.expression)


def _try(script: Script, one: Statement) -> None:
    try:
        _run_all(script, one.body)
    except ApexError as error:
        for kind, name, body in one.catches:
            wanted = kind.lower().removeprefix("system.")
            if wanted == "exception" or wanted == error.kind.lower().removeprefix("system."):
                script.names[name.lower()] = error
                _run_all(script, body)
                return
        raise
    finally:
        _run_all(script, one.last)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _value(script: Script, one: Expression) -> Any:
    if one.kind == "literal":
        return one.value
    if one.kind == "query":
        try:
            soql = re.sub(r"(?i)\s+all\s+rows$", "", one.value)
            return list(run_query(script.org, soql, deleted=soql != one.value).rows)
        except ApiError as error:
            raise ApexError("QueryException", error.message, script.line) from error
    if one.kind == "join":
        parts = [_value(script, part) for part in one.arguments]
        return "".join("" if part is None else str(part) for part in parts)
    arguments = [_value(script, part) for part in one.arguments]
    if one.kind == "new":
        return ApexError(one.name, str(arguments[0]) if arguments else "", script.line) if _throws(one) else one.name
    if one.kind == "call":
        return CALLS[one.name.lower()](script, arguments)
    return _named(script, one.name)


def _throws(one: Expression) -> bool:
    return one.name.lower().endswith("exception")


def _named(script: Script, name: str) -> Any:
    """A variable, or a field of the row that it holds; anything else (an enum: LoggingLevel.INFO) is its name."""
    head, _, path = name.partition(".")
    value = script.names.get(head.lower(), name)
    if not path or not isinstance(value, dict):
        return value
    for part in path.split("."):
        value = next((v for k, v in value.items() if k.lower() == part.lower()), None) if value else None
    return value


def _ids(script: Script, value: Any) -> list[str]:
    found = [str(one.get("Id")) if isinstance(one, dict) else str(one) for one in _listed(value)]
    script.written += len(found)
    if script.written > MOST_ROWS:
        raise ApexError("LimitException", f"Too many DML rows: {script.written}", script.line)
    return found


def _dml(script: Script, verb: str, value: Any) -> None:
    """delete and undelete of rows; the other verbs would need values, which these scripts have no words for."""
    if verb not in ("delete", "undelete"):
        raise ApexError("UnsupportedOperationException", f"The practice org runs no {verb} in Apex", script.line)
    write = rows.delete if verb == "delete" else rows.undelete
    saved = write(script.org, script.user_id, _ids(script, value), all_or_none=True)
    for place, one in enumerate(saved):
        if not one.success and one.errors[0][0] != "ALL_OR_NONE_OPERATION_ROLLED_BACK":
            verbed = f"{verb.capitalize()} failed. First exception on row {place}"
            raise ApexError(
                "DmlException", f"{verbed}; first error: {one.errors[0][0]}, {one.errors[0][1]}", script.line
            )


# ---- the calls


def _nothing(script: Script, arguments: list[Any]) -> None:
    return None


def _assert(script: Script, arguments: list[Any]) -> None:
    if arguments and arguments[0] is False:
        told = f": {arguments[1]}" if len(arguments) > 1 else ""
        raise ApexError("AssertException", f"Assertion Failed{told}", script.line)


def _reserve_mail(script: Script, arguments: list[Any]) -> None:
    """Refused unless All email is set (Apex reference; that System email only refuses it too: reports, unsure)."""
    if deliverability(script.org) != "all":
        raise ApexError("NoAccessException", NO_MAIL, script.line)


def _abort(script: Script, arguments: list[Any]) -> None:
    given = str(arguments[0]) if arguments else ""
    if not apex_jobs.abort_apex(script.org, given):
        raise ApexError("StringException", f"Invalid id: {given}", script.line)


def _schedule(script: Script, arguments: list[Any]) -> str:
    if len(arguments) != 3:
        raise ApexError("StringException", "System.schedule takes a name, an expression and a class", script.line)
    name, expression, class_name = (str(one) for one in arguments)
    try:
        return apex_jobs.schedule_job(script.org, script.user_id, class_name, (name, expression))
    except ValueError as error:
        raise ApexError("AsyncException", str(error), script.line) from error


def _starter(kind: str) -> Callable[[Script, list[Any]], str]:
    def start(script: Script, arguments: list[Any]) -> str:
        try:
            ends = script.org.now() + apex_jobs.SCRIPTED
            class_name = str(arguments[0]) if arguments else ""
            return apex_jobs.start_apex(script.org, script.user_id, class_name, kind, ends)
        except ValueError as error:
            raise ApexError("AsyncException", str(error), script.line) from error

    return start


def _row_call(verb: str) -> Callable[[Script, list[Any]], None]:
    return lambda script, arguments: _dml(script, verb, arguments[0] if arguments else [])


def _empty_bin(script: Script, arguments: list[Any]) -> None:
    for one in _ids(script, arguments[0] if arguments else []):
        empty_bin(script.org, one)


CALLS: dict[str, Callable[[Script, list[Any]], Any]] = {
    "database.delete": _row_call("delete"),
    "database.emptyrecyclebin": _empty_bin,
    "database.executebatch": _starter("BatchApex"),
    "database.undelete": _row_call("undelete"),
    "messaging.reservemassemailcapacity": _reserve_mail,
    "messaging.reservesingleemailcapacity": _reserve_mail,
    "system.abortjob": _abort,
    "system.assert": _assert,
    "system.debug": _nothing,
    "system.enqueuejob": _starter("Queueable"),
    "system.schedule": _schedule,
}
