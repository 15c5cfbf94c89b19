"""Asynchronous Apex as rows: scheduled jobs and jobs under way, which stand in the way of deploying their class.

The practice org runs no Apex; these rows are what a client sees of it: CronJobDetail, CronTrigger and AsyncApexJob. A
schedule that comes due moves on and counts. Anonymous Apex makes and ends them, and so does `rehearse practice job`.
Refuses, with ValueError, a class that is not there. [metadata.md 4.1, limits; data of the objects: their describes]
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from rehearse.practice import components
from rehearse.practice.apex_cron import next_fire
from rehearse.practice.meta_mirror import put_row
from rehearse.practice.org_ids import is_id, restore_case
from rehearse.practice.org_state import OrgState, as_stamp
from rehearse.practice.schema import Value

SCHEDULED_APEX = "7"  # CronJobDetail.JobType
ENDS = "apex job ends: "  # the fact of an org that says when a job is over by itself
SCRIPTED = timedelta(minutes=2)  # how long a job that a script started runs


def schedule_apex(org: OrgState, user_id: str, class_name: str, first: datetime) -> str:
    """Let a class run every day from `first` on; answers the id of its CronTrigger."""
    expression = f"{first.second} {first.minute} {first.hour} * * ?"
    return schedule_job(org, user_id, class_name, (f"{class_name} daily", expression), first)


def schedule_job(
    org: OrgState, user_id: str, class_name: str, what: tuple[str, str], first: datetime | None = None
) -> str:
    """Let a class run by a cron expression, `what` being the job's name and that; answers the id of its CronTrigger.

    Raises ValueError for an expression that means nothing or never fires, and for a name that is taken."""
    name, expression = what
    class_id, now = _class_id(org, class_name), org.stamp()
    following = first or next_fire(expression, org.now())
    if following is None:
        raise ValueError("Based on configured schedule, the given trigger will never fire.")
    with org.transaction() as db:
        if db.execute('SELECT 1 FROM "CronJobDetail" WHERE "Name" = ?', (name,)).fetchone() is not None:
            raise ValueError(f'The Apex job named "{name}" is already scheduled for execution.')
        detail, trigger = org.new_id("08a"), org.new_id("08e")
        put_row(org, "CronJobDetail", {"Id": detail, "Name": name, "JobType": SCHEDULED_APEX})
        values: dict[str, Value] = {
            "Id": trigger,
            "CronJobDetailId": detail,
            "NextFireTime": as_stamp(following),
            "State": "WAITING",
            "StartTime": now,
            "CronExpression": expression,
            "TimeZoneSidKey": "GMT",
            "OwnerId": user_id,
            "TimesTriggered": 0,
            "CreatedDate": now,
            "CreatedById": user_id,
            "LastModifiedById": user_id,
        }
        put_row(org, "CronTrigger", values)
        _put_job(org, user_id, class_id, {"JobType": "ScheduledApex", "Status": "Queued", "CronTriggerId": trigger})
    return trigger


def start_apex(
    org: OrgState, user_id: str, class_name: str, kind: str = "BatchApex", ends: datetime | None = None
) -> str:
    """A job of a class that is under way until `end_apex`, or until `ends`; answers the id of its AsyncApexJob."""
    values: dict[str, Value] = {"JobType": kind, "Status": "Processing", "TotalJobItems": 10, "JobItemsProcessed": 3}
    with org.transaction() as db:
        job = _put_job(org, user_id, _class_id(org, class_name), values)
        if ends is not None:
            db.execute("INSERT INTO org_facts VALUES (?, ?)", (ENDS + job, as_stamp(ends)))
    return job


def end_apex(org: OrgState, job_or_trigger: str, status: str = "Completed") -> bool:
    """End a job, or abort a schedule by the id of its CronTrigger (its row and its name are free then).

    Answers whether there was one to end."""
    with org.transaction() as db:
        if job_or_trigger.startswith("08e"):
            detail = 'SELECT "CronJobDetailId" FROM "CronTrigger" WHERE "Id" = ?'
            db.execute(f'DELETE FROM "CronJobDetail" WHERE "Id" IN ({detail})', (job_or_trigger,))
            db.execute('DELETE FROM "CronTrigger" WHERE "Id" = ?', (job_or_trigger,))
            status = "Aborted"
        db.execute("DELETE FROM org_facts WHERE name = ?", (ENDS + job_or_trigger,))
        open_ones = "\"Status\" IN ('Holding', 'Queued', 'Preparing', 'Processing')"
        ended = db.execute(
            f'UPDATE "AsyncApexJob" SET "Status" = ?, "CompletedDate" = ? WHERE ? IN ("Id", "CronTriggerId")'
            f" AND {open_ones}",
            (status, org.stamp(), job_or_trigger),
        )
        return bool(ended.rowcount)


def abort_apex(org: OrgState, given: str) -> bool:
    """Abort a job or a schedule by an id of 15 or 18 characters; answers whether there was one."""
    return is_id(given) and end_apex(org, restore_case(given), "Aborted")


@dataclass(frozen=True)
class ApexJob:
    """A job under way, or a schedule that waits: its id, kind, class and state, and when it fires next."""

    id: str
    kind: str
    apex_class: str
    status: str
    following: str | None = None


def list_jobs(org: OrgState) -> list[ApexJob]:
    """Everything that runs or waits, by id: schedules under the id of their CronTrigger."""
    with org.lock:
        found = org.db.execute(
            'SELECT j."Id", j."JobType", j."Status", j."ApexClassId", t."Id", t."NextFireTime" FROM "AsyncApexJob" AS j'
            ' LEFT JOIN "CronTrigger" AS t ON t."Id" = j."CronTriggerId"'
            " WHERE j.\"Status\" IN ('Holding', 'Queued', 'Preparing', 'Processing') ORDER BY j.\"Id\""
        ).fetchall()
    classes = {one.id: one.name for one in components.load_type(org, "ApexClass")}
    return [
        ApexJob(str(trigger or job), str(kind), classes.get(str(class_id), "-"), str(status), following)
        for job, kind, status, class_id, trigger, following in found
    ]


def fire_due(org: OrgState) -> None:
    """Let every schedule that came due move on to its next time, and every job end whose time is over."""
    due = 'SELECT "Id", "NextFireTime", "CronExpression" FROM "CronTrigger" WHERE "State" = \'WAITING\''
    over = "SELECT substr(name, length(?1) + 1) FROM org_facts WHERE substr(name, 1, length(?1)) = ?1 AND value <= ?2"
    with org.lock:
        now = org.now()
        found = org.db.execute(f'{due} AND "NextFireTime" <= ?', (as_stamp(now),)).fetchall()
        ended = org.db.execute(over, (ENDS, as_stamp(now))).fetchall()
        if not found and not ended:
            return
        with org.transaction():
            for (job,) in ended:
                end_apex(org, str(job))
            for row_id, at, expression in found:
                _fire(org, row_id, (datetime.fromisoformat(at), str(expression)))


def _fire(org: OrgState, row_id: str, schedule: tuple[datetime, str]) -> None:
    """Count the times that a schedule fired until now; one that never fires again is gone, as Salesforce has it."""
    following: datetime | None = schedule[0]
    last, times, now = schedule[0], 0, org.now()
    while following is not None and following <= now:
        last, times = following, times + 1
        following = next_fire(schedule[1], following)
    if following is None:
        end_apex(org, row_id)
        return
    sql = (
        'UPDATE "CronTrigger" SET "PreviousFireTime" = ?, "NextFireTime" = ?,'
        ' "TimesTriggered" = coalesce("TimesTriggered", 0) + ? WHERE "Id" = ?'
    )
    org.db.execute(sql, (as_stamp(last), as_stamp(following), times, row_id))


def _class_id(org: OrgState, name: str) -> str:
    found = components.find(org, "ApexClass", name)
    if found is None:
        raise ValueError(f"There is no class {name}.")
    return found.id


def _put_job(org: OrgState, user_id: str, class_id: str, values: dict[str, Value]) -> str:
    job = org.new_id("707")
    stamps: dict[str, Value] = {"CreatedDate": org.stamp(), "CreatedById": user_id, "NumberOfErrors": 0}
    put_row(org, "AsyncApexJob", {"Id": job, "ApexClassId": class_id, **stamps, **values})
    return job
