"""Anonymous Apex over Tooling REST, cron expressions, and the e-mail deliverability that it makes readable."""

from datetime import UTC, datetime

import pytest

from rehearse.practice import apex_jobs, rows
from rehearse.practice.apex_cron import next_fire
from rehearse.practice.apex_run import run_anonymous
from rehearse.practice.apex_script import Refused, parse_script
from rehearse.practice.deliverability import deliverability, set_deliverability
from rehearse.practice.deploy import org_admin

PROBE = "Messaging.reserveSingleEmailCapacity(1);"
NO_MAIL = "System.NoAccessException: The organization is not permitted to send email"


@pytest.fixture
def coded(seeded_estate):
    return seeded_estate.production


def run(org, text):
    return run_anonymous(org, org_admin(org), text)


# ---- deliverability [sandbox-and-auth.md 1.8]


def test_a_copy_has_system_mails_only_and_the_probe_says_so(shared_practice):
    def ask():
        return shared_practice.ask("DEV1", "GET", "tooling/executeAnonymous/", params={"anonymousBody": PROBE}).json()

    org = shared_practice.estate.sandbox("DEV1")
    assert deliverability(org) == "system"
    assert ask() == {
        "line": 1,
        "column": 1,
        "compiled": True,
        "success": False,
        "compileProblem": None,
        "exceptionStackTrace": "AnonymousBlock: line 1, column 1",
        "exceptionMessage": NO_MAIL,
    }
    set_deliverability(org, org_admin(org), "all")
    assert ask()["success"] is True
    trail = "SELECT Display FROM SetupAuditTrail WHERE Action = 'sendEmailAccessControl'"
    (entry,) = shared_practice.ask("DEV1", "GET", "query", params={"q": trail}).json()["records"]
    assert entry["Display"].endswith("All email")
    set_deliverability(org, org_admin(org), "none")
    assert ask()["exceptionMessage"] == NO_MAIL
    with pytest.raises(ValueError, match="none, system, all"):
        set_deliverability(org, "", "some")


def test_production_lets_all_mail_out(coded):
    assert deliverability(coded) == "all"
    assert run(coded, PROBE)["success"] is True


def test_a_request_without_a_script_is_refused(shared_practice):
    answer = shared_practice.ask("DEV1", "GET", "tooling/executeAnonymous")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "MISSING_ARGUMENT")


# ---- scripts


def test_a_caught_exception_is_over_and_an_uncaught_one_undoes_everything(small):
    account = small.insert("Account", Name="Quay")
    caught = "try { throw new CalloutException('no'); } catch (System.CalloutException e) { System.debug(e); }"
    assert run_anonymous(small.org, small.user_id, caught)["success"] is True
    lost = f"Database.delete('{account}');\nthrow new AuraHandledException('stop');"
    answer = run_anonymous(small.org, small.user_id, lost)
    assert answer["exceptionMessage"] == "System.AuraHandledException: stop"
    assert answer["exceptionStackTrace"] == "AnonymousBlock: line 2, column 1"
    assert small.query("SELECT Id FROM Account") == [{"Id": account}]


def test_rows_are_deleted_and_undeleted_by_query(small):
    ids = [small.insert("Account", Name=name) for name in ("A", "B")]
    run_anonymous(small.org, small.user_id, "delete [SELECT Id FROM Account WHERE Name = 'A'];")
    assert [one["Id"] for one in small.query("SELECT Id FROM Account")] == [ids[1]]
    back = "undelete [SELECT Id FROM Account WHERE IsDeleted = true ALL ROWS];"
    assert run_anonymous(small.org, small.user_id, back)["success"] is True
    assert len(small.query("SELECT Id FROM Account")) == 2
    answer = run_anonymous(small.org, small.user_id, f"Id one = '{ids[0]}'; Database.undelete(one);")
    assert "UNDELETE_FAILED, Entity is not in the recycle bin" in answer["exceptionMessage"]
    assert "QueryException" in run_anonymous(small.org, small.user_id, "delete [SELECT x FROM y];")["exceptionMessage"]


def test_an_assertion_fails_with_its_message(small):
    answer = run_anonymous(small.org, small.user_id, "System.assert(false, 'wrong' + ' org');")
    assert answer["exceptionMessage"] == "System.AssertException: Assertion Failed: wrong org"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("System.debug('a')", 1, "Unexpected token '<EOF>'."),
        ("\nPaymentRouter.route();", 2, "Method does not exist or incorrect signature: PaymentRouter.route"),
        ("System.debug(#);", 1, "Unrecognized symbol '#'"),
        ("try { PaymentRouter.route(); } catch (Exception e) {}", 1, "Method does not exist"),
    ],
)
def test_what_is_not_understood_does_not_compile(small, text, line, problem):
    answer = run_anonymous(small.org, small.user_id, text)
    assert (answer["compiled"], answer["success"], answer["line"]) == (False, False, line)
    assert problem in answer["compileProblem"]


