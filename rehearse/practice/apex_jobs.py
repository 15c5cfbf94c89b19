"""Asynchronous Apex as rows: scheduled jobs and jobs under way, which stand in the way of deploying their class.

The practice org runs no Apex; these rows are what a client sees of it: CronJobDetail, CronTrigger and AsyncApexJob. A
schedule that comes due moves on by a day and counts. No API makes or ends one, so a test or the seed does, here.
Refuses, with ValueError, a class that is not there. [metadata.md 4.1, limits; data of the objects: their describes]
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rehearse.practice import components
from rehearse.practice.meta_mirror import put_row
from rehearse.practice.org_state import OrgState, as_stamp
from rehearse.practice.schema import Value

SCHEDULED_APEX = "7"  # CronJobDetail.JobType
A_DAY = timedelta(days=1)


def schedule_apex(org: OrgState, user_id: str, class_name: str, first: datetime) -> str:
    """Let a class run every day from `first` on; answers the id of its CronTrigger."""
    class_id = _class_id(org, class_name)
    now = org.stamp()
    with org.transaction():
        detail, trigger = org.new_id("08a"), org.new_id("08e")
        put_row(org, "CronJobDetail", {"Id": detail, "Name": f"{class_name} daily", "JobType": SCHEDULED_APEX})
        values: dict[str, Value] = {
            "Id": trigger,
            "CronJobDetailId": detail,
            "NextFireTime": as_stamp(first),
            "State": "WAITING",
            "StartTime": now,
            "CronExpression": f"0 {first.minute} {first.hour} * * ?",
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


def start_apex(org: OrgState, user_id: str, class_name: str, kind: str = "BatchApex") -> str:
    """A job of a class that is under way until `end_apex`; answers the id of its AsyncApexJob."""
    values: dict[str, Value] = {"JobType": kind, "Status": "Processing", "TotalJobItems": 10, "JobItemsProcessed": 3}
    return _put_job(org, user_id, _class_id(org, class_name), values)


def end_apex(org: OrgState, job_or_trigger: str, status: str = "Completed") -> None:
    """End a job, or abort a schedule by the id of its CronTrigger: its row is gone then."""
    with org.transaction() as db:
        if job_or_trigger.startswith("08e"):
            db.execute('DELETE FROM "CronTrigger" WHERE "Id" = ?', (job_or_trigger,))
            status = "Aborted"
        db.execute(
            'UPDATE "AsyncApexJob" SET "Status" = ?, "CompletedDate" = ? WHERE ? IN ("Id", "CronTriggerId")',
            (status, org.stamp(), job_or_trigger),
        )


def fire_due(org: OrgState) -> None:
    """Let every schedule that came due move on to its next day."""
    due = 'SELECT "Id", "NextFireTime" FROM "CronTrigger" WHERE "State" = \'WAITING\' AND "NextFireTime" <= ?'
    with org.lock:
        now = org.now()
        found = org.db.execute(due, (as_stamp(now),)).fetchall()
        if not found:
            return
        with org.transaction() as db:
            for row_id, at in found:
                first = datetime.fromisoformat(at)
                days = (now - first) // A_DAY + 1
                last, following = first + (days - 1) * A_DAY, first + days * A_DAY
                sql = (
                    'UPDATE "CronTrigger" SET "PreviousFireTime" = ?, "NextFireTime" = ?,'
                    ' "TimesTriggered" = coalesce("TimesTriggered", 0) + ? WHERE "Id" = ?'
                )
                db.execute(sql, (as_stamp(last), as_stamp(following), days, row_id))


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