def test_declarations_with_generic_types_and_comments_are_read():
    text = "/* two\nlines */ List<CronTrigger> all = [SELECT Id FROM CronTrigger]; // end\nMap<Id, X.Y> m = new M();"
    assert [(one.kind, one.name, one.line) for one in parse_script(text)] == [
        ("declare", "all", 2),
        ("declare", "m", 3),
    ]
    with pytest.raises(Refused):
        parse_script("for (Account a : [SELECT Id FROM Account] System.debug(a);")


# ---- schedules and jobs


def test_all_schedules_are_aborted_by_the_usual_script_and_made_again(coded):
    loop = "for (CronTrigger ct : [SELECT Id FROM CronTrigger]) { System.abortJob(ct.Id); }"
    assert run(coded, loop)["success"] is True
    assert coded.db.execute('SELECT count(*) FROM "CronTrigger"').fetchone() == (0,)
    again = "System.schedule('DunningLetter daily', '0 30 2 * * ?', new DunningLetter());"
    assert run(coded, again)["success"] is True
    assert "already scheduled" in run(coded, again)["exceptionMessage"]
    row = coded.db.execute('SELECT "CronExpression", "NextFireTime" FROM "CronTrigger"').fetchone()
    assert row == ("0 30 2 * * ?", "2026-11-24T02:30:00.000Z")
    assert (
        "AsyncException" in run(coded, "System.schedule('x', '0 0 99 * * ?', new DunningLetter());")["exceptionMessage"]
    )
    assert "Invalid id" in run(coded, "System.abortJob('08e000000000001');")["exceptionMessage"]


def test_a_job_that_a_script_started_ends_by_itself(coded, seeded_estate):
    assert run(coded, "Database.executeBatch(new VisitPlanner(), 200);")["success"] is True
    assert coded.db.execute('SELECT "Status" FROM "AsyncApexJob" WHERE "JobType" = \'BatchApex\'').fetchall() == [
        ("Processing",)
    ]
    seeded_estate.clock.move(apex_jobs.SCRIPTED)
    apex_jobs.fire_due(coded)
    assert coded.db.execute('SELECT "Status" FROM "AsyncApexJob" WHERE "JobType" = \'BatchApex\'').fetchall() == [
        ("Completed",)
    ]
    assert "no class Nobody" in run(coded, "System.enqueueJob(new Nobody());")["exceptionMessage"]


@pytest.mark.parametrize(
    ("expression", "following"),
    [
        ("0 0 2 * * ?", "2026-11-24T02:00:00"),
        ("0 30 8-10 ? * MON-FRI", "2026-11-23T08:30:00"),
        ("0 0 0/6 * * ?", "2026-11-23T12:00:00"),
        ("0 0 1 29 FEB ? 2028", "2028-02-29T01:00:00"),
        ("15 5 4 1,15 * ?", "2026-12-01T04:05:15"),
    ],
)
def test_a_cron_expression_fires_when_it_says(expression, following):
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    assert next_fire(expression, now) == datetime.fromisoformat(following).replace(tzinfo=UTC)


def test_expressions_that_never_fire_or_mean_nothing():
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert next_fire("0 0 0 30 2 ?", now) is None
    for wrong in ("0 0 0", "* 0 0 * * ?", "0 0 24 * * ?", "0 0 0 L * ?"):
        with pytest.raises(ValueError):
            next_fire(wrong, now)


def test_a_schedule_that_never_fires_again_is_gone(coded, seeded_estate):
    admin = org_admin(coded)
    once = apex_jobs.schedule_job(coded, admin, "DunningLetter", ("once", "0 0 12 23 11 ? 2026"))
    seeded_estate.clock.set(datetime(2026, 11, 23, 13, tzinfo=UTC))
    apex_jobs.fire_due(coded)
    assert coded.db.execute('SELECT count(*) FROM "CronTrigger" WHERE "Id" = ?', (once,)).fetchone() == (0,)
    with pytest.raises(ValueError, match="never fire"):
        apex_jobs.schedule_job(coded, admin, "DunningLetter", ("past", "0 0 12 23 11 ? 2026"))


def test_scripts_write_as_the_platform_and_honour_rules(small):
    owner = small.insert("Account", Name="Kept")
    assert rows.delete(small.org, small.user_id, [owner])[0].success
    assert run_anonymous(small.org, small.user_id, f"Database.emptyRecycleBin('{owner}');")["success"] is True
    assert not small.undelete(owner)[0].success
